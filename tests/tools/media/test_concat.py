"""Films that stand in other films as they are: every bit of them, in order, in time, and only where that is safe."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from memory.products.files import Produced
from memory.records import Artifact, Media, Recipe
from models.agent import UInt8Array
from tools.assemble_film import AssembleFilm, assemble_film
from tools.context import ToolContext
from tools.media.codecs import MP4, FilmCodec, decode_clip, encode_film, frames_of
from tools.media.concat import NotWhole, codec_beside, examined, has_sound, holds, joined, pictures_of, track_of
from tools.media.h264 import ParameterSets, begins_anew, units
from tools.uploads import clips as clip_intake
from tools.uploads.clips import clip_id, keep_file, store_clip

WIDTH, HEIGHT, RATE = 24, 16, Fraction(8)
MORAS = bytes.fromhex(
    "0164000affe1001b6764000aacd944269a808080a000000300200000030201e244b2c001000668ebe08cb22cfdf8f800"
)
"""The avcC box of a film of Mora."""


def drift(count: int, seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> UInt8Array:
    """Colours that drift: every frame is another one."""
    t, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in (count, height, width)), indexing="ij")
    return (np.stack([x, (y + seed / 7) % 1, (t + x) / 2], axis=-1) * 255).astype(np.uint8)


def own(count: int, seed: int = 0, codec: FilmCodec | None = None, fps: float = 8) -> bytes:
    """A film as Mora makes it."""
    out = io.BytesIO()
    encode_film(iter(drift(count, seed)), out, width=WIDTH, height=HEIGHT, fps=fps, codec=codec)
    return out.getvalue()


def foreign(
    count: int,
    seed: int = 0,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: Fraction = RATE,
    times: list[int] | None = None,
    sounds: int = 0,
    colour: tuple[int, int, int, int] | None = None,
    aspect: Fraction | None = None,
    turn: float | None = None,
    container: dict[str, str] | None = None,
    **options: str,
) -> bytes:
    """A film as other tools make it. times: of each frame in milliseconds."""
    out, silence = io.BytesIO(), {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(out, "w", format="mp4", container_options=container or {}) as film:
        stream = film.add_stream(codec, rate=rate, options={**silence, **options})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
        context = stream.codec_context
        if colour is not None:
            context.color_range, context.colorspace, context.color_primaries, context.color_trc = colour
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if turn is not None:
            stream.set_display_rotation(degrees=turn)
        tracks = [film.add_stream("aac", rate=44100) for _ in range(sounds)]
        for index, pixels in enumerate(drift(count, seed)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = (index, 1 / rate) if times is None else (times[index], Fraction(1, 1000))
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        for track in tracks:
            hum(film, track, count / rate)
    return out.getvalue()


def hum(film: av.container.OutputContainer, track: av.AudioStream, seconds: Fraction) -> None:
    tone = np.sin(np.arange(1024) / 9).astype(np.float32)[None]
    for index in range(int(seconds * 44100 / 1024)):
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44100, index * 1024, Fraction(1, 44100)
        film.mux(track.encode(frame))
    film.mux(track.encode())


def packets(film: bytes | Path) -> list[tuple[int, int, bool]]:
    """When each packet is shown and decoded, in frames from the first, and whether one may begin there."""
    with av.open(io.BytesIO(film) if isinstance(film, bytes) else str(film)) as container:
        stream = container.streams.video[0]
        told = [packet for packet in container.demux(stream) if packet.size]
        tick = stream.time_base * stream.average_rate
        return [(int(packet.pts * tick), int(packet.dts * tick), packet.is_keyframe) for packet in told]


# The parameter sets


def test_parameter_sets_are_read_and_written_again() -> None:
    sets = ParameterSets.read(MORAS)
    assert (sets.profile, sets.level, list(sets.sps), list(sets.pps)) == (100, 10, [0], [0])
    assert sets.avcc == MORAS
    assert sets.beside(sets) == sets
    assert sets.free_id() == 1


def test_sets_stand_beside_each_other_unless_they_contradict() -> None:
    usual, other = (track_of(film).sets for film in (own(3), own(3, codec=FilmCodec(sets_id=1))))
    both = usual.beside(other)
    assert both is not None
    assert (list(both.sps), list(both.pps), both.free_id()) == ([0, 1], [0, 1], 2)
    assert ParameterSets.read(both.avcc) == both
    fast = track_of(foreign(3, preset="ultrafast")).sets
    assert usual.beside(fast) is None
    assert both.beside(fast) is None
    assert usual.shapes == other.shapes == both.shapes != fast.shapes
    plain = track_of(foreign(3, profile="baseline")).sets
    mixed = plain.beside(other)
    assert mixed is not None
    assert (plain.profile, mixed.profile) == (66, 100)


def test_parameter_sets_that_are_none_are_refused() -> None:
    short_lengths, other_profile = bytearray(MORAS), bytearray(MORAS)
    short_lengths[4] = 0xFD
    other_profile[1] = 110
    for bad in (
        b"",
        MORAS[:5],
        MORAS[:20],
        MORAS[:36],
        bytes(short_lengths),
        bytes(other_profile),
        b"\0\0\0\1" + MORAS,
    ):
        with pytest.raises(ValueError, match=r"set|profile|kept|number"):
            ParameterSets.read(bad)
    random = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(MORAS)
        data[random.integers(len(data))] = random.integers(256)
        try:
            sets = ParameterSets.read(bytes(data))
        except ValueError:
            continue
        assert sets.sps and sets.pps


def test_the_units_of_a_packet() -> None:
    packet = b"\0\0\0\2\x09\x10" + b"\0\0\0\3\x65ab"
    assert list(units(packet)) == [b"\x09\x10", b"\x65ab"]
    assert begins_anew(packet)
    assert not begins_anew(packet[:6])
    for bad in (packet[:-1], b"\0\0\0\0", b"\0\0"):
        with pytest.raises(ValueError, match="unit"):
            list(units(bad))


# What can be joined


def test_a_film_of_mora_is_known_by_what_it_is() -> None:
    track = examined(own(5))
    assert (track.width, track.height, track.rate, track.num_frames) == (WIDTH, HEIGHT, RATE, 5)
    assert track == track_of(own(5))
    assert examined(own(2, fps=23.976)).rate == Fraction(24000, 1001)


@pytest.mark.parametrize(
    "asked",
    [
        {"codec": "libx265"},
        {"pix_fmt": "yuv444p"},
        {"pix_fmt": "yuv420p10le"},
        {"turn": 90.0},
        {"aspect": Fraction(2)},
        {"colour": (2, 1, 1, 1)},
        {"colour": (1, 9, 9, 16)},
        {"x264-params": "interlaced=1"},
        {"times": [0, 125, 250, 700, 825, 950]},
        {"times": [1000, 1125, 1250, 1375, 1500, 1625], "container": {"use_editlist": "0"}},
    ],
    ids=str,
)
def test_what_cannot_stand_in_a_film_as_it_is(asked: dict[str, object]) -> None:
    with pytest.raises(NotWhole):
        examined(foreign(6, **asked))  # type: ignore[arg-type]


def test_too_many_frames_are_refused_before_they_are_decoded() -> None:
    assert examined(own(5), most_frames=5).num_frames == 5
    with pytest.raises(NotWhole, match="too many"):
        examined(own(6), most_frames=5)


def test_a_damaged_film_is_refused_or_as_good_as_whole() -> None:
    whole = foreign(8, g="4")
    random = np.random.default_rng(2)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        data[random.integers(len(data))] ^= 1 << int(random.integers(8))
        try:
            track = examined(bytes(data))
        except NotWhole:
            refused += 1
            continue
        assert track.num_frames == len(list(pictures_of(bytes(data)))) == 8
    assert refused > 8, "most bits of so small a film are those of its index"
    for share in (0.2, 0.5, 0.9):
        with pytest.raises(NotWhole):
            examined(whole[: int(len(whole) * share)])
    for nothing in (b"", b"no film", b"\0\0\0\x18ftypmp42" + bytes(99)):
        with pytest.raises(NotWhole):
            examined(nothing)


FOREIGN: list[dict[str, str]] = [
    {},
    {"bf": "0"},
    {"preset": "ultrafast"},
    {"preset": "slow"},
    {"profile": "baseline"},
    {"profile": "main"},
    {"x264-params": "open-gop=1:keyint=6:min-keyint=1:bframes=3"},
    {"x264-params": "b-pyramid=none:repeat-headers=1"},
]


@pytest.mark.parametrize("options", FOREIGN, ids=str)
def test_films_of_all_kinds_are_joined_and_shown_bit_for_bit(tmp_path: Path, options: dict[str, str]) -> None:
    given = foreign(9, **options)
    new = [own(count, 3, codec_beside([examined(given)], FilmCodec())) for count in (4, 1)]
    for films in ([given, new[0]], [new[0], given], [new[1], given, new[0], given]):
        media = joined([(film, examined(film)) for film in films], tmp_path / "film.mp4")
        out = tmp_path / "film.mp4"
        shown = [digest for film in films for digest in pictures_of(film)]
        assert list(pictures_of(out)) == shown
        assert (media.num_frames, media.fps) == (len(shown), 8.0)
        told = packets(out)
        assert sorted(at for at, _, _ in told) == list(range(len(shown)))
        assert all(one < other for (_, one, _), (_, other, _) in pairwise(told))
        assert all(decoded <= at for at, decoded, _ in told)
        begin = 0
        for film in films:
            assert told[begin][2], "each begins where one may enter"
            assert holds(out, film, begin=begin)
            begin += len(list(pictures_of(film)))
        with av.open(str(out)) as container:
            stream = container.streams.video[0]
            assert (stream.start_time, stream.duration * stream.time_base) == (0, len(shown) / RATE)
        data = out.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")


def test_a_joined_film_can_be_entered_anywhere(tmp_path: Path) -> None:
    given = foreign(12, g="4")
    films = [given, own(12, 3, codec_beside([examined(given)], FilmCodec()))]
    joined([(film, examined(film)) for film in films], tmp_path / "film.mp4")
    every = list(pictures_of(tmp_path / "film.mp4"))
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        for number in (0, 5, 11, 12, 17, 23):
            container.seek(int(number / RATE / stream.time_base), stream=stream)
            frames = [frame for frame in container.decode(stream) if frame.pts * stream.time_base * RATE == number]
            planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, -1) for plane in frames[0].planes]
            rows = b"".join(bytes(plane[:, : p.width]) for plane, p in zip(planes, frames[0].planes, strict=True))
            assert hashlib.sha256(rows).digest() == every[number]


@pytest.mark.parametrize("options", [{"tune": "zerolatency"}, {"g": "1"}, {"bf": "8", "refs": "8"}], ids=str)
def test_what_the_encoder_cannot_imitate_is_not_joined_with_its_films(tmp_path: Path, options: dict[str, str]) -> None:
    given = foreign(5, **options)
    track = examined(given)
    with pytest.raises(NotWhole, match="no way to encode"):
        codec_beside([track], FilmCodec())
    new = own(5, 3, FilmCodec(colours=track.colours, sets_id=1))
    with pytest.raises(NotWhole, match="different ways"):
        joined([(film, examined(film)) for film in (given, new)], tmp_path / "film.mp4")


def test_films_that_contradict_each_other_are_not_joined(tmp_path: Path) -> None:
    for pair in ([own(3), foreign(3, preset="ultrafast")], [own(3), own(3, codec=FilmCodec(sets_id=1))]):
        tracks = [examined(film) for film in pair]
        tracks[1] = replace(tracks[1], colours=examined(foreign(3)).colours)
        with pytest.raises(NotWhole, match="contradict"):
            joined(list(zip(pair, tracks, strict=True)), tmp_path / "film.mp4")


# What becomes a film


@pytest.fixture
def given(context: ToolContext) -> Callable[..., Artifact]:
    """Stores the bytes of a film as somebody gave them; `lies` are what its record says instead of the truth."""

    def keep(film: bytes, **lies: int) -> Artifact:
        track = track_of(film)
        media = Media(
            kind="clip", media_type=MP4, width=track.width, height=track.height, num_frames=track.num_frames,
            fps=float(track.rate),
        ).model_copy(update=lies)  # fmt: skip
        source = hashlib.sha256(film).hexdigest()
        recipe = Recipe(
            agent="upload", spec={"source": source, **lies}, numerics=context.lender.identity("edit_image").numerics
        )
        return context.archive.make(context.lease, recipe, lambda: Produced(film, media, ".mp4")).artifact

    return keep


Assembled = Callable[..., tuple[Artifact, list[str]]]


@pytest.fixture
def assembled(context: ToolContext) -> Assembled:
    """The film of some clips, and what was noted."""

    def make(*clips: Artifact, **asked: object) -> tuple[Artifact, list[str]]:
        notes: list[str] = []
        arguments = AssembleFilm.model_validate({"clips": [clip.id for clip in clips], **asked})
        made = assemble_film(
            context, arguments, report=lambda told: notes.append(str(told["note"])) if "note" in told else None
        )
        return made.artifact, notes

    return make


def test_a_given_film_goes_on_bit_for_bit(context, given, stored, assembled) -> None:
    film, new = own(6), stored(drift(5, 3))
    first = given(film)
    made, notes = assembled(first, new, drop_first={1})
    data = context.archive.read(made)
    assert holds(data, film, begin=0)
    assert list(pictures_of(data))[:6] == list(pictures_of(film))
    assert (made.media.num_frames, made.media.kind) == (10, "film")
    assert track_of(data).sets == track_of(film).sets
    assert notes == ["1 clip stayed in the film as it was, bit for bit; only the rest was encoded."]
    assert made.recipe.spec["whole"] == [0]
    rest = io.BytesIO()
    encode_film(iter(drift(5, 3)[1:]), rest, width=WIDTH, height=HEIGHT, fps=8)
    assert list(pictures_of(data))[6:] == list(pictures_of(rest.getvalue()))
    assert assembled(first, new, drop_first={1}) == (made, notes)


def test_what_comes_before_it_and_between_two_leaves_them_as_they_are(context, given, stored, assembled) -> None:
    one, two = foreign(6), foreign(4, 2)
    made, notes = assembled(stored(drift(3, 3)), given(one), stored(drift(4, 5)), given(two), drop_last={0})
    data = context.archive.read(made)
    assert holds(data, one, begin=2)
    assert holds(data, two, begin=12)
    assert list(pictures_of(data))[2:8] == list(pictures_of(one))
    assert len(track_of(data).sets.sps) == 2
    assert notes == ["2 clips stayed in the film as they were, bit for bit; only the rest was encoded."]


def test_the_rest_is_encoded_in_the_colours_of_what_stays(context, given, stored, assembled) -> None:
    red = np.full((3, HEIGHT, WIDTH, 3), (230, 25, 25), np.uint8)
    for colour in ((1, 1, 1, 1), (1, 6, 6, 6), (0, 2, 2, 2)):
        made, _ = assembled(given(foreign(3, colour=colour)), stored(red))
        data = context.archive.read(made)
        with av.open(io.BytesIO(data)) as container:
            frames = list(container.decode(video=0))
        assert {frame.colorspace for frame in frames} == {colour[1]}
        assert np.abs(list(frames_of(data))[-1].astype(int) - red[0]).max() < 8


def test_two_that_contradict_each_other_are_told(context, given, stored, assembled) -> None:
    one, two = foreign(4), foreign(4, 2, preset="ultrafast")
    made, notes = assembled(given(one), stored(drift(3, 3)), given(two))
    data = context.archive.read(made)
    assert holds(data, one, begin=0)
    assert not holds(data, two, begin=7)
    assert made.media.num_frames == 11
    assert notes == [
        "1 clip stayed in the film as it was, bit for bit; only the rest was encoded.",
        "1 clip could not stay as it was next to the rest and had to be encoded again.",
    ]


def test_one_that_nothing_can_stand_beside_does_not_keep_another_from_staying(
    context, given, stored, assembled
) -> None:
    odd, film = foreign(4, tune="zerolatency"), foreign(4, 2)
    made, notes = assembled(given(odd), stored(drift(3, 3)), given(film))
    assert holds(context.archive.read(made), film, begin=7)
    assert [note.split(" ", 3)[:3] for note in notes] == [["1", "clip", "stayed"], ["1", "clip", "could"]]


@pytest.mark.parametrize("asked", [{"drop_last": {0}}, {"drop_first": {0}}, {"fps": 10.0}], ids=str)
def test_a_film_that_is_cut_or_shown_otherwise_is_encoded_once(given, stored, assembled, asked) -> None:
    made, notes = assembled(given(own(6)), stored(drift(3, 3)), **asked)
    assert "whole" not in made.recipe.spec
    assert notes == []


def test_a_film_of_another_size_is_encoded_once(given, stored, assembled) -> None:
    made, _ = assembled(stored(drift(3, 3, 32, 32)), given(own(4)))
    assert "whole" not in made.recipe.spec
    assert (made.media.width, made.media.num_frames) == (32, 7)


def test_a_record_that_says_something_else_is_not_believed(context, given, stored, assembled) -> None:
    film = own(6)
    made, notes = assembled(given(film, num_frames=5), stored(drift(3, 3)))
    assert made.media.num_frames == 8
    assert not holds(context.archive.read(made), film, begin=0)
    assert notes == ["1 clip could not stay as it was next to the rest and had to be encoded again."]


def test_a_film_that_is_not_what_its_record_says_is_encoded(context, given, stored, assembled) -> None:
    film = foreign(6, **{"x264-params": "interlaced=1"})
    made, notes = assembled(given(film), stored(drift(3, 3)))
    assert made.media.num_frames == 9
    assert "had to be encoded again" in notes[0]


def test_films_alone_are_joined_without_any_encoding(context, given, assembled) -> None:
    one, two = own(5), own(4, 2)
    made, notes = assembled(given(one), given(two))
    data = context.archive.read(made)
    assert list(pictures_of(data)) == [*pictures_of(one), *pictures_of(two)]
    assert notes == ["2 clips stayed in the film as they were, bit for bit."]


def test_sound_stays_where_its_pictures_do(context, given, stored, assembled) -> None:
    sounding = foreign(16, sounds=2)
    with av.open(io.BytesIO(sounding)) as container:
        expected = [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]
    for before, after in ((0, 8), (8, 0)):
        parts = [stored(drift(before, 3))] if before else []
        parts += [given(sounding), *([stored(drift(after, 4))] if after else [])]
        made, notes = assembled(*parts)
        data = context.archive.read(made)
        assert len(notes) == 1, notes
        assert holds(data, sounding, begin=before)
        with av.open(io.BytesIO(data)) as container:
            assert len(container.streams.audio) == 2
            track = container.streams.audio[0]
            heard = [
                (float(packet.pts * track.time_base), bytes(packet)) for packet in container.demux(track) if packet.size
            ]
            assert all(packet in expected for _, packet in heard)
            assert len(heard) >= len(expected) - 2
            assert heard[0][0] == pytest.approx(before / 8, abs=0.05)
            assert heard[-1][0] < (before + 16) / 8


def test_sound_that_does_not_fit_is_dropped_with_a_word(context, given, stored, assembled) -> None:
    one, two = foreign(8, sounds=1), foreign(8, 2, sounds=2)
    made, notes = assembled(given(one), given(two))
    data = context.archive.read(made)
    assert has_sound(data, (0.0, 1.0))
    assert not has_sound(data, (1.2, 9.0))
    assert notes[-1] == "The sound of 1 clip was dropped because the film could not keep it unchanged."


# What a person gives


def test_a_file_that_can_stand_in_a_film_is_kept_as_it_is(context: ToolContext, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(own(7, 4))
    taken = keep_file(path, context.size)
    assert taken is not None
    assert taken.notes == ()
    made = store_clip(context, taken).artifact
    assert made.id == clip_id(taken)
    assert (made.sha256, made.size) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert (made.media.kind, made.media.media_type, made.media.num_frames, made.media.fps) == ("clip", MP4, 7, 8.0)
    assert context.archive.read(made) == path.read_bytes()
    assert len(decode_clip(context.archive.read(made)).frames) == 7


def test_a_kept_file_tells_of_its_sound(context: ToolContext, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(foreign(8, sounds=1))
    taken = keep_file(path, context.size)
    assert taken is not None
    assert taken.notes == (
        "The video's sound stays where the film shows the video unchanged; anything generated from it is silent.",
    )


def test_files_that_cannot_are_left_to_the_decoder(context: ToolContext, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "film.mp4"
    for bad in (foreign(4, turn=90.0), b"no film at all", b"", own(4)[:300]):
        path.write_bytes(bad)
        assert keep_file(path, context.size) is None
    assert keep_file(tmp_path, context.size) is None
    assert keep_file(tmp_path / "missing.mp4", context.size) is None
    path.write_bytes(own(4))
    assert keep_file(path, (32, 32)) is None
    path.write_bytes(own(4, fps=90))
    assert keep_file(path, context.size) is None
    path.write_bytes(own(4))
    assert keep_file(path, context.size) is not None
    for bound in ("LARGEST_KEPT", "MOST_KEPT_FRAMES"):
        with monkeypatch.context() as patch:
            patch.setattr(clip_intake, bound, 3)
            assert keep_file(path, context.size) is None
