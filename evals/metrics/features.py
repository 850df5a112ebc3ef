"""Compute network features of frames and their similarity along a video, for several metrics."""

import math
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from evals.metrics.base import Score, mean, positive, undefined
from evals.networks.weights.loader import NetworkLoader, forward
from evals.networks.weights.network import Network


def outputs(loader: NetworkLoader, network: Network[Any], prepared: Tensor) -> Tensor:
    """Run a network on a prepared batch and return its outputs, float32 (N, ...) on the CPU."""
    module: nn.Module = loader.get(network)
    return forward(module, prepared.to(loader.device), loader.batch).float().cpu()


def unit_features(loader: NetworkLoader, network: Network[Any], prepared: Tensor) -> Tensor:
    """Run a network on a prepared batch and return its features scaled to length 1: (N, C)."""
    return functional.normalize(outputs(loader, network, prepared), dim=-1)


def clipped_cosine(one: Tensor, other: Tensor) -> float:
    """Return max(0, cosine) of two vectors (C,); NaN stays NaN."""
    return positive(float(functional.cosine_similarity(one, other, dim=-1)))


class ConsistencyTracker:
    """Compares each frame's features with those of the previous frame and of the first.

    For frame t = 1..T-1: (max(0, cos(f_t, f_t-1)) + max(0, cos(f_t, f_0))) / 2. Keeps two vectors.
    """

    def __init__(self) -> None:
        self.values: list[float] = []
        self._first: Tensor | None = None
        self._previous: Tensor | None = None

    def add(self, unit_features: Tensor) -> None:
        """Add the features of the next frames, (N, C)."""
        for direction in unit_features:
            if self._first is not None and self._previous is not None:
                self.values.append(
                    (clipped_cosine(self._previous, direction) + clipped_cosine(self._first, direction)) / 2
                )
            self._first = direction if self._first is None else self._first
            self._previous = direction

    def score(self, title: str) -> Score:
        """Return the mean; NaN with one frame."""
        if not self.values:
            return undefined(f"{title} compares frames and this video has one; give it two or more.")
        return mean_score(title, self.values)


def mean_score(title: str, values: list[float]) -> Score:
    """Return the mean of values; NaN with a note if one of them is NaN."""
    bad = sum(map(math.isnan, values))
    note = f"{title}: the network answered {bad} of {len(values)} times with no number; its weights are damaged."
    return Score(mean(values), tuple(values), note if bad else None)
