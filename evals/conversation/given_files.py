"""The files that may open a conversation: a picture and a clip of the embedded world, and a photo of none."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from graph.runs.requests.given import Given
from models.agent import UInt8Array
from models.embedded.language import FPS, SIDE, Scenery
from models.embedded.world import render, track
from tools.media.codecs import encode_film

SHOWN = Scenery("ball", "red", "meadow", "moves right")
SECONDS = 2


def given_file(line: str, folder: Path) -> Given:
    """Write the file of one of `phrases.UPLOADS` into a folder, which is created. Raises KeyError for another line."""
    folder.mkdir(parents=True, exist_ok=True)
    name = {"upload:picture": "ball.png", "upload:clip": "ball.mp4", "upload:photo": "photo.png"}[line]
    path = folder / name
    if line == "upload:clip":
        film = io.BytesIO()
        encode_film(iter(_frames()), film, width=SIDE, height=SIDE, fps=float(FPS))
        path.write_bytes(film.getvalue())
        return Given(path, "video")
    Image.fromarray(_frames()[0] if line == "upload:picture" else _photo()).save(path)
    return Given(path, "picture")


def _frames() -> UInt8Array:
    rng = np.random.default_rng(0)
    return render(SHOWN, track(SHOWN, rng, num_frames=SECONDS * FPS))


def _photo() -> UInt8Array:
    """Return what no scene of the world looks like: a gradient with noise."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 255, SIDE)[:, None, None] + rng.normal(0, 12, (SIDE, SIDE, 3))
    return np.clip(ramp, 0, 255).astype(np.uint8)
