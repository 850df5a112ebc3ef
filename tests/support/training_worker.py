"""A process that trains for another one, as `train embedded` starts them; beginning it imports nothing heavy."""

from multiprocessing import get_context
from pathlib import Path
from typing import Any


def begin(folder: str) -> None:
    """Start a process that trains the scorer, say its id, then the stage of each of its reports."""
    context = get_context("spawn")
    reports = context.SimpleQueue()
    child = context.Process(target=trains, args=(reports, folder))
    child.start()
    print(child.pid, flush=True)
    while True:
        print(reports.get().stage, flush=True)


def trains(reports: Any, folder: str) -> None:
    """Train the scorer as a worker of the recipe does, and report each step."""
    from models.training import loop
    from models.training.embedded import recipe

    loop.REPORT_EVERY_SECONDS = 0.0
    recipe._start_worker(reports)
    recipe._run_stage_in_worker(recipe.Plan(Path(folder), "cpu", 1), "scorer")
