"""Describe a metric network: its weight file and the function that loads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from evals.networks.weights.catalogue import WeightFile
from tools.errors import BadInput

CHUNK_FRAMES: Final = 8
"""Decoded frames held in memory at once."""


N = TypeVar("N")


class MissingWeights(BadInput):
    """A network's weight file is missing. The sentence names the file, its source, its size and where to put it."""


@dataclass(frozen=True)
class Network(Generic[N]):
    """A network and its weight file. load: reads the file into a network on the CPU; raises BadWeights.

    A network that is not a torch module must have a method `on(device)` that moves it and returns itself.
    """

    weights: WeightFile
    load: Callable[[Path], N]
