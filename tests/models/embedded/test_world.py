"""The renderer and the split: what training may see, and whether it is drawn as the specification says."""

import numpy as np
import pytest

from models.embedded import world
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES, VOCABULARY, Edit, Scenery, combinations
from models.training.embedded import samples


def test_a_fifth_is_held_out_and_every_value_is_seen() -> None:
    seen, held = list(combinations(held_out=False)), list(combinations(held_out=True))
    assert len(seen) + len(held) == len(OBJECTS) * len(COLOURS) * len(SCENES) * len(MOTIONS)
    assert 0.18 < len(held) / (len(seen) + len(held)) < 0.22
    for kind, values in (("object", OBJECTS), ("colour", COLOURS), ("scene", SCENES), ("motion", MOTIONS)):
        assert {getattr(s, kind) for s in seen} == set(values)


def test_no_sample_is_held_out() -> None:
    rng = np.random.default_rng(3)
    drawn = [samples.scenery(rng) for _ in range(500)]
    assert not any(s.held_out for s in drawn)
    assert 0.15 < np.mean([s.digital for s in drawn]) < 0.35


@pytest.mark.parametrize("scenery", [s for i, s in enumerate(combinations()) if i % 41 == 0])
def test_the_object_stays_inside_and_has_its_colour(scenery: Scenery) -> None:
    for seed in range(5):
        where = world.track(scenery, np.random.default_rng(seed))
        assert (where.x - where.radius > 0).all() and (where.x + where.radius < 1).all()
        assert (where.y - where.radius > 0).all() and (where.y + where.radius < 1).all()
        frames = world.render(scenery, where)
        assert frames.shape == (16, 64, 64, 3)
        for k in (0, 15):
            centre = frames[k, int(where.y[k] * 64), int(where.x[k] * 64)]
            assert np.array_equal(centre, world.COLOUR_RGB[scenery.colour])


def test_motions_are_what_they_are_called() -> None:
    rng = np.random.default_rng(0)
    right = world.track(Scenery("ball", "red", "sea", "moves right"), rng)
    assert right.x[-1] - right.x[0] == pytest.approx(world.TRAVEL, abs=1e-6)
    assert np.ptp(np.diff(right.x)) < 1e-6
    grows = world.track(Scenery("ball", "red", "sea", "grows"), rng)
    assert grows.radius[-1] / grows.radius[0] == pytest.approx(world.GROWTH, abs=1e-5)
    assert world.RADIUS[0] <= np.sqrt(grows.radius[0] * grows.radius[-1]) <= world.RADIUS[1]


def test_a_second_segment_stops_at_the_border() -> None:
    for seed in range(50):
        where = world.onward(Scenery("star", "blue", "night", "moves left"), np.random.default_rng(seed))
        assert (where.x - where.radius >= -1e-6).all()
        assert (np.diff(where.x) <= 1e-6).all()


def test_digital_style_is_blocks_of_one_colour() -> None:
    scenery = Scenery("triangle", "purple", "meadow", "moves up", digital=True)
    frames = world.render(scenery, world.track(scenery, np.random.default_rng(0)))
    blocks = frames.reshape(16, 32, 2, 32, 2, 3)
    assert (np.ptp(blocks, axis=(2, 4)) == 0).all()


def test_every_sentence_is_in_the_vocabulary() -> None:
    words = {word for s in combinations(digital=True) for word in s.sentence.split()}
    assert words <= set(VOCABULARY)


def test_samples_are_the_same_for_the_same_seed() -> None:
    for draw in (samples.moves, samples.edits, samples.transitions):
        first, again = (draw(np.random.default_rng(7), 3) for _ in range(2))
        assert np.array_equal(first.after, again.after)
        assert not np.array_equal(first.before, first.after)
    assert samples.crops(np.random.default_rng(0), 4).shape == (4, 32, 32, 3)


@pytest.mark.parametrize("edit", [Edit(colour="blue"), Edit(object="star", scene="night"), Edit(digital=True)])
def test_an_edit_is_told_in_the_vocabulary_and_changes_what_it_names(edit: Edit) -> None:
    assert set(edit.instruction.split()) <= set(VOCABULARY)
    changed = edit.applied(Scenery("ball", "red", "snow", "grows"))
    assert changed.motion == "grows"
    assert changed.colour == (edit.colour or "red")
    assert changed.object == (edit.object or "ball")
    assert changed.scene == (edit.scene or "snow")
    assert changed.digital == edit.digital


def test_a_transition_begins_and_ends_as_the_world_draws_it() -> None:
    before, after = Scenery("ball", "red", "snow", "grows"), Scenery("star", "blue", "night", "grows")
    origin, end = np.array([0.3, 0.4, 0.15], np.float32), np.array([0.6, 0.5, 0.2], np.float32)
    for scenery, where, share in ((before, origin, 0.0), (after, end, 1.0)):
        still = world.render(scenery, world.Track(*(where[i : i + 1] for i in range(3))))[0]
        assert np.abs(world.transition(before, after, origin, end, share).astype(int) - still).max() <= 1
    middle = world.transition(before, after, origin, end, 0.5)
    purple = np.all(np.abs(middle.astype(int) - (135, 50, 132)) < 12, axis=-1)
    rows, columns = np.nonzero(purple)
    assert (columns.mean() / 64, rows.mean() / 64) == pytest.approx((0.45, 0.45), abs=0.02)
