"""Layouts: cells, tracks that stop where the renderer's stop, and pictures that move as the renderer moves them."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from models.embedded import layout, world
from models.embedded.language import MOTIONS, Motion, Scenery
from models.training.embedded import samples


def places(motion: Motion, *, onward: bool, seed: int = 0) -> torch.Tensor:
    scenery, rng = Scenery("ball", "red", "sea", motion), np.random.default_rng(seed)
    where = world.onward(scenery, rng) if onward else world.track(scenery, rng)
    return torch.from_numpy(np.stack([where.x, where.y, where.radius], axis=1))


def test_bins_hold_what_lies_in_them() -> None:
    where = torch.stack([places(motion, onward=False, seed=seed)[0] for motion in MOTIONS for seed in range(20)])
    bins = layout.bins_of(where)
    again = layout.in_bins(bins, torch.full((len(bins), 3), 0.5))
    assert_close(layout.bins_of(again), bins)
    assert (again - where).abs()[:, :2].max() < 1 / layout.BINS[0]
    assert (again / where).log().abs()[:, 2].max() < 0.04


def test_only_likely_places_are_drawn() -> None:
    logits = torch.full((sum(layout.BINS),), -2.0)
    logits[[3, 4, 32 + 7, 64 + 5]] = 0.0
    source = torch.Generator().manual_seed(0)
    found = layout.bins_of(torch.cat([layout.draw(logits, source) for _ in range(200)]))
    assert set(found[:, 0].tolist()) == {3, 4}
    assert set(found[:, 1].tolist()) == {7}
    assert set(found[:, 2].tolist()) == {5}


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("onward", [False, True])
def test_a_track_goes_as_the_world_goes(motion: Motion, onward: bool) -> None:
    for seed in range(10):
        truth = places(motion, onward=onward, seed=seed)
        found = layout.track(truth[0], torch.tensor(world.change(motion)), len(truth))
        assert_close(found, truth, atol=1e-5, rtol=0)


def test_a_long_track_stays_in_the_frame() -> None:
    for motion in MOTIONS:
        where = layout.track(torch.tensor([0.3, 0.6, 0.15]), torch.tensor(world.change(motion)), 200)
        assert (where[:, :2] - where[:, 2:] >= 0).all()
        assert (where[:, :2] + where[:, 2:] <= 1).all()


def test_fields_say_the_way_to_the_centre() -> None:
    fields = layout.fields(torch.tensor([[0.53125, 0.28125, 0.125]]))
    assert fields.shape == (1, layout.FIELDS, 16, 16)
    assert_close(fields[0, :, 4, 8], torch.tensor([0.0, 0.0, 2.0, 1.0]))
    assert_close(fields[0, :, 4, 10], torch.tensor([1.0, 0.0, 1.0, 1.0]))
    assert fields[0, 2, 15, 0] == 0


def test_a_moved_picture_is_the_object_moved() -> None:
    moves = samples.moves(np.random.default_rng(1), 32)
    before, after = (torch.from_numpy(f).movedim(-1, 1).float() for f in (moves.before, moves.after))
    origin, target = torch.from_numpy(moves.origin), torch.from_numpy(moves.target)
    carried = layout.move(before, origin, target)
    cells = layout.object_cells(target)
    inside = (cells.repeat_interleave(4, 2).repeat_interleave(4, 3) > 0).expand_as(after)
    error = (carried - after)[inside].square().mean()
    assert error < 0.25 * (before - after)[inside].square().mean()
