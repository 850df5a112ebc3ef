from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from models.agent import UInt8Array
from models.embedded.language import COLOURS, OBJECTS, SCENES, Object, Scene, Scenery, combinations
from models.embedded.oracle import Observation, look
from models.embedded.world import Track, background, coverage, onward, render, track

Spoil = Callable[[UInt8Array, np.random.Generator], UInt8Array]
ATTRIBUTES = ("object", "colour", "scene", "motion", "digital")
PLAIN = Scenery("ball", "red", "meadow", "moves right")
STILL = replace(PLAIN, motion="stays still")


def every(digital: bool | None = None) -> list[Scenery]:
    """All combinations; alternately natural and digital where `digital` is None."""
    every_one = combinations(digital=bool(digital))
    return [replace(s, digital=bool(i % 2)) if digital is None else s for i, s in enumerate(every_one)]


def mistakes(
    asked: Iterable[Scenery], attributes: tuple[str, ...] = ATTRIBUTES, *,
    draw: Callable[..., Track] = track, spoil: Spoil | None = None, side: int = 64, num_frames: int = 16, seed: int = 0,
) -> tuple[Counter[str], list[str]]:  # fmt: skip
    wrong: Counter[str] = Counter()
    told = []
    for i, scenery in enumerate(asked):
        rng = np.random.default_rng([seed, i])
        frames = render(scenery, draw(scenery, rng), side=side)[:num_frames]
        saw = look(frames if spoil is None else spoil(frames, rng))
        for name in attributes:
            if getattr(saw, name) != getattr(scenery, name):
                wrong[name] += 1
                told.append(f"{scenery.sentence}: {name} {getattr(saw, name)}, {saw.confidence}")
    return wrong, told


