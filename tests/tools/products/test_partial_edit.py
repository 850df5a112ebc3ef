"""An edit of a clip goes on at the frame, and within the frame at the step, where it was stopped."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from memory.products.bookmarks import Bookmarks
from tools.edit_video import EditVideo, edit_video
from tools.media.codecs import decode_clip
from tools.products.partial_edit import EditedFrames

WIDTH, HEIGHT = 24, 16
FRAMES = np.random.default_rng(0).integers(0, 256, (5, HEIGHT, WIDTH, 3), dtype=np.uint8)
KEY = "7" * 64


class Stop(Exception):
    """Somebody stopped the edit."""


@pytest.fixture
def keeping(context, tmp_path):
    """The studio, which keeps every step."""
    return replace(context, bookmarks=Bookmarks(tmp_path / "unfinished", 0).of)


@pytest.mark.parametrize("last", [1, 4, 5, 10])
def test_a_stopped_edit_goes_on_at_its_frame(keeping, stored, last, tmp_path):
    asked = EditVideo(clip=stored(FRAMES).id, instruction="make it blue")

    def stop(told):
        if told["step"] == last:
            raise Stop

    with pytest.raises(Stop):
        edit_video(keeping, asked, seed=9, report=stop)
    heard = []
    made = edit_video(keeping, asked, seed=9, report=lambda told: heard.append(told["step"]))
    # The painter of this studio takes two steps a frame and knows no bookmark: it begins its frame again.
    assert heard == list(range((last - 1) // 2 * 2 + 1, 11))
    assert np.array_equal(decode_clip(keeping.archive.read(made.artifact)).frames, FRAMES ^ 9)
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_frames_are_written_once(tmp_path):
    folder = Bookmarks(tmp_path, 0)
    edited = EditedFrames(folder.of(KEY), (WIDTH, HEIGHT))
    for frame in FRAMES[:3]:
        edited.add(frame)
    edited.save(b"steps of the fourth")
    sizes = sorted(path.stat().st_size for path in (tmp_path / KEY).iterdir())
    assert len(sizes) == 4
    assert sizes[-1] < 2 * FRAMES[0].nbytes
    again = EditedFrames(folder.of(KEY), (WIDTH, HEIGHT))
    assert np.array_equal(again.frames, FRAMES[:3])
    assert again.load() == b"steps of the fourth"
    again.add(FRAMES[3])
    assert again.load() is None


def test_without_a_bookmark_nothing_is_due():
    edited = EditedFrames(None, (WIDTH, HEIGHT))
    edited.add(FRAMES[0])
    edited.save(b"state")
    assert (edited.is_due(), edited.load(), len(edited.frames)) == (False, None, 1)


@pytest.mark.parametrize(
    "state",
    [
        b"nonsense",
        save({"other": FRAMES}),
        save({"frames": FRAMES[:, :8]}),
        save({"frames": FRAMES.astype(np.float32)}),
        save({"frames": FRAMES[:0]}),
    ],
)
def test_frames_that_are_none_of_this_clip_are_not_used(tmp_path, state):
    bookmark = Bookmarks(tmp_path, 0).of(KEY)
    bookmark.save(state, "frames-from-0")
    assert EditedFrames(bookmark, (WIDTH, HEIGHT)).frames == []
