"""The recipe, a few steps long: it runs, resumes to the same weights, and writes folders that load."""

import contextlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from models.agent import ConnectSpec, EditSpec, ImageSpec, VideoSpec
from models.lenders.local import LocalLender
from models.presets import EMBEDDED_WEIGHTS, PRESETS
from models.training import loop as fitting
from models.training.embedded import recipe
from models.training.embedded import stages as train
from models.training.loop import Progress, Schedule
from support.cli import Cli
from support.processes import bare_environment

SHORT = {stage: Schedule(steps=1, learning_rate=1e-3, warmup=1) for stage in train.SCHEDULES}


def unheard(step: int, of: int) -> None:
    """Progress that nobody listens to."""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "SCHEDULES", SHORT)


@pytest.mark.slow
def test_the_whole_recipe_says_where_it_is_and_ends_in_agents_that_load(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = ("--folder", str(tmp_path / "training"), "--weights", str(tmp_path / "weights"))
    code, _, said = cli.run("train", "embedded", "--threads", "1", "--scale", "0.0001", *folders)
    assert code == 0, said
    assert sorted(said.split()) == sorted([*recipe.STAGES, "text", "layout", "pace"])
    assert {path.name for path in (tmp_path / "weights").iterdir()} == {*recipe.AGENTS, "scorer"}
    assert_agents_load(tmp_path / "weights")

    monkeypatch.setattr(train, "SCALE_FRAMES", 4)
    heard: list[Progress] = []
    for stage in recipe.STAGES:
        recipe.run_stage(recipe.Plan(tmp_path / "training", "cpu", 1, scale=0.0001), stage, heard.append)
    assert not heard


def assert_agents_load(weights: Path) -> None:
    rows = tuple(replace(r, weights=str(weights / r.role), steps=2) for r in PRESETS if r.profile == "embedded")
    house = LocalLender("embedded", device="cpu", table=rows)
    with house.lend("text_to_image") as draw:
        picture = draw(ImageSpec("a red ball grows in the sea", 1), progress=unheard)
    with house.lend("edit_image") as edit:
        other = edit(EditSpec("make it blue", picture, 1), progress=unheard)
    with house.lend("image_to_video") as animate:
        clip = animate(VideoSpec("it grows", picture, 3, 1), progress=unheard)
    with house.lend("connect_videos") as connect:
        between = connect(ConnectSpec(picture, other, 4, 1), progress=unheard)
    shapes = [picture.pixels.shape, other.pixels.shape, clip.frames.shape, between.frames.shape]
    assert shapes == [(64, 64, 3), (64, 64, 3), (3, 64, 64, 3), (4, 64, 64, 3)]


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_training_goes_on_from_the_agents_that_ship(tmp_path: Path) -> None:
    heard: list[Progress] = []
    plan = recipe.Plan(tmp_path / "training", "cpu", 1, start=EMBEDDED_WEIGHTS)
    stages: tuple[recipe.Stage, ...] = (*recipe.SHARED, *recipe.AGENTS)
    for stage in stages:
        recipe.run_stage(plan, stage, heard.append)
    assert {p.stage for p in heard} == {*recipe.AGENTS, "layout", "pace"}
    recipe.export(plan, tmp_path / "weights")
    name = "unet/diffusion_pytorch_model.safetensors"
    before, after = (load_file(folder / "text_to_image" / name) for folder in (EMBEDDED_WEIGHTS, tmp_path / "weights"))
    assert not all(torch.equal(before[key], after[key]) for key in before)
    assert all((before[key].float() - after[key].float()).abs().max() < 0.05 for key in before)


@pytest.mark.slow
def test_an_interrupted_stage_ends_in_the_same_weights(tmp_path: Path) -> None:
    def trained(folder: Path, stops: tuple[int, ...]) -> dict[str, torch.Tensor]:
        for stop in stops:
            torch.manual_seed(0)
            setup = train.TrainingSetup(folder, torch.device("cpu"), None, lambda progress: None)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(fitting, "SAVE_EVERY_SECONDS", 0.0)
                _until(setup, stop)
        return load_file(folder / "autoencoder.safetensors")

    def _until(setup: train.TrainingSetup, stop: int) -> None:
        full = Schedule(steps=6, learning_rate=1e-3, warmup=1)

        class Enough(Exception):
            pass

        def report(progress: Progress) -> None:
            if progress.step == stop:
                raise Enough

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fitting, "REPORT_EVERY_SECONDS", 0.0)
            reporting = train.TrainingSetup(setup.folder, setup.device, None, report)
            with contextlib.suppress(Enough):
                train.train_autoencoder(reporting, full)

    whole = trained(tmp_path / "whole", (99,))
    broken = trained(tmp_path / "broken", (3, 99))
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


PARENT = """
import sys
from support.training_worker import begin

begin(sys.argv[1])
"""


@pytest.mark.slow
def test_no_process_goes_on_training_for_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, env=bare_environment(), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "scorer\n", "it trains"
        parent.kill()
        gone, alive = psutil.wait_procs([child])
    assert (len(gone), alive) == (1, [])


def test_every_stage_keeps_to_the_scale(tmp_path: Path) -> None:
    plan = recipe.Plan(tmp_path, "cpu", 1, scale=0.01)
    for stage, whole in train.SCHEDULES.items():
        assert plan.schedule(stage).steps == max(1, round(whole.steps / 100))
        assert plan.schedule(stage).learning_rate == whole.learning_rate


def test_a_schedule_warms_up_and_ends_at_zero() -> None:
    schedule = Schedule(steps=100, learning_rate=1.0, warmup=10, decay=0.5)
    assert schedule.rate(0) == pytest.approx(0.1)
    assert schedule.rate(30) == 1.0
    assert schedule.rate(75) == pytest.approx(0.5)
    assert schedule.rate(100) == 0
