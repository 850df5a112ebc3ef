"""The command line's next action for each kind of fault: what an error says, then which command or option helps.

Errors name no command themselves, since a page or a program shows them too. Light to import.
"""

from collections.abc import Mapping
from typing import Protocol

from memory.errors import Argument

ACTIONS: Mapping[str, str] = {
    "artifact-damaged": ", with `resume`.",
    "artifact-unknown": "; `show` lists those of a run.",
    "checkpoint-unknown": " `show {run} --checkpoints` lists them.",
    "database-row-foreign": " `gc --run RUN` drops one.",
    "evaluation-unknown": "; `evaluate list` tells which there are.",
    "film-not-signed": "; `resume {run} --out FILE --no-provenance` hands it out unsigned.",
    "film-source-missing": ", with `import`.",
    "first-frame-not-drawn": ", with --profile.",
    "input-is-picture": ", with --image.",
    "lease-lost": "; `show {run}` tells how it stands, `resume {run}` goes on with it.",
    "manifest-incomplete": ", with `replay {run} --verify`.",
    "metric-weights-missing": " --fetch gets it.",
    "no-evaluations": ", with `evaluate videos FOLDER`.",
    "no-films": ", with `generate`.",
    "no-sheet-of-wishes": "; leave --sheet out.",
    "order-of-other-task": " The option is --{option}.",
    "parcel-product-differs": ", with `replay RUN --verify`.",
    "product-lost": "; `resume {run}` makes it again, `replay {run} --verify` makes all again to compare.",
    "product-not-of-run": "; `show {run}` lists them.",
    "profile-is-system": "; `evaluate suite SUITE --system {system}` runs it, and goes on where it was stopped.",
    "run-asks-otherwise": ", with `show {run}`.",
    "run-differs-here": ", with `gc --run {run}`.",
    "run-id-ambiguous": "; `runs` lists them.",
    "run-id-malformed": "; `runs` lists them.",
    "run-imported-already": "; `runs` lists it.",
    "run-needed": " Each is dropped with --run.",
    "run-not-ended": ", with `resume {run}`.",
    "run-not-in-turn": "; `resume {run}` goes on with it.",
    "run-unknown": "; `runs` lists them.",
    "run-waits-for-nothing": "; `resume {run}` goes on with it.",
    "run-without-film": "; `resume {run}` goes on with it.",
    "run-without-plan": ", with `chat` alone.",
    "system-weights-unusable": "; `hf download {weights}` gets a whole copy.",
    "upload-damaged": ", with `generate`.",
    "weights-not-fetched": "; `hf download {weights}` gets them.",
    "weights-untrained": "; run `python main.py train embedded`.",
}
"""Code -> what is added to the sentence, with its arguments in braces; a first `;`, `,` or ` (` replaces a period."""


class Coded(Protocol):
    """What `memory.errors.CodedError` and `models.errors.AgentError` have in common."""

    code: str
    arguments: dict[str, Argument]


def sentence_of(error: Coded) -> str:
    """Return what the command line prints of an error: its own sentence, and the next action if there is one."""
    return with_action(str(error), error.code, error.arguments)


def with_action(sentence: str, code: str | None, arguments: Mapping[str, Argument]) -> str:
    """Return the sentence of an error with the next action for its code, if there is one."""
    action = ACTIONS.get(code or "", "").format(**arguments)
    if not action:
        return sentence
    ends = sentence.endswith(".")
    joined = (sentence.removesuffix(".") if action[0] in ";," or action.startswith(" (") else sentence) + action
    return joined if ends else joined.removesuffix(".")
