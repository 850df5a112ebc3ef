"""Join H.264 films packet by packet, without re-encoding, and check whether that is possible. Knows no artifact.

Joined films decode to the same pixels as before.
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
"""FFmpeg's codes of the two BT.601 matrices."""
HD_SIDE = 720
"""Pixels; from this side on, players disagree on the meaning of untagged colours."""
LIMITED = (0, 1)
"""FFmpeg's codes of the unspecified range, which means limited, and of the limited range."""
SOUNDS = ("aac", "mp3", "opus", "ac3")
"""Audio codecs that players support in MP4."""
MOST_SOUNDS = 8
PROFILES = (None, "main", "baseline")
REORDERINGS = ("bframes=3", "bframes=0", "bframes=3:b-pyramid=none")
WAYS = ("", *(f"ref={frames}:{order}" for order, frames in product(REORDERINGS, (3, 2, 1, 4, 5, 6, 8, 16))))
"""x264 settings of reference frames and reordering; a film encoded by x264 most likely used one of them."""
OFF = Fraction(1, 5)
"""Tolerance of a frame's time, in frames: many files round their times."""


class NotWhole(Exception):
    """A film cannot be joined packet by packet; the message gives the reason, for a log."""


@dataclass(frozen=True)
class Track:
    """The properties of a film that matter for joining. sounds: parameters of each audio track, equal if joined."""

    width: int
    height: int
    rate: Fraction
    num_frames: int
    sets: ParameterSets
    colours: Colours
    sounds: tuple[str, ...] = ()


@dataclass
class _Sound:
    """An audio track of the film being written: its stream, required parameters, and end so far in seconds."""

    stream: Any
    like: str
    until: Fraction = Fraction(0)


def examined(film: Source, *, most_frames: int | None = None) -> Track:
    """Return the track of a film that can be joined as it is: constant rate, upright, progressive and undamaged.

    The film may be untrusted: all of it is decoded, and any irregularity raises NotWhole.
    """
    track = track_of(film, most_frames=most_frames)
    with _opened(film) as (container, stream):
        if (shown := sum(1 for _ in _plain_frames(container, stream, track))) != track.num_frames:
            raise NotWhole(f"{track.num_frames} packets give {shown} frames")
    return replace(track, sounds=_sounds(film))


def track_of(film: Source, *, most_frames: int | None = None) -> Track:
    """Return the track of a film encoded by Mora: reads packets without decoding them and ignores sound."""
    with _opened(film) as (container, stream):
        track = _header(stream)
        return replace(track, num_frames=len(_order(container, stream, track, most_frames)))


def joined(films: Sequence[tuple[Source, Track]], target: Path) -> Media:
    """Join films of one size, rate and colour tagging without re-encoding, index first, and describe the result.

    Sound is kept in place if it has the same parameters as that of the first film with sound. Raises NotWhole if the
    films' parameter sets cannot share a track, or if the result does not decode to the same frames.
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
    """Return whether the film contains the part's packets, in order and bit for bit, from frame `begin` on."""
    try:
        with _opened(film) as (whole, there), _opened(part) as (container, stream):
            packets = islice((bytes(packet) for packet in _packets(whole, there)), begin, None)
            return all(bytes(packet) == next(packets, b"") for packet in _packets(container, stream))
    except NotWhole:
        return False


def pictures_of(film: Source) -> Iterator[bytes]:
    """Yield the digest of every decoded frame of a film, before colour conversion."""
    with _opened(film) as (container, stream):
        for frame in container.decode(stream):
            yield hashlib.sha256(b"".join(_visible(plane) for plane in frame.planes)).digest()


def _pictures_of_all(films: Sequence[tuple[Source, Track]]) -> Iterator[bytes]:
    for film, _ in films:
        yield from pictures_of(film)


def has_sound(film: Source, span: tuple[float, float] = (0.0, float("inf"))) -> bool:
    """Return whether a film has sound between two times, in seconds; False if it is not a film."""
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
    """Return the frame index of each packet, in decoding order. Raises NotWhole for irregular packets."""
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
    """Return the merged parameter sets of tracks that configure a decoder in the same way.

    Raises NotWhole if the tracks cannot be merged into one.
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
    """Return encoder settings whose output can share a track with these, found by encoding one frame.

    The output configures a decoder in the same way and uses free ids of parameter sets. Raises NotWhole if no settings
    do.
    """
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
    """Return the parameters of each audio track of a film; () if one of them cannot be kept."""
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
    """Yield the packets of a film, shifted so that it begins at frame `begin`."""
    ahead = begin - delay
    with _opened(film) as (container, stream):
        audio = dict(zip(container.streams.audio, sounds, strict=True)) if sounds else {}
        for packet in _packets(container, (stream, *audio)):
            if packet.stream is stream:
                number = round(packet.pts * stream.time_base * track.rate)
                yield _packet(packet, picture, 1 / track.rate, begin + number, ahead, 1)
                ahead += 1
            elif (moved := _moved_sound(packet, audio[packet.stream], track, begin)) is not None:
                yield moved


def _moved_sound(packet: Any, sound: _Sound, track: Track, begin: int) -> Any | None:
    """Return an audio packet shifted in time; None if it lies after the last frame or overlaps earlier sound."""
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
