import io

import numpy as np
import pytest
from PIL import Image

from tools.context import sheet_frames
from tools.image_to_video import ImageToVideo, image_to_video
from tools.media.codecs import decode_image
from tools.media.contact_sheet import frame_sheet
from tools.products.inspection import degenerate, inspect
from tools.text_to_image import TextToImage, text_to_image


def scene(count: int = 6, step: int = 2) -> np.ndarray:
    """A square of 8 pixels that moves `step` pixels a frame over two grounds."""
    frames = np.full((count, 64, 64, 3), (90, 140, 220), np.uint8)
    frames[:, 40:] = (60, 160, 60)
    for index, frame in enumerate(frames):
        frame[20:28, 10 + index * step : 18 + index * step] = (220, 40, 40)
    return frames


def test_a_film_that_moves_is_one():
    assert degenerate(scene(), motion_expected=True) is None
    assert degenerate(scene(step=1), motion_expected=True) is None


def test_a_film_that_stands_still_is_told_only_when_motion_was_asked():
    assert degenerate(scene(step=0), motion_expected=False) is None
    assert "nothing moves" in degenerate(scene(step=0), motion_expected=True)


def test_the_noise_of_one_grey_level_in_a_few_pixels_is_no_motion():
    frames = scene(step=0)
    frames[1:, :2] += 1
    assert "nothing moves" in degenerate(frames, motion_expected=True)


@pytest.mark.parametrize("colour", [(255, 0, 0), (128, 128, 128), (255, 255, 255)])
def test_one_colour_is_no_picture(colour):
    frames = np.full((3, 16, 16, 3), colour, np.uint8)
    frames[:, ::2] ^= 1
    assert "one colour" in degenerate(frames, motion_expected=False)


def test_black_is_no_picture_and_night_is_one():
    assert "black" in degenerate(np.zeros((1, 16, 16, 3), np.uint8), motion_expected=False)
    night = np.full((1, 64, 64, 3), (8, 8, 28), np.uint8)
    night[0, 30:36, 30:36] = (230, 220, 90)
    assert degenerate(night, motion_expected=False) is None


def test_a_film_that_collapses_after_its_beginning_is_told():
    frames = scene(count=10)
    frames[3:] = 0
    assert "7 of 10 frames are black" in degenerate(frames, motion_expected=True)
    frames = scene(count=10)
    frames[8:] = 0
    assert degenerate(frames, motion_expected=True) is None


def test_a_stored_product_is_judged(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    clip = image_to_video(context, ImageToVideo(image=image.id, prompt="it runs"), seed=2).artifact
    for artifact in (image, clip):
        verdict = inspect(context, artifact, motion_expected=True)
        assert (verdict.artifact, verdict.ok, verdict.judge) == (artifact.id, True, "inspection")


def test_a_sheet_enlarges_small_frames_and_keeps_their_pixels():
    frames = scene(count=6)
    sheet = decode_image(frame_sheet(frames, 8, columns=3))
    tile_width, tile_height = 192 + 4, 192 + 16 + 4
    assert sheet.shape == (2 * tile_height + 4, 3 * tile_width + 4, 3)
    second_row = sheet[4 + tile_height :, 4:][:192:3, :192:3]
    assert np.array_equal(second_row, frames[3])


def test_a_sheet_shrinks_large_frames_and_labels_times():
    frames = np.zeros((2, 300, 900, 3), np.uint8)
    sheet = decode_image(frame_sheet(frames, 8))
    assert sheet.shape == (107 + 16 + 8, 2 * 324 + 4, 3)
    label = sheet[4 + 107 + 2 : 4 + 107 + 14, 4:60]
    assert label.min() < 120


def test_a_picture_has_a_sheet_without_time():
    sheet = decode_image(frame_sheet(np.zeros((1, 64, 64, 3), np.uint8), None))
    assert sheet[4 + 192 :].min() > 240


def test_a_sheet_names_the_places_that_frames_had():
    frames = scene(count=2)
    assert frame_sheet(frames, 8, indices=[0, 40]) != frame_sheet(frames, 8)
    assert Image.open(io.BytesIO(frame_sheet(frames, 8))).format == "PNG"


def test_a_long_product_is_looked_at_in_few_frames(context):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    clip = image_to_video(context, ImageToVideo(image=image.id, prompt="it runs", seconds=3), seed=2).artifact
    frames, indices = sheet_frames(context.archive, clip, 4)
    assert indices == [0, 8, 15, 23]
    first = decode_image(context.archive.read(image))
    assert np.array_equal(frames[1], np.roll(first, 8, axis=1))
    assert sheet_frames(context.archive, image)[0].shape == (1, 16, 24, 3)
