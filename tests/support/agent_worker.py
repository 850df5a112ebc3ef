"""A process that draws candidates and a long clip of the first, and dies in the middle if it is told to.

`python -m support.agent_worker ORDER`, a JSON object. home: where. run: which to go on with; else a new one. die:
[stage, step] at which it kills itself. Every step that is taken becomes a line of `home`/steps.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from memory.archive import Archive
from memory.products.bookmarks import Bookmarks
from memory.records import Request
from models.lenders.local import LocalLender
from tools.context import Sampling, ToolContext
from tools.image_to_video import ImageToVideo, image_to_video
from tools.text_to_image import TextToImage, text_to_images

WORDS = "a red ball moves right in the snow"
SEEDS = (1, 2)
SECONDS = 2.5
"""Of the clip: longer than one piece."""
STEPS = {"text_to_image": 4, "image_to_video": 4}
"""Denoising steps of each call, of all its pieces together."""


def digests(tool_context: ToolContext) -> list[str]:
    """Of the candidates and of the clip."""
    pictures = text_to_images(tool_context, TextToImage(prompt=WORDS), seeds=SEEDS)
    asked = ImageToVideo(image=pictures[0].artifact.id, prompt=WORDS, seconds=SECONDS)
    clip = image_to_video(tool_context, asked, seed=3)
    return [made.artifact.sha256 for made in (*pictures, clip)]


def studio_at(home: Path, archive: Archive, lease: Any, report: Any) -> ToolContext:
    """A studio of the embedded agents that keeps every step."""
    plain = ToolContext(LocalLender("embedded", device="cpu"), archive, lease, size=(64, 64), fps=8.0, num_frames=16)
    return replace(
        plain,
        image_sampling=Sampling(num_inference_steps=4),
        video_sampling=Sampling(num_inference_steps=2),
        report=report,
        bookmarks=Bookmarks(home / "unfinished", 0).of,
    )


def live(home: Path, run: str | None, die: list[Any] | None) -> list[str]:
    """The digests of the products, unless it dies."""

    def report(told: Any) -> None:
        with (home / "steps").open("a") as steps:
            steps.write(f"{told['stage']} {told['step']}\n")
        if die == [told["stage"], told["step"]]:
            os.kill(os.getpid(), signal.SIGKILL)

    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
        run = run or archive.create_run(Request(prompt=WORDS), settings={}, graph_version=1).id
        (home / "run").write_text(run)
        with archive.hold(run) as lease:
            return digests(studio_at(home, archive, lease, report))


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    live(Path(order["home"]), order.get("run"), order.get("die"))
