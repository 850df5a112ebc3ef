"""Other systems on the prompts of a suite: tiny weights of the very classes, through the same loading code."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from models.agent import TextToVideoSpec
from models.errors import WeightsMissing
from models.lenders.local import LocalLender
from models.presets import SYSTEMS
from support import pipelines
from support.cli import Cli, cli_at

PROMPTS = ["a red ball moves right in the snow", "a blue box grows in the sea"]
SMALL = ("--size", "32x32", "--frames", "6", "--steps", "2", "--metrics", "video_length,temporal_flickering")
UNET, TEXT = Path("unet", "diffusion_pytorch_model.safetensors"), Path("text_encoder", "model.safetensors")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder of each system."""
    folder = tmp_path_factory.mktemp("systems")
    for name in ("modelscope", "cogvideox", "svd"):
        getattr(pipelines, name)(folder / name)
    return folder


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    (tmp_path / "suite.json").write_text(json.dumps(PROMPTS))
    return cli_at(tmp_path / "home", monkeypatch)


def suite(cli: Cli, system: str, weights: Path, *more: str, name: str = "suite.json") -> dict[str, Any]:
    words = ("evaluate", "suite", name, "--system", system, "--weights", str(weights), *SMALL, "--json", *more)
    code, stdout, stderr = cli.run(*words)
    assert code == 0, stderr
    told: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("system", ["modelscope", "cogvideox", "svd"])
@pytest.mark.slow
def test_a_system_makes_a_suite_and_is_scored(system: str, cli: Cli, weights: Path) -> None:
    first = suite(cli, system, weights / system)
    rows = {(row["name"], row["metric"]): row["value"] for row in first["scores"]}
    assert first["system"] == system and first["bad"] == [] and len(rows) == 4
    fps = next(row.fps for row in SYSTEMS if row.profile == system)
    assert [rows[f"{prompt}-0", "video_length"] for prompt in PROMPTS] == pytest.approx([6 / fps] * 2)
    assert len({rows[f"{prompt}-0", "temporal_flickering"] for prompt in PROMPTS}) == 2
    assert cli.statuses() == ["done", "done"]

    films = [row["video"] for row in first["videos"]]
    again = suite(cli, system, weights / system)
    assert [row["video"] for row in again["videos"]] == films and again["made"] == 0, "products come from the store"
    other = suite(cli, system, weights / system, "--seed", "1", "--limit", "1")
    assert not set(films) & {row["video"] for row in other["videos"]}


@pytest.mark.slow
def test_its_runs_say_who_made_them(cli: Cli, weights: Path) -> None:
    suite(cli, "modelscope", weights / "modelscope", "--limit", "1")
    (run,) = json.loads(cli.run("runs", "--json").stdout)
    shown = json.loads(cli.run("show", run["run"], "--json").stdout)
    clip, film = shown["artifacts"]
    assert (clip["recipe"]["agent"], film["recipe"]["agent"]) == ("modelscope", "assemble_film")
    assert len(clip["recipe"]["weights"]) == 64 and clip["recipe"]["spec"]["num_inference_steps"] == 2
    assert film["parents"] == [clip["id"]]
    told = json.loads(cli.run("evaluate", "runs", "--metrics", "video_length", "--json").stdout)
    assert told["system"] == "modelscope"
    code, _, stderr = cli.run("resume", run["run"])
    assert code == 2 and "--system modelscope" in stderr


@pytest.mark.slow
def test_the_first_frame_is_a2s_or_the_given_one(cli: Cli, weights: Path, tmp_path: Path) -> None:
    picture = np.full((32, 32, 3), 200, np.uint8)
    Image.fromarray(picture).save(tmp_path / "first.png")
    (tmp_path / "given.json").write_text(json.dumps([{"prompt": "a fox", "image": "first.png"}, "a fox in the rain"]))
    told = suite(cli, "svd", weights / "svd", name="given.json")
    assert [video["prompt"] for video in told["videos"]] == ["a fox"]
    assert told["videos"][0]["image"] is not None
    assert "cannot draw a first frame" in told["bad"][0]["why"]
    (run, *_) = json.loads(cli.run("runs", "--json").stdout)
    shown = json.loads(cli.run("show", run["run"], "--json").stdout)
    assert [one["recipe"]["agent"] for one in shown["artifacts"]] == ["upload", "svd", "assemble_film"]


