"""Finished H.264 films, packet by packet: whether one can stand in another film as it is, and films joined so.

Nothing is decoded to be encoded again: what is joined shows the same bits as before. Knows no artifact.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, product, zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np

from memory.records import Media
from tools.errors import BadInput
from tools.media.codecs import (
    AVCOL_SPC_BT709,
    AVCOL_SPC_UNSPECIFIED,
    INDEX_FIRST,
    LARGEST_AREA,
    MP4,
    NO_TURN,
    Colours,
    FilmCodec,
    Source,
    encode_film,
    exact_rate,
    turn_of,
)
from tools.media.h264 import ParameterSets, begins_anew
from tools.media.hdr import HDR_CURVES

SD_MATRICES = (5, 6)
"""FFmpeg's numbers of BT.601's two."""
HD_SIDE = 720
"""Pixels; from this side on players do not agree on what colours mean that are not tagged."""
LIMITED = (0, 1)
"""FFmpeg's numbers of a range that is not said, which then is the limited one, and of that one."""
SOUNDS = ("aac", "mp3", "opus", "ac3")
"""Codecs of sound that players expect in MP4."""
MOST_SOUNDS = 8
PROFILES = (None, "main", "baseline")
REORDERINGS = ("bframes=3", "bframes=0", "bframes=3:b-pyramid=none")
WAYS = ("", *(f"ref={frames}:{order}" for order, frames in product(REORDERINGS, (3, 2, 1, 4, 5, 6, 8, 16))))
"""Of x264 to keep frames and to show them later: what it made was made in one of them, most likely."""
OFF = Fraction(1, 5)
"""Frames by which one may come early or late: many files round their times."""


class NotWhole(Exception):
    """A film cannot be joined packet by packet; the text says why, for a log."""


@dataclass(frozen=True)
class Track:
    """What of a film is joined. sounds: of each sound track, what must be equal for it to go on in the next film's."""

    width: int
    height: int
    rate: Fraction
    num_frames: int
    sets: ParameterSets
    colours: Colours
    sounds: tuple[str, ...] = ()


@dataclass
class _Sound:
    """A sound track of a film in the making: its stream, what it must be like, and the seconds that it has reached."""

    stream: Any
    like: str
    until: Fraction = Fraction(0)


def examined(film: Source, *, most_frames: int | None = None) -> Track:
    """What of a film can be joined as it is: every frame of it, at a constant rate, upright, plain and undamaged.

    The film may be a stranger's: all of it is decoded here, and what is not in perfect order is refused. Raises
    NotWhole.
    """
    track = track_of(film, most_frames=most_frames)
    with _opened(film) as (container, stream):
        if (shown := sum(1 for _ in _plain_frames(container, stream, track))) != track.num_frames:
            raise NotWhole(f"{track.num_frames} packets give {shown} frames")
    return replace(track, sounds=_sounds(film))


def track_of(film: Source, *, most_frames: int | None = None) -> Track:
    """What `examined` tells of a film of our own: packets are looked at, nothing is decoded, sound is left out."""
    with _opened(film) as (container, stream):
        track = _header(stream)
        return replace(track, num_frames=len(_order(container, stream, track, most_frames)))


def joined(films: Sequence[tuple[Source, Track]], target: Path) -> Media:
    """Films of one size, rate and way of telling colours as one, index first, no frame touched. Answers what it is.

    The sound of the first that has any stays where it is, and that of others that is like it. Raises NotWhole if
    their parameter sets cannot stand in one track, or if what comes out does not decode to the same frames.
    """
    sets = together([track for _, track in films])
    first, delay = films[0][1], max(_delay(film, track) for film, track in films)
    with av.open(str(target), "w", format="mp4", container_options=INDEX_FIRST) as out:
        with _opened(films[0][0]) as (_, template):
            picture: Any = out.add_stream_from_template(template)
        picture.time_base, picture.codec_context.extradata = 1 / first.rate, sets.avcc
        sounds = _sound_tracks(out, films)
        shown = 0
        for film, track in films:
            own = sounds if [sound.like for sound in sounds] == list(track.sounds) else []
            for packet in _moved(film, track, shown, delay, picture, own):
                out.mux(packet)
            shown += track.num_frames
    if any(one != other for one, other in zip_longest(pictures_of(target), _pictures_of_all(films))):
        raise NotWhole("the decoder does not see the same frames in what comes out")
    size = {"width": first.width, "height": first.height}
    return Media(kind="film", media_type=MP4, **size, num_frames=shown, fps=float(first.rate))