def generated(frames: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """About 33 dB: soft edges with a faint ring around them, colours off by up to six levels, and noise."""
    seen = ndimage.gaussian_filter(frames.astype(np.float32), (0, 0.6, 0.6, 0))
    seen += 0.15 * (seen - ndimage.gaussian_filter(seen, (0, 1.5, 1.5, 0)))
    zoom = (1, frames.shape[1] / 4, frames.shape[2] / 4, 1)
    seen += ndimage.zoom(rng.normal(0, 3, (len(frames), 4, 4, 3)), zoom, order=1) + rng.normal(0, 4.5, seen.shape)
    return np.rint(np.clip(seen, 0, 255)).astype(np.uint8)


def psnr(one: UInt8Array, other: UInt8Array) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def attributes_of(saw: Observation) -> tuple[object, ...]:
    return tuple(getattr(saw, name) for name in ATTRIBUTES)


def pairs_in(asked: Iterable[Scenery], *names: str) -> set[tuple[object, ...]]:
    return {tuple(getattr(s, name) for name in names) for s in asked}


def test_right_on_fresh_ground_truth() -> None:
    asked = every()[::9]
    for names in (
        ("object", "motion"),
        ("object", "scene"),
        ("colour", "scene"),
        ("object", "colour"),
        ("held_out", "digital"),
    ):
        assert pairs_in(asked, *names) == pairs_in(every(), *names), names
    wrong, told = mistakes(asked)
    assert not wrong, told


@pytest.mark.slow
def test_right_on_what_a_small_autoencoder_would_make_of_it() -> None:
    asked = every()[::13]
    some = render(asked[0], track(asked[0], np.random.default_rng(0)))
    assert 32 < psnr(some, generated(some, np.random.default_rng(0))) < 34.5
    wrong, told = mistakes(asked, spoil=generated, seed=1)
    assert all(wrong[name] <= 0.02 * len(asked) for name in ATTRIBUTES), told


def test_right_on_single_pictures() -> None:
    names = ("object", "colour", "scene", "digital")
    wrong, told = mistakes(every()[::13], names, num_frames=1, seed=2)
    assert not wrong, told
    assert look(render(PLAIN, track(PLAIN, np.random.default_rng(0)))[:1]).motion is None


@pytest.mark.parametrize("side", [96, 128])
def test_right_at_larger_sizes(side: int) -> None:
    wrong, told = mistakes(every()[:: 840 // 30], side=side, seed=3)
    assert not wrong, told


def test_right_where_a_second_segment_begins() -> None:
    names = ("object", "colour", "scene", "digital")
    wrong, told = mistakes(every()[::6], names, draw=onward, seed=4)
    assert all(wrong[name] <= 1 for name in names), told


def test_says_where_and_how_large() -> None:
    where = track(PLAIN, np.random.default_rng(5))
    saw = look(render(PLAIN, where))
    np.testing.assert_allclose(saw.centre, np.stack([where.x, where.y], axis=1), atol=0.5 / 64)
    np.testing.assert_allclose(saw.radius, where.radius, atol=0.5 / 64)
    assert saw.confidence.travel == pytest.approx((0.30, 0.0), abs=0.01)


@pytest.mark.parametrize("scene", SCENES)
def test_sees_no_object_in_an_empty_scene(scene: Scene) -> None:
    empty = np.rint(np.broadcast_to(background(scene), (16, 64, 64, 3))).astype(np.uint8)
    saw = look(empty)
    assert attributes_of(saw) == (None, None, scene, None, None)
    assert np.isnan(saw.centre).all() and np.isnan(saw.radius).all()


def test_sees_nothing_in_noise_or_one_colour() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    assert attributes_of(look(noise)) == (None,) * 5
    for rgb in [(0, 0, 0), (255, 255, 255), (230, 25, 25), (128, 128, 128), (150, 215, 255)]:
        flat = np.broadcast_to(np.array(rgb, dtype=np.uint8), (16, 64, 64, 3))
        assert attributes_of(look(flat)) == (None,) * 5, rgb


def clip(scenery: Scenery, x: float = 0.5, y: float = 0.5, radius: float = 0.15) -> UInt8Array:
    """Where the test wants it, still for 16 frames."""
    return render(scenery, Track(*(np.full(16, v, dtype=np.float32) for v in (x, y, radius))))


def test_two_objects_are_none() -> None:
    left, right = clip(STILL, x=0.25), clip(replace(STILL, object="star"), x=0.75)
    both = np.concatenate([left[:, :, :32], right[:, :, 32:]], axis=2)
    assert attributes_of(look(both)) == (None, None, "meadow", None, None)


def test_an_object_that_splits_or_vanishes_is_none() -> None:
    whole, empty = clip(STILL), np.rint(background("meadow")).astype(np.uint8)
    left, right = clip(STILL, x=0.25, radius=0.12), clip(STILL, x=0.75, radius=0.12)
    halves = np.concatenate([left[:, :, :32], right[:, :, 32:]], axis=2)
    for from_frame in (8, 12, 14):
        split, gone = whole.copy(), whole.copy()
        split[from_frame:], gone[from_frame:] = halves[from_frame:], empty
        assert attributes_of(look(split)) == attributes_of(look(gone)) == (None, None, "meadow", None, None)


@pytest.mark.parametrize("first", OBJECTS)
@pytest.mark.parametrize("then", OBJECTS)
def test_a_shape_that_turns_into_another_has_no_name(first: Object, then: Object) -> None:
    frames = clip(replace(STILL, object=first))
    frames[8:] = clip(replace(STILL, object=then))[8:]
    assert look(frames).object == (first if first == then else None)


def test_half_one_shape_and_half_another_is_called_by_the_better_overlap() -> None:
    mostly_box = clip(replace(STILL, object="box"))
    mostly_box[:, :, 40:] = clip(replace(STILL, object="ball"))[:, :, 40:]
    assert look(mostly_box).object == "box"


def test_a_colour_that_changes_or_is_none_of_the_six_has_no_name() -> None:
    changing = clip(STILL)
    changing[8:] = clip(replace(STILL, colour="blue"))[8:]
    assert look(changing).colour is None
    halved = clip(STILL)
    halved[:, :32] = clip(replace(STILL, colour="blue"))[:, :32]
    assert look(halved).colour is None
    alpha = coverage("ball", *(np.full(16, v, dtype=np.float32) for v in (0.5, 0.5, 0.15)))[..., None]
    grey = np.rint(alpha * 90 + (1 - alpha) * background("meadow")).astype(np.uint8)
    saw = look(grey)
    assert (saw.object, saw.colour, saw.scene) == ("ball", None, "meadow")


def test_a_scene_that_changes_has_no_name() -> None:
    frames = clip(STILL)
    frames[8:] = clip(replace(STILL, scene="night"))[8:]
    assert look(frames).scene is None
    upper = clip(STILL)
    upper[:, 39:] = clip(replace(STILL, scene="night"))[:, 39:]
    assert look(upper).scene is None


def test_motion_is_what_happens_and_not_what_was_asked() -> None:
    frozen = np.repeat(render(PLAIN, track(PLAIN, np.random.default_rng(0)))[:1], 16, axis=0)
    assert look(frozen).motion == "stays still"
    jump = clip(STILL, x=0.3)
    jump[8:] = clip(STILL, x=0.7)[8:]
    assert look(jump).motion is None
    t = np.linspace(0, 1, 16, dtype=np.float32)
    for x, y, radius, motion in [
        (0.35 + 0.3 * t, 0.65 - 0.3 * t, 0.15 + 0 * t, None),
        (0.35 + 0.08 * t, 0.5 + 0 * t, 0.15 + 0 * t, None),
        (0.35 + 0.3 * t, 0.5 + 0 * t, 0.1 * 2**t, None),
        (0.5 + 0.25 * np.sin(2 * np.pi * t), 0.5 + 0 * t, 0.15 + 0 * t, None),
        (0.65 - 0.2 * t, 0.5 + 0 * t, 0.15 + 0 * t, "moves left"),
        (0.5 + 0 * t, 0.5 + 0 * t, 0.2 * 2**-t, "shrinks"),
    ]:
        assert look(render(PLAIN, Track(x, y, radius))).motion == motion


def test_every_colour_is_told_in_every_scene() -> None:
    for scene in SCENES:
        seen = [look(clip(replace(STILL, scene=scene, colour=colour))).colour for colour in COLOURS]
        assert seen == list(COLOURS)


def test_refuses_what_is_no_clip_of_the_world() -> None:
    with pytest.raises(ValueError, match="crop to a square"):
        look(np.zeros((16, 64, 96, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="32 divides"):
        look(np.zeros((16, 70, 70, 3), dtype=np.uint8))
