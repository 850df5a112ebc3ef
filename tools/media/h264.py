"""Read and merge the parameter sets of H.264 tracks in MP4 (`avcC`, ISO 14496-15).

Works on bytes; knows no file and no codec library. All functions raise ValueError for malformed bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

HIGH = 100
PROFILES = (66, 77, HIGH)
"""Baseline, Main and High, with 8 bits per channel; higher profiles need features that decoders of these lack."""
LENGTH_BYTES = 4
"""Size of the length prefix of every NAL unit; tracks with shorter ones are not joined."""
MOST_IDS = 32
"""Number of possible ids of sequence parameter sets."""

IDR, SPS, PPS, SPS_EXTENSION, SUBSET_SPS = 5, 7, 8, 13, 15
"""Types of NAL units: instantaneous decoder refresh, and the parameter sets."""
CHROMA_420_8_BIT = b"\xfd\xf8\xf8\x00"


@dataclass(frozen=True)
class ParameterSets:
    """Parameter sets of a track by id. profile, compatibility, level: requirements on the decoder."""

    profile: int
    compatibility: int
    level: int
    sps: dict[int, bytes]
    pps: dict[int, bytes]

    @classmethod
    def read(cls, avcc: bytes) -> "ParameterSets":
        """Read an `avcC` box whose units have four length bytes."""
        if len(avcc) < 7 or avcc[0] != 1 or 1 + (avcc[4] & 3) != LENGTH_BYTES:
            raise ValueError("the parameter sets are not kept as in MP4, or with shorter lengths")
        sequences, rest = _counted(avcc[6:], avcc[5] & 31)
        if not rest:
            raise ValueError("there are no picture parameter sets")
        pictures, _ = _counted(rest[1:], rest[0])
        sps = {_number(unit[4:], 0): unit for unit in _of_type(sequences, SPS)}
        pps = {_number(unit[1:], 0): unit for unit in _of_type(pictures, PPS)}
        if avcc[1] not in PROFILES or not sps or any(_number(unit[1:], 1) not in sps for unit in pps.values()):
            raise ValueError("the profile is another one, or a set is missing")
        if (len(sps), len(pps)) != (len(sequences), len(pictures)):
            raise ValueError("two parameter sets have one id")
        return cls(avcc[1], avcc[2], avcc[3], sps, pps)

    @property
    def avcc(self) -> bytes:
        """The sets as an `avcC` box."""
        head = bytes([1, self.profile, self.compatibility, self.level, 0xFC | (LENGTH_BYTES - 1)])
        sets = bytes([0xE0 | len(self.sps)]) + _joined(self.sps) + bytes([len(self.pps)]) + _joined(self.pps)
        return head + sets + (CHROMA_420_8_BIT if self.profile == HIGH else b"")

    def beside(self, other: "ParameterSets") -> "ParameterSets | None":
        """Return the union of both; None if different sets have the same id or there are too many."""
        sps, pps = {**self.sps, **other.sps}, {**self.pps, **other.pps}
        kept = (self.sps.items() <= sps.items(), self.pps.items() <= pps.items())
        if not all(kept) or len(sps) >= MOST_IDS:
            return None
        return ParameterSets(
            max(self.profile, other.profile),
            self.compatibility & other.compatibility,
            max(self.level, other.level),
            sps,
            pps,
        )

    @property
    def shapes(self) -> frozenset[str]:
        """The sequence parameter sets without their ids, which configure the decoder.

        When the shape changes, a decoder may reset and drop frames that it has not output yet (ISO 14496-10, C.4.4),
        and some do.
        """
        return frozenset(_shape(unit) for unit in self.sps.values())

    def free_id(self) -> int:
        """Return the smallest id unused by both sequence and picture parameter sets."""
        return next(number for number in range(MOST_IDS) if number not in self.sps and number not in self.pps)

    def has_all_of(self, packet: bytes) -> bool:
        """Return whether every parameter set in a packet is one of these."""
        known = {*self.sps.values(), *self.pps.values()}
        return all(unit in known for unit in units(packet) if unit[0] & 31 in (SPS, PPS, SPS_EXTENSION, SUBSET_SPS))


def units(packet: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a packet."""
    at = 0
    while at < len(packet):
        begin = at + LENGTH_BYTES
        at = begin + int.from_bytes(packet[at:begin], "big")
        if not begin < at <= len(packet):
            raise ValueError("a unit is longer than its packet, or empty")
        yield packet[begin:at]


def begins_anew(packet: bytes) -> bool:
    """Return whether decoding can start at this packet: its picture is an IDR."""
    return any(unit[0] & 31 == IDR for unit in units(packet))


def _shape(sps: bytes) -> str:
    plain = sps[1:].replace(b"\0\0\3", b"\0\0")
    bits = "".join(f"{byte:08b}" for byte in plain[3:])
    zeros = len(bits) - len(bits.lstrip("0"))
    return plain[:3].hex() + bits[2 * zeros + 1 :].rstrip("0")


def _counted(data: bytes, count: int) -> tuple[list[bytes], bytes]:
    found = []
    for _ in range(count):
        length = int.from_bytes(data[:2], "big")
        if not 2 <= length <= len(data) - 2:
            raise ValueError("a parameter set is cut off")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found, data


def _of_type(found: list[bytes], kind: int) -> list[bytes]:
    if any(unit[0] & 31 != kind for unit in found):
        raise ValueError("a parameter set is of another kind")
    return found


def _joined(sets: dict[int, bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(2, "big") + unit for unit in sets.values())


def _number(data: bytes, place: int) -> int:
    """Return the number at index `place` of the Exp-Golomb codes in the first eight bytes: ue(v), ISO 14496-10, 9.1."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    while True:
        zeros = len(bits) - len(bits.lstrip("0"))
        code = bits[zeros : 2 * zeros + 1]
        if len(code) <= zeros:
            raise ValueError("a number is cut off")
        if place == 0:
            return int(code, 2) - 1
        bits, place = bits[2 * zeros + 1 :], place - 1
