"""Imaging quality: how free each frame is of noise, blur and wrong exposure, by MUSIQ trained on SPAQ."""

from typing import Final

from torch.nn import functional

from evals.metrics.base import Chunk, Metric, Score, Video
from evals.metrics.features import mean_score, outputs
from evals.metrics.preprocessing import floats
from evals.networks.musiq import MUSIQ
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Imaging quality"
LONGEST: Final = 512
"""Longer sides are resized to this many pixels (bilinear, no antialiasing)."""


class ImagingQuality:
    """values: by frame, MUSIQ's mean opinion score, about 0..100."""

    def __init__(self, _: Video, loader: NetworkLoader) -> None:
        loader.get(MUSIQ)
        self._loader = loader
        self._values: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the next frames, uncropped."""
        pixels = floats(chunk.frames)
        height, width = pixels.shape[-2:]
        if max(height, width) > LONGEST:
            scale = LONGEST / max(height, width)
            size = (max(1, int(scale * height)), max(1, int(scale * width)))
            pixels = functional.interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=False)
        self._values.extend(outputs(self._loader, MUSIQ, pixels / 255.0).tolist())

    def result(self) -> Score:
        """Return the mean of the values, 0..100; tables divide it by 100."""
        return mean_score(TITLE, self._values)


METRIC: Final = Metric(
    name="imaging_quality",
    title=TITLE,
    of="frames",
    low=0.0,
    high=100.0,
    better="higher",
    source="VBench (arXiv 2311.17982), MUSIQ trained on SPAQ",
    begin=ImagingQuality,
    networks=(MUSIQ,),
    scale=100.0,
)
