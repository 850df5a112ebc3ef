from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from memory.errors import UnknownArtifact
from models.presets import MAX_SEED
from support.tools_at_once import as_tool
from tools.assemble_film import AssembleFilm, assemble_film
from tools.errors import BadInput
from tools.image_to_video import ImageToVideo, image_to_video, num_frames_of
from tools.media.codecs import decode_clip, decode_image, exact_rate, frames_of, probe
from tools.products.conform import retimed
from tools.text_to_image import TextToImage, text_to_image


def flat(colour, count=4, height=16, width=24):
    return np.full((count, height, width, 3), colour, np.uint8)


def test_a_picture_is_made_once_and_stored_without_loss(context):
    first = text_to_image(context, TextToImage(prompt="a fox"), seed=7)
    again = text_to_image(context, TextToImage(prompt="a fox"), seed=7)
    assert (first.called, again.called) == (True, False)
    assert context.lender.lent == ["text_to_image"]
    painted = np.random.default_rng(7).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    assert np.array_equal(decode_image(context.archive.read(first.artifact)), painted)


def test_everything_that_changes_a_picture_changes_its_recipe(context):
    base = text_to_image(context, TextToImage(prompt="a fox"), seed=7).artifact.recipe
    other_agent = replace(
        context, lender=type(context.lender)(known_as=replace(context.lender.known_as, weights="v" * 64))
    )
    fewer_steps = replace(context, image_sampling=replace(context.image_sampling, num_inference_steps=3))
    others = [
        text_to_image(context, TextToImage(prompt="a box"), seed=7),
        text_to_image(context, TextToImage(prompt="a fox"), seed=MAX_SEED),
        text_to_image(other_agent, TextToImage(prompt="a fox"), seed=7),
        text_to_image(fewer_steps, TextToImage(prompt="a fox"), seed=7),
    ]
    assert all(made.called for made in others)
    assert len({base.key, *(made.artifact.recipe.key for made in others)}) == 5
    assert "png" in base.numerics