def holds(film: Source, part: Source, *, begin: int) -> bool:
    """Whether the film shows the part from frame `begin` on as it is: its packets, in order, bit for bit."""
    try:
        with _opened(film) as (whole, there), _opened(part) as (container, stream):
            packets = islice((bytes(packet) for packet in _packets(whole, there)), begin, None)
            return all(bytes(packet) == next(packets, b"") for packet in _packets(container, stream))
    except NotWhole:
        return False


def pictures_of(film: Source) -> Iterator[bytes]:
    """The digest of every frame of a film as it is decoded, before any colours are made of it."""
    with _opened(film) as (container, stream):
        for frame in container.decode(stream):
            yield hashlib.sha256(b"".join(_visible(plane) for plane in frame.planes)).digest()


def _pictures_of_all(films: Sequence[tuple[Source, Track]]) -> Iterator[bytes]:
    for film, _ in films:
        yield from pictures_of(film)


def is_heard(film: Source, span: tuple[float, float] = (0.0, float("inf"))) -> bool:
    """Whether a film has sound between two times, in seconds; False for what is no film."""
    try:
        with _opened(film) as (container, _):
            tracks = container.streams.audio
            packets = _packets(container, tracks) if tracks else ()
            return any(span[0] <= float(packet.pts * packet.time_base) < span[1] for packet in packets)
    except NotWhole:
        return False


def _visible(plane: Any) -> bytes:
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return bytes(np.ascontiguousarray(rows[:, : plane.width]))


@contextmanager
def _opened(film: Source) -> Iterator[tuple[Any, Any]]:
    try:
        with av.open(io.BytesIO(film) if isinstance(film, bytes) else str(film), format="mp4") as container:
            if len(container.streams.video) != 1:
                raise NotWhole(f"there are {len(container.streams.video)} picture tracks")
            stream = container.streams.video[0]
            if stream.codec_context is None or stream.codec_context.name != "h264":
                raise NotWhole("the pictures are not H.264")
            stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(LARGEST_AREA)}
            yield container, stream
    except (av.error.FFmpegError, OSError, ValueError, OverflowError) as error:
        raise NotWhole(str(error)) from error


def _header(stream: Any) -> Track:
    context = stream.codec_context
    colours = Colours(context.color_range, context.colorspace, context.color_primaries, context.color_trc)
    plain = {
        "track": context.codec_tag == "avc1" and stream.start_time == 0,
        "pixels": context.pix_fmt == "yuv420p" and stream.sample_aspect_ratio in (None, 0, 1),
        "sides": min(context.width, context.height) > 0 and not (context.width % 2 or context.height % 2),
        "colours": _understood(colours, min(context.width, context.height)),
        "rate": stream.average_rate is not None,
    }
    if not all(plain.values()):
        raise NotWhole(f"no plain {', '.join(name for name, is_so in plain.items() if not is_so)}")
    try:
        rate = exact_rate(stream.average_rate)
    except BadInput as error:
        raise NotWhole(str(error)) from error
    sets = ParameterSets.read(context.extradata or b"")
    return Track(context.width, context.height, rate, 0, sets, colours)


def _understood(colours: Colours, side: int) -> bool:
    matrices = (AVCOL_SPC_BT709, *SD_MATRICES, *((AVCOL_SPC_UNSPECIFIED,) if side < HD_SIDE else ()))
    return colours.range in LIMITED and colours.matrix in matrices and colours.curve not in HDR_CURVES


def _packets(container: Any, streams: Any) -> Iterator[Any]:
    yield from (packet for packet in container.demux(streams) if packet.size)


def _order(container: Any, stream: Any, track: Track, most: int | None) -> list[int]:
    """Which frame each packet is, in the order of decoding. Raises NotWhole for packets that are not in order."""
    order: list[int] = []
    for packet in _packets(container, stream):
        if packet.is_corrupt or packet.is_discard or packet.pts is None:
            raise NotWhole(f"packet {len(order)} is damaged, hidden or without time")
        if not order and not (packet.is_keyframe and begins_anew(bytes(packet))):
            raise NotWhole("it does not begin with a whole picture")
        if not track.sets.has_all_of(bytes(packet)):
            raise NotWhole(f"packet {len(order)} brings other parameter sets")
        at = packet.pts * stream.time_base * track.rate
        order.append(round(at))
        if abs(at - order[-1]) > OFF or (most is not None and len(order) > most):
            raise NotWhole("the rate is not constant, or there are too many frames")
    if not order or sorted(order) != list(range(len(order))):
        raise NotWhole("frames are missing, or there twice")
    return order


