"""Load suites of prompts, shipped or from a JSON file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evals.evaluations.videos import SuitePrompt, prompts_in, read_json
from tools.errors import BadInput

SHIPPED: Final = Path(__file__).parent / "suites"


@dataclass(frozen=True)
class Suite:
    """Named prompts. An evaluation stores the name; the prompts themselves are stored with its videos."""

    name: str
    prompts: tuple[SuitePrompt, ...]


def read_suite(name: str) -> Suite:
    """Load a shipped suite by name, or a JSON file (VBench's full info works too). Raises BadInput."""
    shipped = SHIPPED / f"{name}.json"
    if shipped.parent == SHIPPED and shipped.is_file():
        return Suite(name, tuple(prompts_in(read_json(shipped), name)))
    path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.json")))
        raise BadInput(
            "suite-unknown", f"There is no suite {name!r}; name {known}, or a JSON file of prompts.", suite=name
        )
    return Suite(path.stem, tuple(prompts_in(read_json(path), name)))
