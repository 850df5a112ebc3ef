"""Load the metrics' networks, each once, from local weight files. Downloads nothing.

A missing file raises an error that names the file, its source and its size; metrics that need it are skipped.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from evals.networks.weights.catalogue import WeightFile, Where, missing_sentence
from evals.networks.weights.network import CHUNK_FRAMES, MissingWeights, N, Network


class HasNetworks(Protocol):
    """A metric, as far as loading is concerned."""

    @property
    def title(self) -> str:
        """The name shown to a person."""

    @property
    def networks(self) -> tuple[Network[Any], ...]:
        """The networks that it uses."""


class NetworkLoader:
    """Lends networks on one device, in float32 and eval mode, and keeps them loaded."""

    def __init__(self, where: Where, device: torch.device | str = "cpu") -> None:
        self.where = where.expanduser() if isinstance(where, Path) else where
        self.device = torch.device(device)
        self._loaded: dict[str, Any] = {}
        self._by_file: dict[tuple[Path, Callable[[Path], Any]], Any] = {}
        self._digests: dict[Path, str] = {}

    @property
    def batch(self) -> int:
        """Frames or pairs per forward pass: one on a CPU, where larger batches are slower."""
        return 1 if self.device.type == "cpu" else CHUNK_FRAMES

    def get(self, network: Network[N]) -> N:
        """Return the network, loaded at the first call. Raises MissingWeights or BadWeights."""
        key = network.weights.key
        if key not in self._loaded:
            self._loaded[key] = self._read(self._path(network.weights), network.load)
        return cast(N, self._loaded[key])

    def _read(self, path: Path, load: Callable[[Path], Any]) -> Any:
        """Load a file once, even if several catalogue rows refer to it."""
        if (path, load) not in self._by_file:
            loaded = load(path)
            if isinstance(loaded, nn.Module):
                loaded = loaded.to(self.device, torch.float32).eval().requires_grad_(False)
            else:
                loaded = loaded.on(str(self.device))
            self._by_file[path, load] = loaded
        return self._by_file[path, load]

    def sha256(self, network: Network[Any]) -> str:
        """Return the sha256 of the network's weight file, 64 hex digits. Raises MissingWeights."""
        path = self._path(network.weights)
        if path not in self._digests:
            with path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]

    def digests(self, metric: HasNetworks) -> dict[str, str]:
        """Return the sha256 of each of a metric's weight files, by official file name. Raises MissingWeights."""
        return {network.weights.file: self.sha256(network) for network in metric.networks}

    def lacks(self, metric: HasNetworks) -> str | None:
        """Return a sentence on the weight files that a metric lacks; None if it lacks none."""
        files = [network.weights for network in metric.networks]
        missing = [weights for weights in files if weights.found_in(self.where) is None]
        return missing_sentence(metric.title, missing, self.where) if missing else None

    def _path(self, weights: WeightFile) -> Path:
        if (path := weights.found_in(self.where)) is None:
            raise MissingWeights(
                "metric-weights-missing", missing_sentence(weights.network, [weights], self.where), weights=weights.file
            )
        return path


@contextmanager
def full_precision() -> Iterator[None]:
    """Disable gradients, and TF32 in convolutions on a GPU, which would cost three digits."""
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def forward(network: Callable[[Tensor], Tensor], batch: Tensor, size: int) -> Tensor:
    """Run the network on a batch, `size` entries at a time to limit memory, without gradients."""
    with full_precision():
        parts = [network(batch[start : start + size]) for start in range(0, len(batch), size)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)
