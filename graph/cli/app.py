"""What all commands share: how a mistake is answered and how anything is printed. Light to import, as `--help` is."""

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
    """All commands. Words that are no command, or an answer that nobody takes, are one sentence too."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """As Typer's own; in standalone mode it ends the process."""
        command = partial(super().main, args, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return command()
        try:
            code = command()
            sys.stdout.flush()
        except TyperException as error:
            sys.exit(_misread(error))
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            # What is still unwritten would be refused once more when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            print(f"mora: nothing more can be written to standard output ({error.strerror})", file=sys.stderr)
            sys.exit(BUG)
        sys.exit(code if isinstance(code, int) else 0)


def _misread(error: TyperException) -> int:
    """Says what is wrong with the words of a command, and where it is told how they are meant; the exit code."""
    said = error.format_message()
    if not said:  # no words at all: the help was printed
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = "main.py" if context is None else context.command_path
    wrong = said.replace("Value error, ", "").replace("Input should be", "it should be").rstrip(".")
    print(f"mora: {wrong[0].lower()}{wrong[1:]}; `python {path} --help` says what it takes", file=sys.stderr)
    return error.exit_code


@contextlib.contextmanager
def error_boundary() -> Iterator[None]:
    """Turn errors meant for a person into one sentence and an exit code; ours keep their traceback."""
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
    """Ends the command with one sentence and an exit code."""
    print(f"mora: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def say(what: Any) -> None:
    """Prints words, or what rich can draw, on standard output."""
    from rich.console import Console

    words = isinstance(what, str)
    # A person's words, and paths, may hold what looks like markup.
    Console(soft_wrap=words, highlight=False).print(what, crop=False, markup=not words)
