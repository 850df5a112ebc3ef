"""(moved)"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from evals.networks.weights.catalogue import WeightFile
from tools.errors import BadInput

CHUNK_FRAMES: Final = 8
"""Frames that are in memory at once, beside what the networks take."""


N = TypeVar("N")


class MissingWeights(BadInput):
    """A network's weight file is not there; one sentence: which file, from where, how large, where to put it."""


@dataclass(frozen=True)
class Network(Generic[N]):
    """A network and its weight file. load: the file -> the network, on the CPU. Raises BadWeights.

    What is no module of torch has a method `on(device)` that answers with itself.
    """

    weights: WeightFile
    load: Callable[[Path], N]
