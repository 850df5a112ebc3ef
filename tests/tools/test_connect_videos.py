import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from models.embedded.language import combinations
from models.embedded.world import render, track
from models.presets import MAX_SEED
from support.tools_at_once import as_tool
from tools.assemble_film import AssembleFilm, assemble_film
from tools.connect_videos import TRIES, ConnectVideos, connect_videos
from tools.errors import BadInput
from tools.media.codecs import decode_clip, frames_of, probe
from tools.media.continuity import MOST_JUMP, jump, steps
from tools.text_to_image import TextToImage, text_to_image


def brightening(levels, height=16, width=24):
    """Frames of one grey each: uint8 (T, H, W, 3)."""
    return np.stack([np.full((height, width, 3), level, np.uint8) for level in levels])


DARK, BRIGHT = brightening(range(10, 42, 2)), brightening(range(140, 172, 2))


def ends_of(context, made):
    frames = decode_clip(context.archive.read(made.artifact)).frames
    return int(frames[0].mean()), int(frames[-1].mean())


def test_steps_are_grey_levels_between_neighbours():
    assert steps(brightening([10, 12, 9])).tolist() == [2, 3]
    assert steps(brightening([10])).tolist() == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([10, 12, 14], [16, 18, 20], 1.0),
        ([10, 12, 14], [14, 16, 18], 0.0),
        ([10, 12, 14], [34, 36, 38], 10.0),
        ([50, 50, 50], [50, 50, 50], 0.0),
        ([50, 50, 50], [56, 56, 56], 6.0),
        ([10, 12, 14], [34, 54, 74], 1.0),
        ([50], [250], 200.0),
    ],
)
def test_a_jump_is_measured_against_the_usual_step(before, after, expected):
    assert jump(brightening(before), brightening(after)) == pytest.approx(expected)


@given(*(arrays(np.uint8, (3, 4, 4, 3), elements=some.integers(0, 255)) for _ in range(2)))
def test_a_jump_has_its_range_and_is_the_same_backwards(before, after):
    size = jump(before, after)
    assert 0 <= size <= 255
    assert jump(after[::-1], before[::-1]) == pytest.approx(size)


def world_clip(scenery, rng):
    return render(scenery, track(scenery, rng))


def test_the_bound_stands_between_fades_and_cuts_of_the_world():
    rng, every = np.random.default_rng(0), list(combinations())
    faded, cut, within = [], [], []
    for _ in range(60):
        one, two = (every[rng.integers(len(every))] for _ in range(2))
        before, after, again = world_clip(one, rng), world_clip(two, rng), world_clip(one, rng)
        share = np.linspace(0, 1, 16)[:, None, None, None]
        way = np.rint((1 - share) * before[-1] + share * after[0]).astype(np.uint8)
        faded.append(max(jump(before, way[1:]), jump(way[:-1], after)))
        within.append(jump(before, again))
        if one.scene != two.scene:
            cut.append(jump(before, after))
    assert max(faded) < MOST_JUMP / 2
    assert min(cut) > 5 * MOST_JUMP
    # An object that happens to be near its old place does not jump.
    assert np.mean(np.array(within) > MOST_JUMP) > 0.85


def test_a_transition_leads_from_the_last_frame_to_the_first(context, stored):
    dark, bright = stored(DARK), stored(BRIGHT)
    told = []
    asked = ConnectVideos(before=dark.id, after=bright.id, seconds=5.0)
    found = connect_videos(context, asked, seed=3, report=told.append)
    assert ends_of(context, found.made) == (40, 140)
    assert (found.made.artifact.media.num_frames, found.tries, found.note) == (40, 1, None)
    assert found.jump <= MOST_JUMP
    assert [line["jump"] for line in told if "try" in line] == [found.jump]
    assert not connect_videos(context, asked, seed=3).made.called
    assert context.lender.lent == ["connect_videos"]
    ends = [context.archive.artifact(id) for id in found.made.artifact.parents]
    assert [end.parents for end in ends] == [(dark.id,), (bright.id,)]


def test_a_jump_is_tried_again_until_it_is_smooth(context, stored):
    context.lender.off.update({3: 60, 4: 0})
    told = []
    asked = ConnectVideos(before=stored(DARK).id, after=stored(BRIGHT).id)
    found = connect_videos(context, asked, seed=3, report=told.append)
    assert (found.tries, found.made.artifact.recipe.spec["seed"], found.note) == (2, 4, None)
    assert not any("note" in line for line in told)


def test_the_best_of_three_is_kept_and_the_person_is_told(context, stored):
    context.lender.off.update({MAX_SEED: 90, 0: 70, 1: 80})
    told = []
    asked = ConnectVideos(before=stored(DARK).id, after=stored(BRIGHT).id)
    found = connect_videos(context, asked, seed=MAX_SEED, report=told.append)
    assert (found.tries, found.made.artifact.recipe.spec["seed"]) == (TRIES, 0)
    assert found.jump > MOST_JUMP
    assert found.note == told[-1]["note"]
    assert f"{found.jump:.1f} times" in found.note
    assert connect_videos(context, asked, seed=MAX_SEED).made.called is False
    assert context.lender.lent == ["connect_videos"] * TRIES


