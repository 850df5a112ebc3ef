"""What Mora is compared with: the two pipelines called one after the other, and the mp4 written. No graph, no store."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from models.agent import ImageSpec, VideoSpec
from models.lenders.local import LocalLender
from tools.media.codecs import encode_film


def bare_film(lender: LocalLender, sentence: str, seeds: tuple[int, int], path: Path) -> None:
    """One shot of the embedded world: same pipelines, same specs, same encoder as `generate`."""
    with lender.lend("text_to_image") as draw:
        picture = draw(ImageSpec(sentence, seeds[0]), progress=_unheard)
    with lender.lend("image_to_video") as animate:
        clip = animate(VideoSpec(sentence, picture, 16, seeds[1]), progress=_unheard)
    height, width = clip.frames.shape[1:3]
    encode_film(iter(clip.frames), path, width=width, height=height, fps=clip.fps)
    Image.fromarray(np.asarray(picture.pixels)).save(path.with_suffix(".png"))


def _unheard(_step: int, _steps: int) -> None:
    pass


if __name__ == "__main__":
    bare_film(LocalLender("embedded", device="cpu"), sys.argv[1], (1, 2), Path(sys.argv[2]))
