"""The command line: argv and environment in, exit code out. Registers the commands and does none of their work."""

import gc as garbage
import os

if __name__ == "__main__":
    # Collecting garbage in 4,000 modules takes a seventh of a short command; `begin` and `ProgressObserver` enable it.
    garbage.disable()
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read once, when langgraph is first imported
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import logging
from typing import Annotated

import typer

from evals.cli.world import evaluate_app
from graph.cli.app import CommandGroup
from graph.cli.commands import keeping, looking, making, talking, training

COMMANDS = (
    ("generate", making.generate),
    ("resume", making.resume),
    ("replay", making.replay),
    ("fork", making.fork),
    ("chat", talking.chat),
    ("runs", looking.runs),
    ("show", looking.show),
    ("export", keeping.export),
    ("import", keeping.import_),
    ("verify", looking.verify),
    ("gc", keeping.gc),
    ("doctor", looking.doctor),
)
"""In the order in which `--help` lists them."""

app = typer.Typer(
    cls=CommandGroup,
    help="Mora turns a conversation into video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(help="Train the agents that ship with the code.", no_args_is_help=True)
train_app.command("embedded")(training.train_embedded)
app.add_typer(train_app, name="train")
app.add_typer(evaluate_app, name="evaluate")
for name, command in COMMANDS:
    app.command(name)(command)


@app.callback()
def begin(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what the packages are doing.")] = False,
) -> None:
    """Mora turns a conversation into video."""
    if context.invoked_subcommand in ("evaluate", "train"):
        garbage.enable()
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("diffusers", "transformers", "httpx", "langsmith"):
        logging.getLogger(noisy).setLevel(logging.WARNING if verbose else logging.ERROR)
    # LangGraph logs a step that ends while the run is being stopped; the run reports itself how it ended.
    logging.getLogger("concurrent.futures").setLevel(logging.ERROR if verbose else logging.CRITICAL)


if __name__ == "__main__":
    app()
