"""What several metrics ask of a network: the directions of frames, and how alike they are along a video."""

import math
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from evals.metrics.base import Score, mean, positive, undefined
from evals.networks.weights.loader import NetworkLoader, forward
from evals.networks.weights.network import Network


def answers(loader: NetworkLoader, network: Network[Any], prepared: Tensor) -> Tensor:
    """A network's answers to a prepared batch, float32 on the CPU, one entry for each."""
    module: nn.Module = loader.get(network)
    return forward(module, prepared.to(loader.device), loader.batch).float().cpu()


def directions(loader: NetworkLoader, network: Network[Any], prepared: Tensor) -> Tensor:
    """The same, each scaled to length 1: (N, C)."""
    return functional.normalize(answers(loader, network, prepared), dim=-1)


def alike(one: Tensor, other: Tensor) -> float:
    """max(0, cosine) of two vectors (C,); NaN stays NaN."""
    return positive(float(functional.cosine_similarity(one, other, dim=-1)))


class Along:
    """Follows directions along a video: each is compared with the one before it and with the first.

    Of frame t = 1..T-1: (max(0, cos(f_t, f_t-1)) + max(0, cos(f_t, f_0))) / 2. Three vectors are kept.
    """

    def __init__(self) -> None:
        self.values: list[float] = []
        self._first: Tensor | None = None
        self._former: Tensor | None = None

    def follow(self, directions: Tensor) -> None:
        """Takes the next directions, (N, C)."""
        for direction in directions:
            if self._first is not None and self._former is not None:
                self.values.append((alike(self._former, direction) + alike(self._first, direction)) / 2)
            self._first = direction if self._first is None else self._first
            self._former = direction

    def score(self, title: str) -> Score:
        """The mean; NaN with one frame."""
        if not self.values:
            return undefined(f"{title} compares frames and this video has one; give it two or more.")
        return scored(title, self.values)


def scored(title: str, values: list[float]) -> Score:
    """The mean of values; NaN and why when one of them is NaN."""
    bad = sum(map(math.isnan, values))
    note = f"{title}: the network answered {bad} of {len(values)} times with no number; its weights are damaged."
    return Score(mean(values), tuple(values), note if bad else None)
