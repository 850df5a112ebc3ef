"""The training command: train embedded. Light to import."""

from pathlib import Path
from typing import Annotated

import typer

from graph.cli.app import error_boundary, say
from graph.cli.session import progress_bars, settings_with


def train_embedded(
    folder: Annotated[Path | None, typer.Option(help="Folder of checkpoints; default: training/ in MORA_HOME.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder of trained agents; default: the ones in use.")] = None,
    scale: Annotated[float, typer.Option(min=1e-4, max=100.0, help="Length relative to the full recipe.")] = 1.0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
    going_on: Annotated[bool, typer.Option("--going-on", help="Start from the shipped agents.")] = False,
) -> None:
    """Train the embedded agents from scratch. Interrupt at will: the same command continues."""
    with error_boundary():
        from tools.delivery.export import check_folder

        for place in (folder, weights):
            if place is not None:
                check_folder(place)
        settings = settings_with()

        from graph.cli.train import train_embedded as train

        with progress_bars() as report:
            done = train(
                settings, folder=folder, weights=weights, scale=scale, threads=threads, going_on=going_on, report=report
            )
        say(f"The trained agents are in {done}")