def less(name: Path, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        tensors = load_file(folder / name)
        change(tensors)
        save_file(tensors, folder / name, metadata={"format": "pt"})

    return harm


def cut(name: Path) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:500]) and None


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (cut(UNET), "do not load"),
        (cut(TEXT), "do not load"),
        (less(UNET, lambda tensors: tensors.pop("conv_in.bias")), "missing: unet.conv_in.bias"),
        (less(TEXT, lambda tensors: tensors.pop(min(tensors))), "missing: text_encoder."),
        (less(UNET, lambda tensors: tensors.update({"conv_in.bias": tensors["conv_in.bias"][:2]})), "conv_in.bias"),
        (less(TEXT, lambda t: t.update({min(t): t[min(t)][:2].clone()})), "misshapen: text_encoder."),
        (lambda folder: shutil.rmtree(folder / "scheduler"), "do not load"),
        (lambda folder: (folder / "model_index.json").unlink(), "holds no pipeline"),
        (lambda folder: (folder / "model_index.json").write_text("["), "holds no pipeline"),
        (lambda folder: (folder / "unet" / "config.json").write_text("{"), "do not load"),
    ],
)
def test_damaged_weights_are_one_sentence(harm: Any, told: str, cli: Cli, weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "harmed"
    shutil.copytree(weights / "modelscope", folder)
    harm(folder)
    words = ("evaluate", "suite", "suite.json", "--system", "modelscope", "--weights", str(folder), *SMALL)
    code, stdout, stderr = cli.run(*words)
    (sentence,) = [line for line in stderr.splitlines() if line.startswith("mora: ")]
    assert code in (1, 2) and told in sentence and stdout == ""
    assert "done" not in cli.statuses() if (cli.home / "mora.db").exists() else True


def test_what_is_asked_wrongly_is_one_sentence(cli: Cli, weights: Path) -> None:
    for words, told in (
        (("--system", "pika"), "There is no system 'pika'"),
        (("--weights", "x"), "--weights is of another system"),
        (("--system", "modelscope", "--weights", "/nowhere"), "is not a folder"),
        (("--system", "modelscope", "--weights", "nobody/nothing"), "hf download nobody/nothing"),
        (("--system", "modelscope", "--weights", str(weights / "cogvideox")), "holds a CogVideoXPipeline"),
        (("--system", "modelscope", "--size", "33x32"), "not a size of a clip"),
    ):
        code, _, stderr = cli.run("evaluate", "suite", "suite.json", *words)
        assert code == 2 and told in stderr and len(stderr.strip().splitlines()) == 1, stderr


class Kept:
    """A bookmark in memory; from the first step on, whoever hears of a step is interrupted."""

    def __init__(self) -> None:
        self.state: bytes | None = None

    def is_due(self) -> bool:
        return True

    def load(self) -> bytes | None:
        return self.state

    def save(self, state: bytes) -> None:
        self.state = state


def test_cogvideox_goes_on_where_it_was_interrupted_to_the_same_bytes(weights: Path) -> None:
    row = next(row for row in SYSTEMS if row.profile == "cogvideox")
    row = replace(row, weights=str(weights / "cogvideox"), width=32, height=32)
    spec, kept, heard = TextToVideoSpec("a red ball", 6, 4, num_inference_steps=3), Kept(), []

    def stop(step: int, _of: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with LocalLender("cogvideox", device="cpu", table=(row,)).lend("text_to_video") as agent:
        whole = agent(spec, progress=lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            agent(spec, progress=stop, bookmark=kept)
        assert kept.state is not None
        went_on = agent(spec, progress=lambda step, _of: heard.append(step), bookmark=kept)
    assert whole.frames.shape == (6, 32, 32, 3)
    assert np.array_equal(went_on.frames, whole.frames)
    assert heard == [3]


def test_another_pipeline_is_refused_by_who_lends(weights: Path) -> None:
    row = replace(SYSTEMS[0], weights=str(weights / "svd"))
    house = LocalLender("modelscope", device="cpu", table=(row,))
    with pytest.raises(WeightsMissing, match="holds a StableVideoDiffusionP"), house.lend("text_to_video"):
        pass
