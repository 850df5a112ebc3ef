"""Runs the training recipe of the embedded agents for `train embedded`."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph.settings import Settings


def train_embedded(
    settings: Settings,
    *,
    folder: Path | None,
    weights: Path | None,
    scale: float,
    threads: int | None,
    going_on: bool,
    report: Callable[[str, int, int, float, str], None],
) -> Path:
    """Run or resume the recipe, and return the folder of the trained agents.

    report: called with (stage, step, steps, seconds left, remark).
    """
    from models.lenders.local import LocalLender
    from models.presets import EMBEDDED_WEIGHTS
    from models.training.embedded.recipe import Plan
    from models.training.embedded.recipe import train_embedded as run

    device = LocalLender("embedded", device=settings.device).placement.device
    plan = Plan(folder or settings.home.expanduser() / "training", device, threads or os.cpu_count() or 1, scale)
    plan = replace(plan, start=EMBEDDED_WEIGHTS) if going_on else plan
    target = weights or EMBEDDED_WEIGHTS

    def report_progress(progress: Any) -> None:
        report(progress.stage, progress.step, progress.steps, progress.seconds_left, f"loss {progress.loss:.4f}")

    run(plan, target, report_progress)
    return target