def test_no_try_is_made_twice_after_a_crash(context, stored):
    class Killed(Exception):
        pass

    def dies(told):
        if told.get("try") == 2:
            raise Killed

    context.lender.off.update({3: 60, 4: 60, 5: 60})
    asked = ConnectVideos(before=stored(DARK).id, after=stored(BRIGHT).id)
    with pytest.raises(Killed):
        connect_videos(context, asked, seed=3, report=dies)
    found = connect_videos(context, asked, seed=3)
    assert (found.tries, found.made.called) == (3, True)
    assert context.lender.lent == ["connect_videos"] * 3


def test_clips_of_any_size_and_rate_are_connected(context, stored):
    fast = stored(brightening(range(10, 82), height=50, width=40), fps=60.0)
    still = stored(brightening([200]), fps=1.0)
    found = connect_videos(context, ConnectVideos(before=fast.id, after=still.id, seconds=20.0), seed=3)
    media = found.made.artifact.media
    assert ((media.width, media.height), media.fps, media.num_frames) == (context.size, context.fps, 160)
    assert ends_of(context, found.made) == (81, 200)
    film = assemble_film(context, AssembleFilm(clips=[fast.id, still.id])).artifact
    assert connect_videos(context, ConnectVideos(before=film.id, after=fast.id), seed=3).made.called


def test_there_is_something_between_the_ends(context, stored):
    found = connect_videos(context, ConnectVideos(before=stored(DARK).id, after=stored(BRIGHT).id, seconds=0.5), seed=3)
    assert found.made.artifact.media.num_frames == 4
    still = ConnectVideos(before=stored(DARK).id, after=stored(DARK).id, seconds=0.5)
    assert connect_videos(context, still, seed=3).made.artifact.media.num_frames >= 3


def test_a_picture_is_not_connected(context, stored):
    image = text_to_image(context, TextToImage(prompt="a fox"), seed=1).artifact
    with pytest.raises(BadInput, match="not a clip"):
        connect_videos(context, ConnectVideos(before=stored(DARK).id, after=image.id), seed=3)


def shown_levels(context, made):
    return [round(float(frame.mean())) for frame in frames_of(context.archive.read(made.artifact))]


def test_a_film_shows_joint_frames_once(context, stored):
    one, way, two = (stored(brightening(levels)) for levels in ([10, 40], [40, 80, 120], [120, 160]))
    asked = AssembleFilm(clips=[one.id, way.id, two.id], drop_first=[1], drop_last=[1])
    made = assemble_film(context, asked)
    assert shown_levels(context, made) == pytest.approx([10, 40, 80, 120, 160], abs=2)
    assert probe(context.archive.path(made.artifact)) == made.artifact.media
    keys = {
        assemble_film(context, AssembleFilm(clips=asked.clips, drop_first=first, drop_last=last)).artifact.recipe.key
        for first, last in [([1], [1]), ([1], []), ([], [1]), ([], []), ([1, 2], [])]
    }
    assert len(keys) == 5


def test_what_is_left_of_a_clip_keeps_its_speed(context, stored):
    first = stored(brightening([10, 10]))
    fast = stored(brightening([200, *[60] * 24, 200]), fps=24.0)
    asked = AssembleFilm(clips=[first.id, fast.id], drop_first=[1], drop_last=[1])
    assert shown_levels(context, assemble_film(context, asked)) == pytest.approx([10] * 2 + [60] * 8, abs=2)


def test_a_clip_twice_in_a_film_is_shown_as_asked_each_time(context, stored):
    clip = stored(brightening([20, 80, 140]))
    made = assemble_film(context, AssembleFilm(clips=[clip.id, clip.id], drop_first=[1]))
    assert shown_levels(context, made) == pytest.approx([20, 80, 140, 80, 140], abs=2)


def test_what_cannot_be_left_out_is_told(context, stored):
    short = stored(brightening([20]))
    with pytest.raises(BadInput, match="would lose them all"):
        assemble_film(context, AssembleFilm(clips=[short.id], drop_last=[0]))
    for wrong in ({"drop_first": [1]}, {"drop_last": [-1]}, {"drop_first": [True]}, {"drop_first": [0.5]}):
        with pytest.raises(ValidationError):
            AssembleFilm(clips=[short.id], **wrong)


def test_a_planner_connects_and_joins(context, stored):
    tool = as_tool("connect_videos", context, seed=3)
    dark, bright = stored(DARK), stored(BRIGHT)
    way = tool.invoke({"before": dark.id, "after": bright.id, "seconds": 2})
    assert context.archive.artifact(way).media.num_frames == 16
    assert (tool.name, sorted(tool.args)) == ("connect_videos", ["after", "before", "seconds"])
    assert len(tool.description) > 40
