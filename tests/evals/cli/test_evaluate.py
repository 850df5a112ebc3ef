"""Bad input at the command line of `evaluate`: one sentence each, and the rest goes on."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from support.cli import Cli
from support.vbench import DATA

WHOLE = DATA / "clips" / "wide_pan.mp4"
FREE = ("--metrics", "video_length,temporal_flickering")


def gif(path: Path, num_frames: int, side: int = 32) -> None:
    first, *rest = [
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))
        for seed in range(num_frames)
    ]
    first.save(path, save_all=True, append_images=rest, duration=100)


def without_frames(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        container.start_encoding()


def test_each_bad_file_is_a_sentence_and_the_rest_is_scored(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "text.mp4").write_text("no video")
    (folder / "empty.mp4").touch()
    (folder / "cut.mp4").write_bytes(WHOLE.read_bytes()[:-9000])
    (folder / "whole.mp4").write_bytes(WHOLE.read_bytes())
    without_frames(folder / "none.mkv")
    gif(folder / "one.gif", 1)
    gif(folder / "two.gif", 2)
    gif(folder / "tiny.gif", 4, side=1)
    code, stdout, stderr = cli.run("evaluate", "videos", str(folder), *FREE, "--json")
    told = json.loads(stdout.splitlines()[-1])
    whys = {one["name"]: one["why"] for one in told["bad"]}
    assert code == 0 and "Traceback" not in stderr
    assert set(whys) == {"text.mp4", "empty.mp4", "cut.mp4", "none.mkv", "tiny.gif"}
    assert all(name in why and why.endswith(".") for name, why in whys.items())
    assert "is empty" in whys["empty.mp4"] and "1x1" in whys["tiny.gif"]
    values = {(row["name"], row["metric"]): row["value"] for row in told["scores"]}
    assert values["one.gif", "temporal_flickering"] is None and values["one.gif", "video_length"] == 0.1
    assert values["two.gif", "temporal_flickering"] is not None and values["whole.mp4", "video_length"] > 0


def test_what_cannot_be_judged_at_all_ends_with_a_sentence(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "fox.json").write_text('["a fox"]')
    clip = str(WHOLE)
    for words, told in (
        (("videos", str(tmp_path / "folder")), "has no videos"),
        (("videos", str(tmp_path / "text.mp4"), *FREE), "not a video"),
        (("videos", str(tmp_path / "gone.mp4"), *FREE), "cannot be read"),
        (("videos", clip, "--prompts", str(tmp_path / "fox.json")), "No prompt of"),
        (("videos", clip, "--metrics", "beauty"), "There is no metric 'beauty'"),
        (("videos", clip, "--metric-weights", "/no/where"), "There is no weight file or folder /no/where"),
        (("suite", "nothing"), "There is no suite 'nothing'"),
        (("suite", str(tmp_path / "fox.json"), "--metric-weights", "x=y"), "no metric weights 'x'"),
    ):
        code, _, stderr = cli.run("evaluate", *words)
        sentences = [line for line in stderr.splitlines() if line.startswith("mora: ")]
        assert code == 2 and len(sentences) == 1 and told in sentences[0], (words, stderr)


def test_a_text_of_ten_thousand_characters_is_read_or_told(cli: Cli, tmp_path: Path) -> None:
    long = "a red ball " * 900
    (tmp_path / "list.json").write_text(json.dumps([{"video": str(WHOLE), "prompt": long}]))
    metrics = "video_length,embedded_prompt_likeness,world_object"
    code, stdout, _ = cli.run("evaluate", "videos", str(tmp_path / "list.json"), "--metrics", metrics, "--json")
    told = json.loads(stdout.splitlines()[-1])
    assert code == 0 and {row["metric"] for row in told["scores"]} >= {"video_length", "embedded_prompt_likeness"}


def test_the_rest_of_a_metric_goes_on_without_its_weights(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "raft-things.pth").write_bytes(b"no weights")
    words = ("--metrics", "dynamic_degree,video_length,motion_smoothness", "--metric-weights", str(folder), "--json")
    code, stdout, _ = cli.run("evaluate", "videos", str(WHOLE), *words)
    told = json.loads(stdout.splitlines()[-1])
    assert code == 0 and [row["metric"] for row in told["scores"]] == ["video_length"]
    assert "raft-things.pth is damaged or" in told["left_out"][0]["why"]
    assert "amt-s.pth (12 MB" in told["missing_weights"]["motion_smoothness"]


@pytest.mark.parametrize("name", ["beauty", "beauty_clipwise"])
def test_a_metric_that_there_is_not_is_told_before_any_work(cli: Cli, tmp_path: Path, name: str) -> None:
    gate = tmp_path / "odd.json"
    gate.write_text(json.dumps({"video_length": 0.0, name: 1}))
    for words in (("videos", str(WHOLE), *FREE), ("suite", "embedded", "--limit", "1"), ("runs",)):
        for wrong in (("--gate", str(gate)), ("--metrics", name)):
            code, stdout, stderr = cli.run("evaluate", *words, *wrong)
            assert (code, stdout) == (2, ""), stderr
            assert stderr.startswith("mora: There is no metric 'beauty'; choose from subject_consistency, ")
            assert stderr.count("\n") == 1
    assert not cli.stored()


def test_a_gate_does_not_hold_over_a_file_that_nobody_judged(cli: Cli, tmp_path: Path) -> None:
    folder, gate = tmp_path / "clips", tmp_path / "gate.json"
    folder.mkdir()
    gate.write_text(json.dumps({"video_length": 0.0}))
    (folder / "whole.mp4").write_bytes(WHOLE.read_bytes())
    asked = ("evaluate", "videos", str(folder), *FREE, "--gate", str(gate))
    code, _, _ = cli.run(*asked)
    assert code == 0
    (folder / "text.mp4").write_text("no video")
    code, stdout, stderr = cli.run(*asked, "--json")
    assert (code, stderr.splitlines()[-1]) == (1, "mora: the gate does not hold: 1 of the files could not be judged")
    assert json.loads(stdout.splitlines()[-1])["gate"]
