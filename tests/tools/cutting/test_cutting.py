"""Clips and films are trimmed, sped up, reversed and repeated in whole frames, and a film is encoded only once."""

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memory.products.files import Produced
from memory.records import Artifact, Media, Recipe
from tools.assemble_film import AssembleFilm, assemble_film
from tools.context import ToolContext
from tools.cutting.cut_film import cut_film
from tools.cutting.cut_video import CutVideo, cut_video
from tools.cutting.edits import described_cut, edit_of
from tools.errors import BadInput
from tools.media.codecs import MP4, decode_clip, encode_film
from tools.media.concat import holds, pictures_of
from tools.products.conform import in_order
from tools.regenerate import regenerate

Stored = Callable[..., Artifact]
SIZE = 32


def levels(*values: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Frames of one grey level each: uint8 (T, SIZE, SIZE, 3)."""
    return np.repeat(np.array(values, np.uint8), SIZE * SIZE * 3).reshape(-1, SIZE, SIZE, 3)


def seen(context: ToolContext, artifact: Artifact) -> list[int]:
    """The grey level of every frame."""
    frames = decode_clip(context.archive.read(artifact)).frames
    return [round(float(frame.mean())) for frame in frames]


def cut(context: ToolContext, clip: Artifact, **asked: Any) -> Artifact:
    tool = cut_film if clip.media.kind == "film" else cut_video
    return tool(context, CutVideo(clip=clip.id, **asked)).artifact


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"start": 0.25, "end": 0.5}, [30, 40]),
        ({"start": 0.5}, [50, 60]),
        ({"end": 0.8}, [10, 20, 30, 40, 50, 60]),  # lasts 0.75 s, shown to a person as 0.8 s
        ({"start": 0.375, "end": 3.0}, [40, 50, 60]),
        ({"start": 3.0, "end": 4.0}, [10, 20, 30, 40, 50, 60]),
        ({"backwards": True}, [60, 50, 40, 30, 20, 10]),
        ({"times": 2}, [10, 20, 30, 40, 50, 60] * 2),
        ({"speed": 2}, [20, 40, 60]),
        ({"speed": 0.5}, [10, 10, 20, 20, 30, 30, 40, 40, 50, 50, 60, 60]),
        ({"speed": 1.5}, [10, 30, 40, 60]),
        ({"end": 0.25, "backwards": True, "times": 2, "speed": 0.5}, [20, 20, 10, 10] * 2),
    ],
)
def test_whole_frames_are_kept_or_repeated(
    context: ToolContext, stored: Stored, asked: dict[str, Any], shown: list[int]
) -> None:
    clip = stored(levels(10, 20, 30, 40, 50, 60))
    made = cut(context, clip, **asked)
    assert seen(context, made) == shown
    assert (made.media.kind, made.media.fps, made.recipe.parents) == ("clip", clip.media.fps, (clip.sha256,))
    assert cut(context, clip, **asked) == made


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"end": 0.8}, []),
        ({"end": 1.0}, ["The clip lasts 0.75 s now, so it was cut as far as that."]),
        ({"start": 1.0}, ["The clip lasts 0.75 s now, so it was cut as far as that."]),
    ],
)
def test_a_clip_that_became_shorter_is_cut_as_far_as_it_goes(
    context: ToolContext, stored: Stored, asked: dict[str, Any], note: list[str]
) -> None:
    told: list[Any] = []
    clip = stored(levels(10, 20, 30, 40, 50, 60))
    cut_video(context, CutVideo(clip=clip.id, **asked), report=told.append)
    assert [each["note"] for each in told if "note" in each] == note


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"start": 0.75}, "Number 5 lasts 0.75 s; name times from 0 to that."),
        ({"end": 0.9}, "Number 5 lasts 0.75 s; name times from 0 to that."),
        ({"start": -1.0}, "name times from 0"),
        ({"end": float("nan")}, "name times from 0"),
        ({"end": float("inf")}, "name times from 0"),
        ({"start": 0.5, "end": 0.25}, "No whole frame of number 5"),
        ({"start": 0.25, "end": 0.26}, "a frame lasts 0.125 s"),
        ({"end": 0.75}, "changes nothing"),
        ({"end": 0.8}, "changes nothing"),  # 0.75 s are shown to a person as 0.8
        ({"speed": 1.0}, "changes nothing"),
        ({"speed": 0.0}, "0.1 to 10 times"),
        ({"speed": float("nan")}, "0.1 to 10 times"),
        ({"speed": 11.0}, "0.1 to 10 times"),
        ({"times": 0}, "1 to 100 times"),
        ({"times": 100}, "at most 10 s"),
    ],
)
def test_what_cannot_be_cut_is_one_sentence(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=r"^[A-Z][^\n]*[.]$") as error:
        edit_of(num_frames=6, rate=Fraction(8), most_frames=80, named="Number 5", **asked)
    assert told in str(error.value)


def test_an_edit_is_described_in_words() -> None:
    assert described_cut(start=0, end=1.5) == "trimmed to 0-1.5 s"
    assert described_cut(start=0.5, times=2) == "trimmed from 0.5 s on; played twice"
    assert described_cut(speed=0.5, backwards=True, times=3) == (
        "played at 0.5 times the speed; played backwards; played 3 times"
    )


def test_a_film_is_cut_through_its_clips_and_encoded_once(context: ToolContext, stored: Stored) -> None:
    one, two = stored(levels(20, 40, 60, 80)), stored(levels(120, 140, 160, 180), fps=4.0)
    film = assemble_film(context, AssembleFilm(clips=[one.id, two.id], fps=8.0, drop_first=frozenset({1}))).artifact
    trimmed = cut(context, film, start=0.125, end=1.0)
    back = cut(context, trimmed, backwards=True)
    assert seen(context, trimmed) == pytest.approx([40, 60, 80, 140, 140, 160, 160], abs=2)
    assert (back.media.kind, back.media.fps, back.parents) == ("film", 8.0, (trimmed.id,))
    once = io.BytesIO()
    encode_film(levels(160, 160, 140, 140, 80, 60, 40), once, width=SIZE, height=SIZE, fps=8.0)
    assert context.archive.read(back) == once.getvalue(), "it is encoded from the clips, not from a film"
    assert regenerate(context, "cut_film", back.recipe.spec, [trimmed]) == back


@pytest.fixture
def given(context: ToolContext, tmp_path: Path) -> Artifact:
    """A film of a person: its own frames are the only ones there are."""
    path = tmp_path / "given.mp4"
    noise = np.random.default_rng(1).integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8)
    encode_film(noise, path, width=SIZE, height=SIZE, fps=8.0)
    media = Media(kind="clip", media_type=MP4, width=SIZE, height=SIZE, num_frames=6, fps=8.0)
    recipe = Recipe(agent="upload", spec={"test": context.lender.identity("text_to_image").numerics})
    product = Produced(path.read_bytes(), media, ".mp4")
    return context.archive.make(context.lease, recipe, lambda: product).artifact


def test_a_film_of_a_person_stays_bit_for_bit_where_it_is_shown_whole(
    context: ToolContext, stored: Stored, given: Artifact
) -> None:
    notes: list[str] = []
    rest = stored(levels(120, 140, 160, 180))
    film = assemble_film(context, AssembleFilm(clips=[given.id, rest.id], fps=8.0)).artifact

    def hear(told: Any) -> None:
        notes.extend([told["note"]] if "note" in told else [])

    trimmed = cut_film(context, CutVideo(clip=film.id, end=1.0), report=hear).artifact
    assert trimmed.media.num_frames == 8
    assert holds(context.archive.path(trimmed), context.archive.path(given), begin=0)
    assert notes == ["1 clip stayed in the film as it was, bit for bit; only the rest was encoded."]
    twice = cut(context, cut(context, film, end=0.75), times=2)
    pictures = list(pictures_of(context.archive.path(given)))
    assert list(pictures_of(context.archive.path(twice))) == pictures * 2


def test_a_recipe_of_a_stranger_cannot_ask_for_more_than_fits(context: ToolContext, stored: Stored) -> None:
    clip = stored(levels(10, 20))
    for spec in ({"speed": "1/999999999"}, {"speed": "0"}, {"begin": 5}, {"times": 101}, {"begin": 1, "end": 1}):
        with pytest.raises(BadInput):
            regenerate(context, "cut_video", spec, [clip])


@pytest.mark.parametrize("wanted", [[2, 1, 0], [1, 1, 3], [3], [0, 2, 1, 3, 3]])
def test_frames_come_in_any_order_from_a_stream(wanted: list[int]) -> None:
    assert [int(frame[0, 0, 0]) for frame in in_order(iter(levels(0, 1, 2, 3)), wanted)] == wanted