def test_a_clip_begins_with_the_stored_picture_bit_for_bit(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    made = image_to_video(context, ImageToVideo(image=image.id, prompt="it runs"), seed=2)
    clip = decode_clip(context.archive.read(made.artifact))
    assert np.array_equal(clip.frames[0], decode_image(context.archive.read(image)))
    assert (len(clip.frames), clip.fps) == (context.num_frames, context.fps)
    assert made.artifact.parents == (image.id,)
    assert made.artifact.recipe.parents == (image.sha256,)
    assert probe(context.archive.path(made.artifact)) == made.artifact.media


def test_a_known_clip_borrows_no_agent(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    asked = ImageToVideo(image=image.id, prompt="it runs", seconds=0.5)
    first, again = image_to_video(context, asked, seed=2), image_to_video(context, asked, seed=2)
    assert first.artifact == again.artifact
    assert context.lender.lent == ["text_to_image", "image_to_video"]
    assert first.artifact.media.num_frames == 4


def test_a_picture_of_another_size_is_fitted_to_the_profile(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    made = image_to_video(replace(context, size=(16, 16)), ImageToVideo(image=image.id, prompt="it runs"), seed=2)
    assert (made.artifact.media.width, made.artifact.media.height) == (16, 16)


def test_seconds_become_frames(context):
    assert num_frames_of(context, None) == context.num_frames
    assert num_frames_of(context, 2.0) == 16
    assert num_frames_of(replace(context, fps=1.0), 0.5) == 2
    assert num_frames_of(replace(context, fps=23.976), 1.0) == 24


def test_arguments_out_of_bounds_are_refused():
    image = "image-0123456789abcdef"
    for wrong in (
        {"seconds": 0.4},
        {"seconds": 20.1},
        {"seconds": float("nan")},
        {"prompt": "  "},
        {"image": "fox.png"},
    ):
        with pytest.raises(ValidationError):
            ImageToVideo(**{"image": image, "prompt": "it runs", **wrong})
    with pytest.raises(ValidationError):
        TextToImage(prompt="a fox", steps=3)
    with pytest.raises(ValidationError):
        AssembleFilm(clips=[])


def test_a_wrong_product_is_told(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    clip = image_to_video(context, ImageToVideo(image=image.id, prompt="it runs"), seed=2).artifact
    with pytest.raises(BadInput, match="not an image"):
        image_to_video(context, ImageToVideo(image=clip.id, prompt="it runs"), seed=2)
    with pytest.raises(BadInput, match="not a clip"):
        assemble_film(context, AssembleFilm(clips=[image.id]))
    with pytest.raises(UnknownArtifact):
        assemble_film(context, AssembleFilm(clips=["clip-0000000000000000"]))


def test_a_film_shows_its_clips_in_order_with_hard_cuts(context, stored):
    red, blue = stored(flat((255, 0, 0))), stored(flat((0, 0, 255), count=3))
    made = assemble_film(context, AssembleFilm(clips=[red.id, blue.id, red.id]))
    shown = [int(frame.mean(axis=(0, 1)).argmax()) for frame in frames_of(context.archive.read(made.artifact))]
    assert shown == [0] * 4 + [2] * 3 + [0] * 4
    assert made.artifact.id.startswith("film-")
    assert made.artifact.parents == (red.id, blue.id, red.id)
    assert probe(context.archive.path(made.artifact)) == made.artifact.media
    assert assemble_film(context, AssembleFilm(clips=[red.id, blue.id, red.id])).called is False
    assert assemble_film(context, AssembleFilm(clips=[blue.id, red.id, red.id])).called is True


def test_clips_of_other_sizes_and_rates_follow_the_first(context, stored):
    first = stored(flat((255, 0, 0), count=8))
    faster = stored(flat((0, 0, 255), count=48, height=50, width=40), fps=24.0)
    media = assemble_film(context, AssembleFilm(clips=[first.id, faster.id])).artifact.media
    # One second at 8 and two at 24 are three seconds at 8.
    assert (media.width, media.height, media.fps, media.num_frames) == (24, 16, 8.0, 24)


@pytest.mark.parametrize(
    ("count", "own", "rate", "shown"),
    [
        (4, 8, 8, [0, 1, 2, 3]),
        (3, 8, 16, [0, 0, 1, 1, 2, 2]),
        (6, 24, 8, [1, 4]),
        (1, 24, 8, [0]),
        (5, 23.976, 24, [0, 1, 2, 3, 4]),
    ],
)
def test_another_rate_keeps_the_speed(count, own, rate, shown):
    assert list(retimed(iter(range(count)), count, exact_rate(own), exact_rate(rate))) == shown


def test_progress_says_stage_step_and_what_is_left(context):
    told = []
    report = told.append
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=5, report=report).artifact
    clip = image_to_video(context, ImageToVideo(image=image.id, prompt="it runs"), seed=2, report=report).artifact
    assemble_film(context, AssembleFilm(clips=[clip.id, clip.id]), report=report)
    assert [(line["stage"], line["step"], line["of"]) for line in told] == [
        ("text_to_image", 1, 2),
        ("text_to_image", 2, 2),
        ("image_to_video", 1, 1),
        ("assemble_film", 8, 10),
        ("assemble_film", 10, 10),
    ]
    assert all(line["frames_per_second"] > 0 and line["seconds_left"] >= 0 for line in told)
    assert told[1]["seconds_left"] == 0


class Cancelled(Exception):
    pass


def test_a_report_that_raises_stops_the_work_and_it_can_be_done_again(context, stored):
    def stop(told):
        raise Cancelled

    clip = stored(flat((255, 0, 0), count=20))
    with pytest.raises(Cancelled):
        text_to_image(context, TextToImage(prompt="a fox"), seed=1, report=stop)
    with pytest.raises(Cancelled):
        assemble_film(context, AssembleFilm(clips=[clip.id]), report=stop)
    assert text_to_image(context, TextToImage(prompt="a fox"), seed=1).called
    assert assemble_film(context, AssembleFilm(clips=[clip.id])).called


def test_a_planner_calls_the_verbs_and_gets_ids(context):
    image = as_tool("text_to_image", context, seed=3).invoke({"prompt": "a fox"})
    clip = as_tool("image_to_video", context, seed=3).invoke({"image": image, "prompt": "it runs", "seconds": 1})
    film = as_tool("assemble_film", context).invoke({"clips": [clip, clip]})
    assert [name.split("-")[0] for name in (image, clip, film)] == ["image", "clip", "film"]
    assert context.archive.artifact(film).media.num_frames == 16
    with pytest.raises(ValidationError):
        as_tool("image_to_video", context, seed=3).invoke({"image": image, "prompt": "it runs", "seconds": 100})


def test_a_planner_reads_what_a_verb_takes(context):
    tools = [as_tool(name, context) for name in ("text_to_image", "image_to_video", "assemble_film")]
    assert [tool.name for tool in tools] == ["text_to_image", "image_to_video", "assemble_film"]
    assert [sorted(tool.args) for tool in tools] == [
        ["prompt"],
        ["image", "prompt", "seconds"],
        ["clips", "drop_first", "drop_last", "fps"],
    ]
    assert all(len(tool.description) > 40 for tool in tools)
