"""(moved)"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evals.evaluations.videos import Wanted, read_json, wanted_in
from tools.errors import BadInput

SHIPPED: Final = Path(__file__).parent / "suites"


@dataclass(frozen=True)
class Suite:
    """Prompts with a name; which they are, an evaluation's videos say."""

    name: str
    prompts: tuple[Wanted, ...]


def read_suite(name: str) -> Suite:
    """A suite that ships, by its name, or the JSON file of a path, VBench's full info too. Raises BadInput."""
    shipped = SHIPPED / f"{name}.json"
    if shipped.parent == SHIPPED and shipped.is_file():
        return Suite(name, tuple(wanted_in(read_json(shipped), name)))
    path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.json")))
        raise BadInput(f"There is no suite {name!r}; name {known}, or a JSON file of prompts.")
    return Suite(path.stem, tuple(wanted_in(read_json(path), name)))
