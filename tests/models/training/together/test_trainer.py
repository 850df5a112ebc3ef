"""A training: what it writes, that it survives being killed, and what it refuses."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.training.together import checkpoint, log
from models.training.together.adapters import merge, prepare, remove
from models.training.together.losses import FILM, film_loss
from models.training.together.settings import EMBEDDED, PAPER, BadTraining, Settings
from models.training.together.trainer import Trainer
from support.together_worker import STEPS_OF, trainer
from support.winners import WITH_EDIT, embedded_path, rendered

ROOT = Path(__file__).parents[4]


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "support.together_worker", str(folder), *words]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_killed_training_ends_in_the_same_bytes(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with started(broken, "normalised") as killed:
        assert killed.stdout is not None
        while killed.stdout.readline().strip() != "2":  # before its checkpoint, so that of step 1 stands
            pass
        killed.kill()
    heard: list[int] = []
    again = trainer(broken, modulation="normalised")
    again.report = lambda progress: heard.append(progress.step)
    resumed = again.run()
    assert heard[-1] == 3 and heard in ([2, 3], [3]), "it may have written the second before it was killed"
    assert resumed.sha256 == trainer(whole, modulation="normalised").run().sha256 == checkpoint.digest(broken)
    assert log.rows(broken) == log.rows(whole)


@pytest.mark.slow
def test_a_step_that_is_not_a_number_is_named_and_the_checkpoint_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from there, with adapters, it goes on to what an uninterrupted training ends in."""
    asked: dict[str, Any] = {"share": 0.0, "save_every": 2, "how": "lora", "modulation": "printed"}
    losses = Trainer.losses

    def poisoned(self: Trainer, phase: Any, step: int) -> dict[str, torch.Tensor]:
        found = losses(self, phase, step)
        if phase == "tune" and step == 2:
            found["image_to_video"] = found["image_to_video"] * float("nan")
        return found

    monkeypatch.setattr(Trainer, "losses", poisoned)
    with pytest.raises(BadTraining, match=r"in step 3 the loss of image_to_video is not a number; .* after step 2"):
        trainer(tmp_path / "broken", **asked).run()
    stored = checkpoint.load(tmp_path / "broken")
    assert stored is not None and stored[1]["step"] == 2
    assert all(torch.isfinite(value).all() for value in stored[0].values())
    monkeypatch.setattr(Trainer, "losses", losses)
    resumed, whole = (trainer(tmp_path / name, **asked).run() for name in ("broken", "whole"))
    assert resumed.sha256 == whole.sha256
    assert resumed.alpha == whole.alpha and resumed.alpha["text_to_image"] == pytest.approx(9.44 / 2, abs=0.01)


@pytest.mark.slow
def test_a_gradient_that_is_not_a_number_moves_nothing(tmp_path: Path) -> None:
    training = trainer(tmp_path, steps=1, share=0.0)

    def poison(gradient: torch.Tensor) -> torch.Tensor:
        return gradient * float("inf")

    handle = training.agents[0].denoiser.conv_in.weight.requires_grad_(True).register_hook(poison)
    before = training.agents[1].denoiser.conv_in.weight.clone()
    with pytest.raises(BadTraining, match="in step 1 the gradient of text_to_image/unet is not a number"):
        training.run()
    handle.remove()
    assert torch.equal(training.agents[1].denoiser.conv_in.weight, before)


@pytest.mark.slow
def test_other_settings_and_another_trainer_are_refused(tmp_path: Path) -> None:
    trainer(tmp_path, steps=1, share=0.0).run()
    with pytest.raises(
        BadTraining, match=r"was begun with batch 1, not 3, rate 0\.0003, not 0\.1; give the same again"
    ):
        trainer(tmp_path, steps=1, share=0.0, batch=3, rate=0.1).run()
    other = trainer(tmp_path, steps=1, share=0.0)
    other.winners = rendered(2, frames=None)
    with pytest.raises(BadTraining, match="was begun with winners "):
        other.run()
    with (
        checkpoint.alone(tmp_path),
        pytest.raises(BadTraining, match=r"another training is writing to .*; wait for it, or give another folder"),
    ):
        trainer(tmp_path, steps=1, share=0.0).run()
    (tmp_path / checkpoint.NAME).write_bytes(b"no safetensors")
    with pytest.raises(BadTraining, match="is damaged or no checkpoint of a training; remove it to begin again"):
        trainer(tmp_path, steps=1, share=0.0).run()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"modulation": "wild"},
            "modulation is one of none, token, printed, normalised, constant, gradnorm, not 'wild'",
        ),
        ({"steps": 0}, "steps must be 1 or more, not 0"),
        ({"share": 1.5}, r"share must be between 0 and 1, not 1\.5"),
        ({"rate": float("nan")}, "rate must be more than 0, not nan"),
    ],
)
def test_settings_that_no_training_has_are_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTraining, match=words):
        Settings(**changed)


