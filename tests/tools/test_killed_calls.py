"""`kill -9` in the middle of denoising: the next process takes the steps that are left, to the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.agent_worker import STEPS, live
from support.processes import PYTHONPATH

pytestmark = pytest.mark.slow

KILLED = -9


def end_of_process(home: Path, **order: Any) -> int:
    words = [sys.executable, "-m", "support.agent_worker", json.dumps({"home": str(home), **order})]
    return subprocess.run(words, env={**os.environ, "PYTHONPATH": PYTHONPATH}, check=False).returncode


def steps(home: Path) -> list[str]:
    """The steps that were taken since they were asked for last."""
    told = (home / "steps").read_text().splitlines()
    (home / "steps").unlink()
    return told


def all_steps(*stages: str) -> list[str]:
    return [f"{stage} {step}" for stage in stages for step in range(1, STEPS[stage] + 1)]


def unfinished(home: Path) -> list[Path]:
    return list((home / "unfinished").iterdir())


def test_a_killed_call_goes_on_in_the_next_process(tmp_path: Path) -> None:
    home, whole = tmp_path / "home", tmp_path / "whole"
    home.mkdir()
    whole.mkdir()
    expected = live(whole, None, None)
    assert steps(whole) == all_steps("text_to_image", "image_to_video")
    assert unfinished(whole) == []

    assert end_of_process(home, die=["image_to_video", 3]) == KILLED
    assert steps(home) == [*all_steps("text_to_image"), *all_steps("image_to_video")[:3]]
    assert len(unfinished(home)) == 1

    run = (home / "run").read_text()
    assert live(home, run, None) == expected
    assert steps(home) == ["image_to_video 4"]
    assert unfinished(home) == []
