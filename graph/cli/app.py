"""What all commands share: error reporting, exit codes and printing. Light to import, so that `--help` is fast."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from graph.cli.exit_codes import BUG, INTERRUPTED, MISTAKE

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")]


class CommandGroup(TyperGroup):
    """The command group of Mora: usage errors, and a full disk behind standard output, are reported in one sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command as Typer does; in standalone mode, exit the process."""
        command = partial(super().main, args, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return command()
        try:
            code = command()
            sys.stdout.flush()
        except TyperException as error:
            sys.exit(_report_usage_error(error))
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            # Python flushes standard output again when it exits, and would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            print(f"mora: nothing more can be written to standard output ({error.strerror})", file=sys.stderr)
            sys.exit(BUG)
        sys.exit(code if isinstance(code, int) else 0)


def _report_usage_error(error: TyperException) -> int:
    """Print what is wrong with the arguments of a command, and where to find help; return the exit code."""
    message = error.format_message()
    if not message:  # no arguments at all: the help was printed
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = "main.py" if context is None else context.command_path
    wrong = message.replace("Value error, ", "").replace("Input should be", "it should be").rstrip(".")
    print(f"mora: {wrong[0].lower()}{wrong[1:]}; see `python {path} --help`", file=sys.stderr)
    return error.exit_code


@contextlib.contextmanager
def error_boundary() -> Iterator[None]:
    """Turn errors meant for a person into one sentence and an exit code; bugs keep their traceback."""
    from graph.cli.sentences import sentence_of
    from graph.errors import MISTAKES, TOLD, Stopped

    try:
        yield
    except (KeyboardInterrupt, Stopped):
        fail("interrupted; `python main.py runs` lists what can be resumed", INTERRUPTED)
    except MISTAKES as error:
        fail(sentence_of(error), MISTAKE)
    except TOLD as error:
        fail(sentence_of(error), BUG)


def fail(sentence: str, code: int) -> NoReturn:
    """End the command with one sentence on standard error and an exit code."""
    print(f"mora: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def say(what: Any) -> None:
    """Print text, or any rich renderable, on standard output."""
    from rich.console import Console

    words = isinstance(what, str)
    # A person's words, and paths, may contain what looks like markup.
    Console(soft_wrap=words, highlight=False).print(what, crop=False, markup=not words)
