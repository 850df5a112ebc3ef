"""The paper's pipelines through the same loading code, with tiny weights of their classes."""

from dataclasses import replace

import numpy as np
import pytest

from models.agent import AgentError, EditSpec, ImageSpec, OutOfMemory, Picture, VideoSpec, WeightsMissing
from models.presets import Preset
from models.residency import Residency

Table = tuple[Preset, ...]


def unheard(step: int, steps: int) -> None:
    """Progress that nobody listens to."""


def test_sdxl_draws_the_same_picture_for_the_same_seed(tiny_table: Table) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    steps: list[tuple[int, int]] = []
    with house.lend("text_to_image") as draw:
        first = draw(ImageSpec("a red ball", 1), progress=lambda step, of: steps.append((step, of)))
        again = draw(ImageSpec("a red ball", 1), progress=unheard)
        other = draw(ImageSpec("a red ball", 2), progress=unheard)
    assert first.pixels.shape == (32, 64, 3)
    assert first.pixels.dtype == np.uint8
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    assert steps == [(1, 2), (2, 2)]


def test_sdxl_draws_candidates_in_one_forward(tiny_table: Table) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    specs = [ImageSpec("a red ball", seed) for seed in (1, 2)]
    steps: list[tuple[int, int]] = []
    with house.lend("text_to_image") as draw:
        first = draw.many(specs, progress=lambda step, of: steps.append((step, of)))
        again = draw.many(specs, progress=unheard)
        alone = [draw(spec, progress=unheard) for spec in specs]
        with pytest.raises(AssertionError, match="more than the seed"):
            draw.many([specs[0], replace(specs[1], prompt="a fox")], progress=unheard)
    assert steps == [(1, 2), (2, 2)]
    for one, same, near in zip(first, again, alone, strict=True):
        assert np.array_equal(one.pixels, same.pixels)
        assert np.abs(one.pixels.astype(int) - near.pixels).max() <= 2
    assert not np.array_equal(first[0].pixels, first[1].pixels)


def test_pix2pix_changes_a_picture_under_an_instruction(tiny_table: Table) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    image = Picture(np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8))
    steps: list[tuple[int, int]] = []
    spec = EditSpec("make it night", image, 3)
    with house.lend("edit_image") as edit:
        first = edit(spec, progress=lambda step, of: steps.append((step, of))).pixels
        again = edit(spec, progress=unheard).pixels
        freer = edit(replace(spec, image_guidance_scale=1.0), progress=unheard).pixels
        other = edit(replace(spec, instruction="make it day"), progress=unheard).pixels
    assert first.shape == (32, 64, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, freer)
    assert not np.array_equal(first, other)
    assert steps == [(1, 2), (2, 2)]


def test_stable_video_goes_on_from_its_last_frame(tiny_table: Table) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    image = Picture(np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8))
    with house.lend("image_to_video") as animate:
        clip = animate(VideoSpec("it moves", image, 6, 3), progress=unheard)
        again = animate(VideoSpec("it moves", image, 6, 3), progress=unheard)
    assert clip.frames.shape == (6, 32, 64, 3)
    assert clip.fps == 7
    assert np.array_equal(clip.frames, again.frames)


def test_the_weights_digest_follows_the_bytes(tiny_table: Table, tmp_path: object) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    image, video = house.identity("text_to_image"), house.identity("image_to_video")
    assert len(image.weights) == 64
    assert image.weights != video.weights
    assert "torch" in image.numerics
    threads = Residency("paper", device="cpu", threads=3, table=tiny_table).identity("text_to_image")
    assert threads.numerics != image.numerics
    assert threads.weights == image.weights


def test_the_least_recently_used_agent_leaves(tiny_table: Table) -> None:
    table = tuple(replace(row, gib=1.0) for row in tiny_table)
    house = Residency("paper", device="cpu", gib=1.5, table=table)
    with house.lend("text_to_image"):
        pass
    with house.lend("image_to_video"):
        pass
    assert list(house._loaded) == ["image_to_video"]


def test_a_budget_too_small_is_told_with_numbers(tiny_table: Table) -> None:
    house = Residency("paper", device="cpu", gib=1.0, table=tiny_table)
    with pytest.raises(OutOfMemory, match="needs 12 GiB, the budget is 1 GiB"), house.lend("text_to_image"):
        pass


@pytest.mark.parametrize("error", [MemoryError(), type("OutOfMemoryError", (RuntimeError,), {})("CUDA")])
def test_memory_that_runs_out_is_an_agent_error(tiny_table: Table, error: BaseException) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    with pytest.raises(OutOfMemory, match="fewer frames"), house.lend("text_to_image"):
        raise error


def test_other_errors_stay_what_they_are(tiny_table: Table) -> None:
    house = Residency("paper", device="cpu", table=tiny_table)
    with pytest.raises(RuntimeError, match="ours"), house.lend("text_to_image"):
        raise RuntimeError("ours")


def test_weights_that_are_not_there(tiny_table: Table) -> None:
    gone = tuple(replace(row, weights="/nowhere/at/all") for row in tiny_table)
    with pytest.raises(WeightsMissing, match="no weights for text_to_image"):
        Residency("paper", device="cpu", table=gone).identity("text_to_image")
    hub = tuple(replace(row, weights="nobody/nothing") for row in tiny_table)
    with pytest.raises(WeightsMissing, match="hf download nobody/nothing"):
        Residency("paper", device="cpu", table=hub).identity("text_to_image")
    with pytest.raises(AgentError, match="the profiles are paper"):
        Residency("modern", device="cpu", table=tiny_table).row("text_to_image")
