"""Clips and films are written as films, GIFs, WebM and pictures, with the frames they were joined from."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from memory.archive import Archive
from memory.products.files import Produced
from memory.records import Artifact, Recipe, Request
from models.agent import Clip
from tools.assemble_film import AssembleFilm, assemble_film
from tools.context import ToolContext, clip_product
from tools.delivery.copies import film_of_clip, frames_shown, gif_of, write_converted
from tools.delivery.destinations import Destinations
from tools.delivery.places import Place, check_place, place_of, write_frames
from tools.errors import BadInput
from tools.media.animations import encode_gif, encode_webm
from tools.media.codecs import decode_image, encode_image
from tools.regenerate import regenerate

NOISE = np.random.default_rng(0).integers(0, 256, (7, 18, 32, 3), dtype=np.uint8)


@pytest.fixture
def context(tmp_path: Path) -> Any:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as archive:
        run = archive.create_run(Request(prompt="a fox"), settings={}, graph_version=1)
        with archive.hold(run.id) as lease:
            lender: Any = None
            yield ToolContext(lender, archive, lease, size=(32, 18), fps=8.0, num_frames=7)


@pytest.fixture
def clip(context: ToolContext) -> Artifact:
    def produce() -> Produced:
        return clip_product(Clip(NOISE, 8.0))

    return context.archive.make(context.lease, Recipe(agent="test"), produce).artifact


def test_an_animated_gif_lasts_as_long_as_the_clip() -> None:
    gif = encode_gif(iter(NOISE), Fraction(8))
    with Image.open(io.BytesIO(gif)) as image:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
        assert (image.size, image.info["loop"], sum(durations)) == ((32, 18), 0, 880)
    assert encode_gif(iter(NOISE), Fraction(8)) == gif
    with Image.open(io.BytesIO(encode_gif(iter(NOISE), Fraction(120)))) as image:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(image)] == [20, 20, 20]


def test_webm_has_every_frame_at_its_rate() -> None:
    webm = encode_webm(iter(NOISE), Fraction(24000, 1001), width=32, height=18)
    with av.open(io.BytesIO(webm)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.average_rate) == ("vp9", Fraction(24000, 1001))
        assert sum(1 for _ in container.decode(stream)) == 7
    assert encode_webm(iter(NOISE), Fraction(24000, 1001), width=32, height=18) == webm


def test_a_clip_as_a_film_is_what_joining_it_would_give(context: ToolContext, clip: Artifact) -> None:
    film, data = film_of_clip(context.archive, clip)
    stored = assemble_film(context, AssembleFilm(clips=[clip.id])).artifact
    assert (film.id, film.sha256, film.recipe, data) == (
        stored.id, stored.sha256, stored.recipe, context.archive.read(stored),
    )  # fmt: skip


def test_a_film_is_shown_by_the_frames_it_was_joined_from(context: ToolContext, clip: Artifact) -> None:
    film = assemble_film(context, AssembleFilm(clips=[clip.id, clip.id], fps=8.0)).artifact
    assert np.array_equal(np.stack(list(frames_shown(context.archive, film))), np.concatenate([NOISE, NOISE]))
    gif, data = gif_of(context.archive, film)
    again = regenerate(context, "gif", gif.recipe.spec, [film])
    assert (again.id, again.sha256, context.archive.read(again)) == (gif.id, gif.sha256, data)


def test_a_folder_of_pictures_is_written_whole_and_replaced_if_it_holds_nothing_else(
    context: ToolContext, clip: Artifact, tmp_path: Path
) -> None:
    place = check_place(f"{tmp_path / 'frames'}/")
    assert not place.path.exists()
    write_converted(context.archive, clip, place)
    found = sorted(place.path.iterdir())
    assert [path.name for path in found] == [f"frame-0000{number}.png" for number in range(1, 8)]
    assert np.array_equal(np.stack([decode_image(path.read_bytes()) for path in found]), NOISE)
    write_frames([encode_image(NOISE[0])], place.path)
    assert [path.name for path in place.path.iterdir()] == ["frame-00001.png"]
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".part", ".old")]


def test_a_folder_that_cannot_be_completed_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    write_frames([b"old"], folder)

    def pictures() -> Any:
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(BadInput, match="the disk is full"):
        write_frames(pictures(), folder)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"old"]
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_where_no_copy_can_go_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    (tmp_path / "file").touch()
    for name, told in (
        ("fox.avi", r"fox\.avi does not end in \.mp4, \.gif, \.webm or /; name the file fox\.mp4, or with a /"),
        ("fox", "does not end in"),
        ("mine/", "holds other files"),
        ("file/", "is a file"),
        ("missing/frames/", "no folder"),
        ("missing/fox.gif", "no folder"),
    ):
        with pytest.raises(BadInput, match=told):
            check_place(f"{tmp_path}/{name}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


def test_the_place_of_an_unfinished_run_is_remembered_with_its_ending(tmp_path: Path) -> None:
    destinations = Destinations(tmp_path / "destinations")
    destinations.remember("r", "frames/")
    assert place_of(str(destinations.of("r"))) == Place(Path("frames").absolute(), "/")
    destinations.remember("r", "fox.GIF")
    assert destinations.of("r") == str(Path("fox.GIF").absolute())
