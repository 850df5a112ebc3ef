"""The log of a training: one JSON object a line, a line a step."""

import json
from pathlib import Path
from typing import Any

NAME = "steps.jsonl"


def begin(folder: Path, step: int) -> None:
    """Drop the lines of steps from `step` on: they were taken after the last checkpoint and are taken again."""
    path = folder / NAME
    if not path.exists():
        return
    draft = path.with_suffix(".draft")
    draft.write_text("".join(json.dumps(row) + "\n" for row in rows(folder) if row["step"] < step), encoding="utf-8")
    draft.replace(path)


def add(folder: Path, row: dict[str, Any]) -> None:
    """Append a line; row: small JSON values and the number of its `step`."""
    with (folder / NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a folder's log; a last one that a crash cut off is left out."""
    path = folder / NAME
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
