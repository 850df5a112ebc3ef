"""The paper's pipelines through the same loading code, with tiny weights of their classes."""

import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from models.agent import EditSpec, ImageSpec, Picture, VideoSpec
from models.backends.image_to_video import SHORTEST_SEGMENT
from models.errors import AgentError, OutOfMemory, WeightsMissing
from models.lenders.local import LocalLender
from models.presets import Preset

Table = tuple[Preset, ...]


def unheard(step: int, steps: int) -> None:
    """Progress that nobody listens to."""


def test_sdxl_draws_the_same_picture_for_the_same_seed(tiny_table: Table) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
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
    house = LocalLender("paper", device="cpu", table=tiny_table)
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
    house = LocalLender("paper", device="cpu", table=tiny_table)
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


@pytest.mark.slow
def test_stable_video_goes_on_from_its_last_frame(tiny_table: Table) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    image = Picture(np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8))
    with house.lend("image_to_video") as animate:
        clip = animate(VideoSpec("it moves", image, 6, 3), progress=unheard)
        again = animate(VideoSpec("it moves", image, 6, 3), progress=unheard)
    assert clip.frames.shape == (6, 32, 64, 3)
    assert clip.fps == 7
    assert np.array_equal(clip.frames, again.frames)


def test_the_weights_digest_follows_the_bytes(tiny_table: Table, tmp_path: object) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    image, video = house.identity("text_to_image"), house.identity("image_to_video")
    assert len(image.weights) == 64
    assert image.weights != video.weights
    assert "torch" in image.numerics
    threads = LocalLender("paper", device="cpu", threads=3, table=tiny_table).identity("text_to_image")
    assert threads.numerics != image.numerics
    assert threads.weights == image.weights


def test_the_least_recently_used_agent_leaves(tiny_table: Table) -> None:
    table = tuple(replace(row, gib=1.0) for row in tiny_table)
    house = LocalLender("paper", device="cpu", gib=1.5, table=table)
    with house.lend("text_to_image"):
        pass
    with house.lend("image_to_video"):
        pass
    assert list(house._loaded) == ["image_to_video"]


def test_a_budget_too_small_is_told_with_numbers(tiny_table: Table) -> None:
    house = LocalLender("paper", device="cpu", gib=1.0, table=tiny_table)
    with pytest.raises(OutOfMemory, match="needs 12 GiB, the budget is 1 GiB"), house.lend("text_to_image"):
        pass


@pytest.mark.slow
def test_stable_video_works_on_fewer_frames_for_want_of_memory(tiny_table: Table) -> None:
    row = replace(preset_of(tiny_table, "image_to_video"), num_frames=SHORTEST_SEGMENT + 2)
    house = LocalLender("paper", device="cpu", table=(row,))
    image = Picture(np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8))
    steps: list[tuple[int, int]] = []
    with house.lend("image_to_video") as animate:
        decoded = count_frames(animate.pipeline.vae)
        clip = animate(
            VideoSpec("it moves", image, row.num_frames, 3, 1, frames_at_once=1),
            progress=lambda step, of: steps.append((step, of)),
        )
    assert len(clip.frames) == row.num_frames
    assert steps == [(1, 2), (2, 2)], "two segments"
    assert set(decoded) == {1}


def preset_of(table: Table, role: str) -> Preset:
    return next(row for row in table if row.role == role)


def count_frames(vae: Any) -> list[int]:
    """How many frames each decoding had."""
    heard, decode = [], vae.decode

    def counted(latents: Any, num_frames: int, **how: Any) -> Any:
        heard.append(num_frames)
        return decode(latents, num_frames=num_frames, **how)

    vae.decode = counted
    return heard


@pytest.mark.slow
def test_when_memory_runs_out_the_others_leave(tiny_table: Table) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    with house.lend("text_to_image"):
        pass
    for freed in (True, False):
        with pytest.raises(OutOfMemory) as caught, house.lend("image_to_video"):
            raise MemoryError
        assert caught.value.freed is freed
        assert list(house._loaded) == ["image_to_video"]


def test_when_there_is_no_room_to_load_the_others_leave(tiny_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    with house.lend("text_to_image"):
        pass
    load = house._load

    def full(_role: str) -> Any:
        raise MemoryError

    monkeypatch.setattr(house, "_load", full)
    with pytest.raises(OutOfMemory) as caught, house.lend("image_to_video"):
        pass
    assert caught.value.freed
    monkeypatch.setattr(house, "_load", load)
    with house.lend("image_to_video"):
        assert list(house._loaded) == ["image_to_video"]


@pytest.mark.slow
def test_what_a_failed_call_held_is_given_back(tiny_table: Table) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    held: list[weakref.ref[Any]] = []

    def call() -> None:
        tensor = torch.zeros(8)
        held.append(weakref.ref(tensor))
        raise MemoryError

    with pytest.raises(OutOfMemory) as caught, house.lend("image_to_video"):
        call()
    assert caught.value.__cause__ is not None, "it is kept, with its frames"
    assert held[0]() is None


def real_cpu_trouble() -> BaseException:
    """What PyTorch raises for an impossible tensor."""
    try:
        torch.empty(2**60)
    except RuntimeError as error:
        return error
    raise AssertionError("there was room")


@pytest.mark.parametrize(
    "error", [MemoryError(), type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), real_cpu_trouble()]
)
@pytest.mark.slow
def test_memory_that_runs_out_is_an_agent_error(tiny_table: Table, error: BaseException) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    with pytest.raises(OutOfMemory, match="fewer frames"), house.lend("text_to_image"):
        raise error


def test_other_errors_stay_what_they_are(tiny_table: Table) -> None:
    house = LocalLender("paper", device="cpu", table=tiny_table)
    with pytest.raises(RuntimeError, match="ours"), house.lend("text_to_image"):
        raise RuntimeError("ours")


def test_weights_that_are_not_there(tiny_table: Table) -> None:
    gone = tuple(replace(row, weights="/nowhere/at/all") for row in tiny_table)
    with pytest.raises(WeightsMissing, match="no weights for text_to_image"):
        LocalLender("paper", device="cpu", table=gone).identity("text_to_image")
    hub = tuple(replace(row, weights="nobody/nothing") for row in tiny_table)
    with pytest.raises(WeightsMissing, match="weights of nobody/nothing are not on this machine"):
        LocalLender("paper", device="cpu", table=hub).identity("text_to_image")
    with pytest.raises(AgentError, match="the profiles are paper"):
        LocalLender("modern", device="cpu", table=tiny_table).row("text_to_image")
