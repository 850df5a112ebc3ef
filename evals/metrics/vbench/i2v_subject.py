"""Image-to-video subject: how well a video keeps the subject of the picture that it was made from, by DINO features."""

from typing import Final

from evals.metrics.base import Chunk, Metric, Score, Video, mean, undefined
from evals.metrics.features import clipped_cosine, mean_score, unit_features
from evals.metrics.preprocessing import dino_transform_square, dino_transform_square_pil
from evals.networks.dino import DINO
from evals.networks.weights.loader import NetworkLoader

TITLE: Final = "Image-to-video subject"
TO_PICTURE, CONSECUTIVE, WORST_STEP = 0.4, 0.3, 0.3
"""Weights of the frame nearest to the picture, of the mean step and of the worst step."""


class I2VSubject:
    """values: by frame, max(0, cos to the picture). details.steps: from the second on, the same to the previous one."""

    def __init__(self, video: Video, loader: NetworkLoader) -> None:
        assert video.image is not None, "a metric is begun when the video has what it needs"
        self._loader = loader
        self._picture = unit_features(loader, DINO, dino_transform_square_pil(video.image[None]))[0]
        self._previous = None
        self._near: list[float] = []
        self._steps: list[float] = []

    def update(self, chunk: Chunk) -> None:
        """Process the next frames, resized to 256 on the shorter side and cropped to the centre 224."""
        for direction in unit_features(self._loader, DINO, dino_transform_square(chunk.frames)):
            if self._previous is not None:
                self._steps.append(clipped_cosine(self._previous, direction))
            self._near.append(clipped_cosine(self._picture, direction))
            self._previous = direction

    def result(self) -> Score:
        """Return 0.4 max(values) + 0.3 mean(steps) + 0.3 min(steps)."""
        if not self._steps:
            return undefined(f"{TITLE} compares frames and this video has one; give it two or more.")
        plain = mean_score(TITLE, [*self._near, *self._steps])
        value = plain.value
        if plain.note is None:
            value = TO_PICTURE * max(self._near) + CONSECUTIVE * mean(self._steps) + WORST_STEP * min(self._steps)
        return Score(value, tuple(self._near), plain.note, {"steps": self._steps})


METRIC: Final = Metric(
    name="i2v_subject",
    title=TITLE,
    of="frames",
    low=0.0,
    high=1.0,
    better="higher",
    source="VBench-I2V (arXiv 2411.13503), DINO ViT-B/16",
    begin=I2VSubject,
    networks=(DINO,),
    needs=("image",),
)
