"""Score a long video clip by clip: the mean of a metric over clips of a few seconds, after VBench-Long.

VBench's FAQ recommends VBench-Long for videos of five seconds and more. This is its in-clip score only: scene cuts are
not detected, clips are not compared with each other, and its quantile tables are not applied. The score therefore has a
name of its own.
"""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, Final

from evals.metrics.base import Chunk, Memo, Metric, Reading, Score, Video, mean
from evals.networks.weights.loader import NetworkLoader

CLIP_SECONDS: Final = 2.0
"""Length of VBench-Long's clips."""
LONG_CLIP_SECONDS: Final = 10.0
"""The same for metrics of a whole clip (ViCLIP's)."""


def clipwise(metric: Metric) -> Metric:
    """Return a metric that scores clip by clip; its name gets the suffix `_clipwise`."""
    seconds = LONG_CLIP_SECONDS if metric.of == "video" else CLIP_SECONDS
    return replace(
        metric,
        name=f"{metric.name}_clipwise",
        title=f"{metric.title} by clips of {seconds:g} s",
        of="video",
        source=f"{metric.source}; the mean over clips, after VBench-Long",
        begin=partial(Clipwise, metric, seconds),
        pooled="videos",
    )


def bounds(video: Video, seconds: float) -> list[int]:
    """Return the frame indices where clips begin and end: equal parts that cover the video, nearest to `seconds`."""
    clips = max(1, round(video.num_frames / (video.fps * seconds)))
    return [video.num_frames * clip // clips for clip in range(clips + 1)]


class Clipwise:
    """values: by clip, the metric's score of the clip as a video of its own."""

    def __init__(self, metric: Metric, seconds: float, video: Video, loader: NetworkLoader) -> None:
        self._metric, self._video, self._loader = metric, video, loader
        self._spans = list(pairwise(bounds(video, seconds)))
        self._scores: list[Score] = []
        self._reading: Reading = metric.begin(self._part(), loader)

    def update(self, chunk: Chunk) -> None:
        """Process the next frames, splitting chunks where clips end."""
        first, end = chunk.first, chunk.first + len(chunk.frames)
        while first < end:
            start, stop = self._spans[len(self._scores)]
            last = min(stop, end)
            self._reading.update(_cut(chunk, first, last, start))
            if last == stop:
                self._scores.append(self._reading.result())
                if len(self._scores) < len(self._spans):
                    self._reading = self._metric.begin(self._part(), self._loader)
            first = last

    def _part(self) -> Video:
        """Return the next clip as a video; all clipwise metrics share the object and its memo."""
        start, stop = self._spans[len(self._scores)]

        def part() -> Video:
            return replace(self._video, num_frames=stop - start, memo=Memo())

        return self._video.memo.once(f"the clip of frames {start}..{stop}", part)

    def result(self) -> Score:
        """Return the mean of the values."""
        notes = [f"Clip {number}: {score.note}" for number, score in enumerate(self._scores, 1) if score.note]
        details: dict[str, Any] = {"clips": [list(span) for span in self._spans], "notes": notes}
        values = tuple(score.value for score in self._scores)
        return Score(mean(values), values, notes[0] if notes else None, details)


def _cut(chunk: Chunk, first: int, last: int, start: int) -> Chunk:
    """Return frames first..last of a chunk, numbered from `start`; all metrics share the object and its memo."""

    def cut() -> Chunk:
        span = slice(first - chunk.first, last - chunk.first)
        untagged = None if chunk.untagged is None else chunk.untagged[span]
        return Chunk(chunk.frames[span], first - start, untagged, exact=chunk.exact[span])

    return chunk.memo.once(f"frames {first}..{last} from {start}", cut)