def _plain_frames(container: Any, stream: Any, track: Track) -> Iterator[Any]:
    for index, frame in enumerate(container.decode(stream)):
        colours = Colours(frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
        whole = not frame.is_corrupt and not frame.interlaced_frame and turn_of(frame) == NO_TURN
        same = (frame.width, frame.height, frame.format.name) == (track.width, track.height, "yuv420p")
        if not whole or not same or colours != track.colours:
            raise NotWhole(f"frame {index} is damaged, turned, interlaced or unlike the others")
        yield frame


def _delay(film: Source, track: Track) -> int:
    with _opened(film) as (container, stream):
        order = _order(container, stream, track, None)
    return max(index - number for index, number in enumerate(order))


def together(tracks: Sequence[Track]) -> ParameterSets:
    """The parameter sets of a track in which all these stand: a decoder is set up alike by all of them.

    Raises NotWhole if they cannot stand in one.
    """
    sets, colours = tracks[0].sets, tracks[0].colours
    for track in tracks[1:]:
        both = sets.beside(track.sets)
        if both is None or track.colours != colours:
            raise NotWhole("their parameter sets contradict each other, or their colours are meant otherwise")
        sets = both
    if len(sets.shapes) > 1:
        raise NotWhole("they set a decoder up in different ways")
    return sets


def codec_beside(tracks: Sequence[Track], codec: FilmCodec) -> FilmCodec:
    """How to encode what is to stand in one track with these, found by trial on one frame: as they set a decoder up,
    and with ids that are free beside theirs. Raises NotWhole if the encoder has no such way."""
    first, sets = tracks[0], together(tracks)
    for profile, more in product(PROFILES, WAYS):
        alike = replace(codec, colours=first.colours, profile=profile, more=more)
        trial = io.BytesIO()
        black = np.zeros((first.height, first.width, 3), np.uint8)
        encode_film([black], trial, width=first.width, height=first.height, fps=first.rate, codec=alike)
        made = track_of(trial.getvalue()).sets
        if made.shapes == sets.shapes:
            return alike if sets.beside(made) else replace(alike, sets_id=sets.free_id())
    raise NotWhole("no way to encode the rest sets a decoder up as they do")


def _sounds(film: Source) -> tuple[str, ...]:
    """What each sound track of a film is; () if one of them cannot be kept."""
    with _opened(film) as (container, _):
        tracks = container.streams.audio
        if len(tracks) > MOST_SOUNDS or any(track.codec_context is None for track in tracks):
            return ()
        try:
            for packet in container.demux(*tracks) if tracks else ():
                packet.decode()
        except av.error.FFmpegError:
            return ()
        kinds = [track.codec_context for track in tracks]
        if any(kind.name not in SOUNDS for kind in kinds):
            return ()
        return tuple(
            f"{kind.name} {kind.sample_rate} {kind.layout.name} {(kind.extradata or b'').hex()}" for kind in kinds
        )


def _sound_tracks(out: Any, films: Sequence[tuple[Source, Track]]) -> list[_Sound]:
    sounding = next(((film, track) for film, track in films if track.sounds), None)
    if sounding is None:
        return []
    with _opened(sounding[0]) as (container, _):
        streams = [out.add_stream_from_template(stream) for stream in container.streams.audio]
    return [_Sound(stream, like) for stream, like in zip(streams, sounding[1].sounds, strict=True)]


def _moved(film: Source, track: Track, begin: int, delay: int, picture: Any, sounds: Sequence[_Sound]) -> Iterator[Any]:
    """The packets of a film as those of one in which it begins at frame `begin`."""
    ahead = begin - delay
    with _opened(film) as (container, stream):
        heard = dict(zip(container.streams.audio, sounds, strict=True)) if sounds else {}
        for packet in _packets(container, (stream, *heard)):
            if packet.stream is stream:
                number = round(packet.pts * stream.time_base * track.rate)
                yield _packet(packet, picture, 1 / track.rate, begin + number, ahead, 1)
                ahead += 1
            elif (said := _said(packet, heard[packet.stream], track, begin)) is not None:
                yield said


def _said(packet: Any, sound: _Sound, track: Track, begin: int) -> Any | None:
    """A packet of sound in its new place; None where there is no picture beside it, or other sound already."""
    tick, starts = packet.time_base, Fraction(begin) / track.rate
    at, lasts = packet.pts * tick, packet.duration * tick
    if at >= track.num_frames / track.rate or (begin and starts + at < sound.until):
        return None
    sound.until = starts + at + lasts
    moved = packet.pts + round(starts / tick)
    return _packet(packet, sound.stream, tick, moved, moved, packet.duration)


def _packet(packet: Any, stream: Any, tick: Fraction, pts: int, dts: int, duration: int) -> Any:
    copy = av.Packet(bytes(packet))
    copy.stream, copy.time_base, copy.is_keyframe = stream, tick, packet.is_keyframe
    copy.pts, copy.dts, copy.duration = pts, dts, duration
    return copy
