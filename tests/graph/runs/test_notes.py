"""What a person is told of words that were read otherwise, or not at all, and of numbers and files that do not fit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graph.english.wish import read_wish
from graph.errors import RequestError
from graph.planning.brief import Brief, GivenClip
from graph.runs.requests.options import GivenFiles, RequestOptions, check
from graph.runs.requests.resolve import request_with_files
from graph.state.bounds import plain
from models.embedded.familiar import is_of_the_world
from models.embedded.language import SCENES, Scenery
from models.embedded.world import render, track
from tools.media.codecs import encode_film, encode_image

CLIP = (GivenClip(id="clip-0123456789abcdef", width=64, height=64, seconds=2.0),)


def refusal(wish: str, *, clip: bool = False) -> str:
    read = read_wish(Brief(prompt=wish, clips=CLIP if clip else ()))
    assert read.impossible is not None
    assert read.impossible.endswith(".")
    return read.impossible


def notes(wish: str, *, clip: bool = False) -> list[str]:
    read = read_wish(Brief(prompt=wish, clips=CLIP if clip else ()))
    assert read.impossible is None
    return list(read.notes)


def test_all_that_the_world_has_not_is_told_in_one_sentence() -> None:
    assert refusal("a zorp rolls through the vrimble").startswith("The embedded world has no zorp or vrimble; it has ")
    told = refusal("a pink cat jumps in the city")
    assert told.startswith(
        "The embedded world has no pink, cat or city, and nothing in it does `jumps`; it has a ball,"
    )
    for words in ("its colours are red", "its scenes are the meadow", "moves right", "purple to pink", "a ball to cat"):
        assert words in told
    assert told.count(".") == 1


def test_what_is_to_become_of_a_clip_is_told_the_same_way() -> None:
    told = refusal("make it pink and put it in the city", clip=True)
    assert told.startswith("The embedded world has no pink or city; its colours are ")


def test_one_thing_alone_is_told_as_ever() -> None:
    assert refusal("a dragon").startswith("The embedded world has no dragon; it has a ball, ")
    assert refusal("make it jump").startswith("Nothing in the embedded world does `jump`; a thing there moves right")
    assert "place called vrimble" in refusal("a ball rolls through the vrimble")


def test_a_wish_with_more_strange_words_than_anybody_reads_ends() -> None:
    places = ("city", "town", "forest", "jungle", "castle", "cave", "volcano", "island")
    told = refusal(", then ".join(f"a ball rolls right in the {place}" for place in places))
    assert 3 < sum(place in told.split(";")[0] for place in places) < len(places)


def test_words_that_nobody_knows_are_noted_together() -> None:
    (note,) = (
        each for each in notes("a red ball moves right over the snow quickly, it glimbs, it vorps") if "did not" in each
    )
    assert note == "I did not understand `glimbs` and `vorps`."
    (note,) = (each for each in notes("a red ball moves right over the snow, it glimbs") if "did not" in each)
    assert note == "I did not understand `glimbs`."


def test_a_place_that_is_shown_as_another_is_told() -> None:
    told = notes("a red ball moves right on the beach, then it moves left in a lake")
    assert "The embedded world has no beach; it is shown as the desert." in told
    assert "The embedded world has no lake; it is shown as the sea." in told
    assert notes("put it on the beach", clip=True)[-1] == "The embedded world has no beach; it is shown as the desert."
    for scene in ("desert", "sand", "ocean", "grass", "ice"):
        assert not any("has no" in note for note in notes(f"a red ball moves right in the {scene}"))


def test_a_place_that_is_not_shown_is_not_told() -> None:
    assert not any("has no" in note for note in notes("a red ball moves right in the snow, not on the beach"))


def test_connecting_is_heard_as_a_word() -> None:
    for wish in ("connect it", "joining please"):
        assert refusal(wish, clip=True).startswith("Connecting takes two clips")
    for wish in ("disconnected please", "adjoining rooms"):
        assert refusal(wish, clip=True).startswith("Say what becomes of the clip")


@pytest.mark.parametrize(
    ("number", "said"),
    [(1e6, "1,000,000"), (0.25, "0.25"), (160.0, "160"), (1234.5, "1,234.5"), (0.0, "0"), (1e300, "1e+300")],
)
def test_numbers_are_said_plainly(number: float, said: str) -> None:
    assert plain(number) == said


def test_a_length_that_cannot_be_is_said_as_a_person_writes_it() -> None:
    with pytest.raises(RequestError, match="cannot last 1,000,000 seconds"):
        check(RequestOptions(prompt="a red ball", seconds=1e6))
    assert "1,000,000 seconds" in refusal("a red ball moves right in the snow for 1000000 seconds")


def world(scene: str, *, digital: bool = False, seed: int = 0) -> np.ndarray:
    scenery = Scenery("ball", "red", scene, "moves right", digital)  # type: ignore[arg-type]
    return render(scenery, track(scenery, np.random.default_rng(seed)))


@pytest.mark.parametrize("scene", SCENES)
def test_pictures_of_the_world_are_known(scene: str) -> None:
    for digital in (False, True):
        assert is_of_the_world(world(scene, digital=digital)[3])


def test_other_pictures_are_not_of_the_world() -> None:
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    for pixels in (
        random.integers(0, 256, (64, 64, 3), dtype=np.uint8),
        np.full((64, 64, 3), 128, np.uint8),
        np.broadcast_to(ramp[:, None, None], (64, 64, 3)),
        world("sea")[0][::-1],
        world("sea")[0][:32],
    ):
        assert not is_of_the_world(np.ascontiguousarray(pixels))


def test_files_that_are_not_of_the_world_are_told(tmp_path: Path) -> None:
    (tmp_path / "sea.png").write_bytes(encode_image(world("sea")[0]))
    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "noise.png")
    encode_film(iter(world("snow")), tmp_path / "snow.mp4", width=64, height=64, fps=8)
    encode_film(iter(255 - world("snow")), tmp_path / "other.mp4", width=64, height=64, fps=8)
    for given, whose in (
        ({"images": ["sea.png"]}, None),
        ({"images": ["noise.png"]}, "your picture is not of it"),
        ({"images": ["noise.png", "sea.png"]}, "1 of your 2 pictures is not of it"),
        ({"videos": ["snow.mp4"]}, None),
        ({"videos": ["other.mp4"]}, "your clip is not of it"),
    ):
        files = GivenFiles(**{kind: tuple(tmp_path / name for name in names) for kind, names in given.items()})
        for profile in ("embedded", "paper"):
            options, usual = RequestOptions(prompt="it moves right"), RequestOptions(profile=profile)
            _, uploads = request_with_files(options, files, usual, size=(64, 64))
            told = [note for note in uploads.notes if "small world" in note]
            assert [whose in note for note in told] == [True] * (whose is not None and profile == "embedded")
