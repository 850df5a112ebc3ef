"""Checkpoints of a training: one safetensors file, whole or not there, and the right to write to its folder."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.training.together.settings import BadTraining

NAME = "training.safetensors"


def save(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> Path:
    """Write the folder's checkpoint in place of the one before. state: small JSON. The same state is the same bytes."""
    path = folder / NAME
    draft = path.with_suffix(".draft")
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    # One key: safetensors writes several in any order.
    save_file(plain, draft, metadata={"mora": json.dumps(state, sort_keys=True)})
    with draft.open("r+b") as file:  # Windows flushes only what may be written
        os.fsync(file.fileno())
    draft.replace(path)
    return path


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of the folder's checkpoint, None if it has none. Raises BadTraining if it is damaged."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - it is no dict
            return tensors, json.loads(stored.metadata()["mora"])
    except (OSError, SafetensorError, ValueError, LookupError, TypeError) as error:
        raise BadTraining(
            "training-checkpoint-damaged",
            f"{path} is damaged or no checkpoint of a training; remove it to begin again",
            path=str(path),
        ) from error


def digest(folder: Path) -> str:
    """Return the sha256 of the folder's checkpoint, 64 hex digits."""
    with (folder / NAME).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other trainer out of the folder; the system frees it when this process ends, however it does.

    Raises BadTraining if another one is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BadTraining(
            "training-folder-busy",
            f"another training is writing to {folder}; wait for it, or give another folder",
            path=str(folder),
        ) from error
    try:
        yield
    finally:
        lock.release()
