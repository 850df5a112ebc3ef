"""SDXL, InstructPix2Pix, Stable Video Diffusion and Wan are trained through the code that loads them for generation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models.agent import Role
from models.backends.loading import Placement
from models.backends.tokens import Token
from models.errors import WeightsMissing
from models.presets import Preset, preset
from models.training.together import log
from models.training.together.agents.table import load_trainable
from models.training.together.contract import Trainable, Winners, add_noise, denoise
from models.training.together.losses import own_loss
from models.training.together.settings import PAPER
from models.training.together.trainer import Trainer
from support.tiny_wan import wan

CPU = Placement("cpu", 1, "float32")
PATHS = ("svd", "wan")


@pytest.fixture(scope="module")
def wan_row(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Preset]:
    """The row of a tiny Wan of one of its shapes."""

    def row(**shape: bool) -> Preset:
        folder = tmp_path_factory.mktemp("wan")
        wan(folder, **shape)
        return Preset("wan", "image_to_video", "WanImageToVideoPipeline", str(folder), None, "float32", 3, 5.0, 64, 32,
                      5, 8.0, 1.0)  # fmt: skip

    return row


def path_of(table: tuple[Preset, ...], last: Preset | None = None) -> tuple[Trainable, ...]:
    rows = (*table[:2], table[2] if last is None else last)
    return tuple(load_trainable(row, CPU) for row in rows)


def winners(count: int, frames: int) -> Winners:
    draw = torch.Generator().manual_seed(3)
    clips = torch.rand(count, frames, 3, 32, 64, generator=draw) * 2 - 1
    edited = torch.rand(count, 3, 32, 64, generator=draw) * 2 - 1
    roles: tuple[Role, ...] = ("text_to_image", "edit_image", "image_to_video")
    said = ("a red ball", "a blue box", "a green star", "it grows")[:count]
    return Winners(dict.fromkeys(roles, said), clips[:, 0].clone(), clips, edited=edited)


@pytest.mark.slow
@pytest.mark.parametrize("last", PATHS)
def test_every_adapter_moves_in_two_steps(
    tiny_table: tuple[Preset, ...], wan_row: Callable[..., Preset], tmp_path: Path, last: str
) -> None:
    agents = path_of(tiny_table, wan_row() if last == "wan" else None)
    settings = replace(
        PAPER, how="lora", modulation="normalised", steps=2, batch=1, measured=1, precision="float32", rate=1e-3,
        sampling_steps={}, frames=1,
    )  # fmt: skip
    steps: dict[Role, int] = dict.fromkeys(("text_to_image", "edit_image", "image_to_video"), 2)
    trainer = Trainer(agents, winners(2, 5 if last == "wan" else 4), settings, tmp_path, steps)
    trainer.run()
    still = [name for name, value in trainer.stepper.values().items() if "lora_B" in name and not value.any()]
    moved = [name for name in trainer.stepper.values() if "lora_B" in name]
    assert len({name.partition("/")[0] for name in moved}) == 3 and not still
    row = log.rows(tmp_path)[-1]
    assert all(row["norms"][f"{agent.role}/z"] > 0 for agent in agents), "the film's loss reaches every z"
    for agent, token in zip(agents, trainer.tokens.values(), strict=True):
        assert not torch.equal(token.z, token.start), agent.role


@pytest.mark.slow
def test_the_papers_bfloat16(tiny_table: tuple[Preset, ...], tmp_path: Path) -> None:
    """Networks keep float32, what they compute is half as wide, and losses are float32 again."""
    ended = []
    for precision in ("float32", "bfloat16"):
        agents = path_of(tiny_table)[:2]
        asked = replace(PAPER, steps=1, batch=1, measured=1, frames=1, share=0.0, precision=precision)
        trainer = Trainer(agents, winners(1, 4), asked, tmp_path / precision, {"text_to_image": 2, "edit_image": 2})
        trainer.run()
        assert {value.dtype for value in trainer.stepper.values().values()} == {torch.float32}
        ended.append(log.rows(tmp_path / precision)[0]["losses"])
    assert ended[0] != ended[1]
    assert ended[1] == pytest.approx(ended[0], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [{"one_time_a_token": True}, {"sees_picture": True}], ids=["wan 2.2", "wan 2.1"])
def test_wans_other_shapes_take_a_token(wan_row: Callable[..., Preset], shape: dict[str, bool]) -> None:
    agent, w = load_trainable(wan_row(**shape), CPU), winners(1, 5)
    told = agent.condition(w.prompts["image_to_video"])
    picture = w.first.clone().requires_grad_()
    given = agent.given(w, told, picture, torch.Generator().manual_seed(0))
    clean, t = agent.target(w), torch.tensor([500.0])
    noisy = add_noise(agent, clean, t, torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)))
    without = denoise(agent, noisy, t, told, given)
    token = Token.beginning(agent.modulation_start(w.pictures)[0], agent.modulation(), full="sees_picture" in shape)
    token.attach(agent.denoiser)
    with_it = denoise(agent, noisy, t, told, given)
    assert with_it.shape == clean.shape and not torch.equal(without, with_it)
    agent.decode(with_it, w).square().mean().backward()
    assert token.z.grad is not None and token.z.grad.norm() > 0
    assert picture.grad is not None and picture.grad.norm() > 0
    token.remove()
    assert torch.equal(denoise(agent, noisy, t, told, given), without)


@pytest.mark.parametrize("which", ["sdxl", "pix2pix", "svd", "wan", "wan 2.2"])
def test_the_trainers_arithmetic_is_the_pipelines(
    tiny_table: tuple[Preset, ...], wan_row: Callable[..., Preset], which: str
) -> None:
    """One step of a pipeline ends in the clean latents that `denoise` says, from the same noise."""
    rows = dict(zip(("sdxl", "pix2pix", "svd"), tiny_table, strict=True))
    row = rows[which] if which in rows else wan_row(one_time_a_token=which == "wan 2.2")
    agent = load_trainable(replace(row, options={"noise_aug_strength": 0.0, "motion_bucket_id": 180}), CPU)
    shown = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype=np.uint8))
    pixels = torch.from_numpy(np.array(shown)).movedim(-1, 0)[None] / 127.5 - 1
    w = replace(winners(1, 5), pictures=pixels, edited=None if which == "pix2pix" else pixels)
    noise = torch.randn(agent.target(w).shape, generator=torch.Generator().manual_seed(1))
    video = {"image": shown, "height": 32, "width": 64, "num_frames": 5}
    asked: dict[str, dict[str, Any]] = {
        "sdxl": {"prompt": "a red ball", "height": 32, "width": 64, "guidance_scale": 1.0},
        "pix2pix": {"prompt": "a red ball", "image": shown, "guidance_scale": 1.0, "image_guidance_scale": 1.0},
        "svd": {**video, "noise_aug_strength": 0.0, "motion_bucket_id": 180, "fps": 7, "max_guidance_scale": 1.0},
        "wan": {**video, "prompt": "a red ball", "guidance_scale": 1.0},
    }
    p = agent.pipeline
    made = p(**asked[which[:3] if which[:3] == "wan" else which], num_inference_steps=1, latents=noise.clone(),
             output_type="latent")  # fmt: skip
    ended = made.frames if hasattr(made, "frames") else made.images
    with torch.no_grad():
        told = agent.condition(("a red ball",))
        given = agent.given(w, told, None, torch.Generator().manual_seed(0))
        t = agent.levels.timesteps(1)
        begun = noise
        if which in ("svd", "pix2pix"):  # these begin at sigma eps, with no signal to make the variance 1
            begun = noise * agent.levels.at(t, noise).noise
        own = denoise(agent, begun, t, told, given)
    torch.testing.assert_close(own, torch.as_tensor(ended).float(), atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize("number", range(3))
def test_each_own_loss_is_a_number(tiny_table: tuple[Preset, ...], number: int) -> None:
    agent = load_trainable(tiny_table[number], CPU)
    with torch.no_grad():
        loss = own_loss(agent, replace(winners(2, 4), frames=torch.tensor([2])), torch.Generator().manual_seed(0))
    assert torch.isfinite(loss) and loss > 0


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(WeightsMissing, match="ClipBetweenImagesPipeline"):
        load_trainable(preset("embedded", "connect_videos"), CPU)
