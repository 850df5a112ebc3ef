"""Where the metrics' networks are lent from: each is loaded once, from a file that the person put into a folder.

Nothing is fetched. A network whose file is not there is refused with the sentence that says which file, from where, how
large; its metrics are then left out.
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


class Reads(Protocol):
    """A metric, as far as its networks."""

    @property
    def title(self) -> str:
        """As a person reads it."""

    @property
    def networks(self) -> tuple[Network[Any], ...]:
        """What it looks with."""


class NetworkLoader:
    """Lends networks on one device, in float32 and eval mode; what was lent once stays loaded."""

    def __init__(self, where: Where, device: torch.device | str = "cpu") -> None:
        self.where = where.expanduser() if isinstance(where, Path) else where
        self.device = torch.device(device)
        self._loaded: dict[str, Any] = {}
        self._by_file: dict[tuple[Path, Callable[[Path], Any]], Any] = {}
        self._digests: dict[Path, str] = {}

    @property
    def batch(self) -> int:
        """Frames or pairs a forward: one on a CPU, where more at a time are slower."""
        return 1 if self.device.type == "cpu" else CHUNK_FRAMES

    def get(self, network: Network[N]) -> N:
        """The network. Raises MissingWeights or BadWeights."""
        key = network.weights.key
        if key not in self._loaded:
            self._loaded[key] = self._read(self._path(network.weights), network.load)
        return cast(N, self._loaded[key])

    def _read(self, path: Path, load: Callable[[Path], Any]) -> Any:
        """One of a file, whoever asks."""
        if (path, load) not in self._by_file:
            loaded = load(path)
            if isinstance(loaded, nn.Module):
                loaded = loaded.to(self.device, torch.float32).eval().requires_grad_(False)
            else:
                loaded = loaded.on(str(self.device))
            self._by_file[path, load] = loaded
        return self._by_file[path, load]

    def sha256(self, network: Network[Any]) -> str:
        """The digest of the network's weight file, 64 hex digits. Raises MissingWeights."""
        path = self._path(network.weights)
        if path not in self._digests:
            with path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]

    def digests(self, metric: Reads) -> dict[str, str]:
        """sha256 of each weight file that a metric reads, by the file's official name. Raises MissingWeights."""
        return {network.weights.file: self.sha256(network) for network in metric.networks}

    def lacks(self, metric: Reads) -> str | None:
        """The sentence that says which weight files a metric lacks; None if it lacks none."""
        files = [network.weights for network in metric.networks]
        missing = [weights for weights in files if weights.found_in(self.where) is None]
        return missing_sentence(metric.title, missing, self.where) if missing else None

    def _path(self, weights: WeightFile) -> Path:
        if (path := weights.found_in(self.where)) is None:
            raise MissingWeights(missing_sentence(weights.network, [weights], self.where))
        return path


@contextmanager
def exactly() -> Iterator[None]:
    """Without gradients, and on a GPU in true float32: convolutions would take TF32 there, which costs three digits."""
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def forward(network: Callable[[Tensor], Tensor], batch: Tensor, size: int) -> Tensor:
    """The network's answers to a batch, `size` entries at a time, without gradients: the memory is that of `size`."""
    with exactly():
        parts = [network(batch[start : start + size]) for start in range(0, len(batch), size)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)