def test_winners_that_cannot_be_trained_on_are_refused(tmp_path: Path) -> None:
    agents, winners = embedded_path(), rendered(1, frames=None)
    for bad, words in (
        (replace(winners, clips=winners.clips[:, :2]), "clips of 2 frames have no 2 besides the first"),
        (winners[torch.zeros(0, dtype=torch.int64)], "there is no winner to train on"),
    ):
        with pytest.raises(BadTraining, match=words):
            Trainer(agents, bad, EMBEDDED, tmp_path, STEPS_OF)
    with pytest.raises(BadTraining, match="two agents at least"):
        Trainer(agents[:1], winners, EMBEDDED, tmp_path, STEPS_OF)
    assert not list(tmp_path.iterdir())


def test_the_papers_recipe_is_a9() -> None:
    a9 = (PAPER.rate, PAPER.batch, PAPER.precision, PAPER.checkpointing, PAPER.steps, PAPER.save_every)
    assert a9 == (1e-5, 4, "bfloat16", True, 12, 4)


@pytest.mark.slow
def test_a_part_that_is_right_already_is_frozen_and_named(tmp_path: Path) -> None:
    training = trainer(tmp_path, steps=1)
    pace, layout = training.agents[1].parts()["pace"], training.agents[0].parts()["layout"]
    before = [{name: value.clone() for name, value in part.state_dict().items()} for part in (pace, layout)]
    result = training.run()
    assert result.frozen == ("image_to_video/pace",)
    assert log.rows(tmp_path)[0]["frozen"] == ["image_to_video/pace"]
    assert all(torch.equal(before[0][name], value) for name, value in pace.state_dict().items())
    assert any(not torch.equal(before[1][name], value) for name, value in layout.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_has_no_share_is_not_computed(tmp_path: Path, share: float) -> None:
    trainer(tmp_path, steps=1, share=share).run()
    own = {"text_to_image", "text_to_image/layout", "image_to_video"}
    assert log.rows(tmp_path)[0]["losses"].keys() == ({FILM} if share else own)


@pytest.mark.slow
def test_adapters_come_off_and_merge() -> None:
    agents = embedded_path(WITH_EDIT)
    parts = [part for agent in agents for part in agent.parts().values()]
    before = [{name: value.clone() for name, value in part.state_dict().items()} for part in parts]
    prepare(agents, replace(EMBEDDED, how="lora"))
    for part, shipped in zip(parts, before, strict=True):
        remove(part)
        assert list(part.state_dict()) == list(shipped)
        assert all(torch.equal(shipped[name], value) for name, value in part.state_dict().items())
    unet: Any = agents[0].denoiser
    trained = prepare(agents[:1], replace(EMBEDDED, how="lora"))["text_to_image/unet"]
    assert sum(p.numel() for p in trained.values()) == 208_896
    with torch.no_grad():
        for name, value in trained.items():
            if "lora_B" in name:
                value.normal_(std=0.01, generator=torch.Generator().manual_seed(0))
        given = (torch.randn(1, 12, 16, 16), 10, torch.randn(1, 24, 96))
        adapted = unet(*given).sample
        merge(unet)
        assert not any("lora" in name for name in unet.state_dict())
        torch.testing.assert_close(unet(*given).sample, adapted, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_a_path_with_an_edit_trains_all_three(tmp_path: Path) -> None:
    steps: Any = {**STEPS_OF, "edit_image": 2}
    settings = replace(EMBEDDED, steps=1, measured=1, batch=1, modulation="token", share=1.0)
    Trainer(embedded_path(WITH_EDIT), rendered(2, edited=True, frames=None), settings, tmp_path, steps).run()
    norms = log.rows(tmp_path)[0]["norms"]
    assert all(norms[f"{role}/unet"] > 0 and norms[f"{role}/z"] > 0 for role in WITH_EDIT)


@pytest.mark.slow
def test_checkpointing_changes_no_gradient(tmp_path: Path) -> None:
    ended = []
    for saving in (False, True):
        folder = tmp_path / str(saving)
        trainer(folder, steps=1, share=1.0, checkpointing=saving).run()
        ended.append(log.rows(folder)[0])
    assert ended[0]["losses"] == ended[1]["losses"]
    assert ended[0]["norms"] == pytest.approx(ended[1]["norms"], rel=1e-4)


@pytest.mark.slow
def test_weak_agents_draw_better_films_after_a_few_steps(tmp_path: Path) -> None:
    """On films that were not trained on, with the averaged weights."""
    training = trainer(tmp_path, steps=5, batch=2, save_every=5)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for agent in training.agents:
            for weight in (p for p in agent.denoiser.parameters() if p.dim() > 1):
                weight.add_(0.3 * weight.std() * torch.randn(weight.shape, generator=draw))
    training.winners, unseen = rendered(8, frames=None)[torch.arange(6)], rendered(8)[torch.arange(6, 8)]

    @torch.no_grad()
    def loss() -> float:
        drawn = training.chain.draw(unseen, torch.Generator().manual_seed(0))
        return film_loss(training.agents, unseen, drawn.picture, drawn.frames).item()

    before = loss()
    training.run()
    assert loss() < 0.98 * before
