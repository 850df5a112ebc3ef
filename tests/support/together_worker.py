"""Trains the embedded agents on a few films in a process of its own, to be killed: FOLDER [modulation [how]]."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models.training.together.settings import EMBEDDED
from models.training.together.trainer import Trainer
from support.winners import embedded_path, rendered

STEPS_OF: Any = {"text_to_image": 4, "image_to_video": 2}
SHORT = replace(EMBEDDED, steps=3, measured=1, save_every=1, batch=1, sampling_steps={})


def trainer(folder: Path, **changed: Any) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(embedded_path(), rendered(3, frames=None), replace(SHORT, **changed), folder, STEPS_OF)


if __name__ == "__main__":
    words: list[Any] = sys.argv[2:]
    asked = dict(zip(("modulation", "how"), words, strict=False))
    made = trainer(Path(sys.argv[1]), **asked)
    made.report = lambda progress: print(progress.step, flush=True)
    print(made.run().sha256, flush=True)
