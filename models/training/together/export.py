"""What a training leaves: one pipeline folder a role, which loads as a profile does, tokens included."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.backends.tokens import FOLDER, token_of
from models.presets import Preset
from models.training.together import adapters
from models.training.together.contract import Trainable
from models.training.together.modulation import with_mod


def export(agents: tuple[Trainable, ...], rows: Iterable[Preset], folder: Path) -> tuple[Preset, ...]:
    """Write the agents' pipelines below `folder`, and return the rows of the profile that is there now.

    rows: those of the profile that was trained. Roles that were not trained keep theirs; if it is a local folder, it is
    copied, so that the profile is whole. Each folder is there whole or not at all. Adapters are merged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained: dict[str, Trainable] = {agent.role: agent for agent in agents}
    for row in rows:
        draft = folder / f".{row.role}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        agent = trained.get(row.role)
        if agent is not None:
            _write(agent, draft)
        elif Path(row.weights).is_dir():
            shutil.copytree(row.weights, draft)
        else:
            continue
        shutil.rmtree(folder / row.role, ignore_errors=True)
        draft.replace(folder / row.role)
    return rows_in(folder, rows)


def _write(agent: Trainable, folder: Path) -> None:
    for part in agent.parts().values():
        adapters.merge(part)
    token = token_of(agent.denoiser)
    pipeline: Any = agent.pipeline
    pipeline.save_pretrained(folder, safe_serialization=True)
    for path in folder.rglob("*.json"):  # where the parts were loaded from is nobody's business, and no part of them
        content = json.loads(path.read_text("utf-8"))
        if content.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    if token is not None:
        token.store(folder)
        if getattr(pipeline, "tokenizer", None) is not None:
            with_mod(pipeline.tokenizer).save_pretrained(folder / FOLDER)


def rows_in(folder: Path, rows: Iterable[Preset]) -> tuple[Preset, ...]:
    """Return the rows of a profile with those weights that lie below `folder`; the others as they are."""
    own = ((row, folder / row.role) for row in rows)
    return tuple(replace(row, weights=str(place)) if place.is_dir() else row for row, place in own)
