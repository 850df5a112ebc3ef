from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from support.tools_at_once import as_tool
from tools.edit_image import EditImage, edit_image
from tools.edit_video import MOST_FRAMES, EditVideo, edit_video
from tools.errors import BadInput
from tools.extend_video import ExtendVideo, extend_video, turned
from tools.media.codecs import decode_clip, decode_image
from tools.products.conform import edge_picture
from tools.text_to_image import TextToImage, text_to_image


def noise(count=4, height=16, width=24, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def frames_of(context, made):
    return decode_clip(context.archive.read(made.artifact)).frames


def picture_of(context, artifact):
    return decode_image(context.archive.read(artifact))


def test_a_picture_is_changed_once_and_its_lineage_kept(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    asked = EditImage(image=image.id, instruction="make it red")
    first, again = edit_image(context, asked, seed=7), edit_image(context, asked, seed=7)
    assert (first.called, again.called, first.artifact) == (True, False, again.artifact)
    assert np.array_equal(picture_of(context, first.artifact), picture_of(context, image) ^ 7)
    assert first.artifact.parents == (image.id,)
    assert first.artifact.recipe.parents == (image.sha256,)


def test_everything_that_changes_an_edit_changes_its_recipe(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    other = text_to_image(context, TextToImage(prompt="a fox"), seed=2).artifact
    fewer_steps = replace(context, edit_sampling=replace(context.edit_sampling, num_inference_steps=3))
    closer = replace(context, edit_sampling=replace(context.edit_sampling, image_guidance_scale=1.8))
    keys = {
        edit_image(room, EditImage(image=given.id, instruction=words), seed=seed).artifact.recipe.key
        for room, given, words, seed in [
            (context, image, "make it red", 7),
            (context, image, "make it blue", 7),
            (context, image, "make it red", 8),
            (context, other, "make it red", 7),
            (replace(context, size=(16, 16)), image, "make it red", 7),
            (fewer_steps, image, "make it red", 7),
            (closer, image, "make it red", 7),
        ]
    }
    assert len(keys) == 7


def test_an_edited_picture_has_the_size_of_the_profile(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    made = edit_image(replace(context, size=(8, 12)), EditImage(image=image.id, instruction="make it red"), seed=7)
    assert (made.artifact.media.width, made.artifact.media.height) == (8, 12)


def test_an_extension_begins_with_the_last_frame_and_adds_what_was_asked(context, stored):
    shown = noise()
    made = extend_video(context, ExtendVideo(clip=stored(shown).id, prompt="it runs", seconds=1.5), seed=2)
    new = frames_of(context, made)
    assert np.array_equal(new[0], shown[-1])
    assert len(new) == 1 + 12
    whole = extend_video(context, ExtendVideo(clip=stored(shown).id, prompt="it runs"), seed=2)
    assert len(frames_of(context, whole)) == context.num_frames


def test_an_extension_before_a_clip_ends_with_its_first_frame(context, stored):
    shown = noise()
    asked = ExtendVideo(clip=stored(shown).id, prompt="it moves left", before=True)
    made = extend_video(context, asked, seed=2)
    new = frames_of(context, made)
    # The agent rolls to the right what it is given; backwards that is a roll to the left, up to the first frame.
    assert np.array_equal(new[-1], shown[0])
    assert np.array_equal(new[-2], np.roll(shown[0], 1, axis=1))
    forwards = context.archive.artifact(made.artifact.parents[0])
    assert forwards.recipe.spec["prompt"] == "it moves right"
    assert made.called
    assert not extend_video(context, asked, seed=2).called
    assert context.lender.lent == ["image_to_video"]


@pytest.mark.parametrize(
    ("said", "backwards"),
    [
        ("it moves left", "it moves right"),
        (
            "a red ball moves up in the night in digital world style",
            "a red ball moves down in the night in digital world style",
        ),
        ("it grows", "it shrinks"),
        ("it shrinks", "it grows"),
        ("it stays still", "it stays still"),
        ("a fox left its den", "a fox left its den"),
    ],
)
def test_a_motion_is_turned_round(said, backwards):
    assert turned(said) == backwards
    assert turned(backwards) == said


def test_the_edge_of_a_clip_is_a_picture_of_the_profiles_size(context, stored):
    clip = stored(noise(height=50, width=40))
    first, last = edge_picture(context, clip, "first"), edge_picture(context, clip, "last")
    assert first.id != last.id
    assert (first.media.kind, first.media.width, first.media.height) == ("image", *context.size)
    assert first.parents == (clip.id,)
    assert edge_picture(context, clip, "first").id == first.id


def test_an_edited_clip_keeps_its_motion_frame_by_frame(context, stored):
    shown = noise(count=3)
    clip, told = stored(shown, fps=24.0), []
    asked = EditVideo(clip=clip.id, instruction="make it red")
    made = edit_video(context, asked, seed=7, report=told.append)
    assert np.array_equal(frames_of(context, made), shown ^ 7)
    assert (made.artifact.media.fps, made.artifact.parents) == (24.0, (clip.id,))
    assert [(line["stage"], line["step"], line["of"]) for line in told] == [("edit_video", k, 6) for k in range(1, 7)]
    assert not edit_video(context, asked, seed=7).called
    assert context.lender.lent == ["edit_image"]


def test_an_edited_clip_with_a_new_motion_starts_at_the_edited_first_frame(context, stored):
    shown = noise(count=48)
    asked = EditVideo(clip=stored(shown, fps=24.0).id, instruction="make it red", motion="new", prompt="it runs")
    made = edit_video(context, asked, seed=7)
    new = frames_of(context, made)
    # Two seconds at 24 frames are two at the profile's 8.
    assert (len(new), made.artifact.media.fps) == (16, context.fps)
    assert np.array_equal(new[0], shown[0] ^ 7)
    assert not edit_video(context, asked, seed=7).called
    assert context.lender.lent == ["edit_image", "image_to_video"]


def test_what_cannot_be_edited_or_extended_is_told(context, stored):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    clip = stored(noise())
    long = stored(np.zeros((MOST_FRAMES + 1, 2, 2, 3), np.uint8))
    with pytest.raises(BadInput, match="not an image"):
        edit_image(context, EditImage(image=clip.id, instruction="make it red"), seed=1)
    with pytest.raises(BadInput, match="not a clip"):
        edit_video(context, EditVideo(clip=image.id, instruction="make it red"), seed=1)
    with pytest.raises(BadInput, match="not a clip"):
        extend_video(context, ExtendVideo(clip=image.id, prompt="it runs"), seed=1)
    with pytest.raises(BadInput, match="2401 frames"):
        edit_video(context, EditVideo(clip=long.id, instruction="make it red"), seed=1)
    with pytest.raises(ValidationError, match="a new motion needs a prompt"):
        EditVideo(clip=clip.id, instruction="make it red", motion="new")


def test_a_planner_calls_them_and_gets_ids(context, stored):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact.id
    tools = [as_tool(name, context, seed=3) for name in ("edit_image", "extend_video", "edit_video")]
    edited = tools[0].invoke({"image": image, "instruction": "make it red"})
    longer = tools[1].invoke({"clip": stored(noise()).id, "prompt": "it runs", "seconds": 0.5, "before": True})
    other = tools[2].invoke({"clip": longer, "instruction": "make it red"})
    assert [name.split("-")[0] for name in (edited, longer, other)] == ["image", "clip", "clip"]
    assert [tool.name for tool in tools] == ["edit_image", "extend_video", "edit_video"]
    assert [sorted(tool.args) for tool in tools] == [
        ["image", "instruction"],
        ["before", "clip", "prompt", "seconds"],
        ["clip", "instruction", "motion", "prompt"],
    ]
    assert all(len(tool.description) > 40 for tool in tools)
