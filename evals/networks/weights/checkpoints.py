"""Read tensors from checkpoint files without running code in them, and load them into networks.

Knows the formats of the official files; the networks know the tensor names.
"""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from evals.networks.weights.catalogue import SAFETENSORS
from evals.networks.weights.torchscript import is_torchscript, torchscript_tensors
from tools.errors import BadInput

WRAPPERS: Final = ("state_dict", "model", "params")
"""Keys under which some official files keep their tensors, next to training state."""
PARALLEL: Final = "module."
"""The prefix that torch's DataParallel adds to every name."""
NAMES_SHOWN: Final = 3
DAMAGE: Final = (
    *(SafetensorError, zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError),
    *(LookupError, TypeError, AttributeError, OverflowError),
)
"""What the readers raise for a file that is truncated, altered or of another kind."""


class BadWeights(BadInput):
    """A weight file is damaged or belongs to another network. One sentence that says what is wrong."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint by name, on the CPU, without wrappers and `module.` prefixes.

    Reads safetensors, files of torch.save and TorchScript archives. Raises BadWeights.
    """
    try:
        loaded = _loaded(path)
    except UnpicklingError as error:
        what = "is damaged or holds more than tensors, so it is not read"
        raise BadWeights("metric-weights-damaged", f"{path} {what}; get the official file.", path=str(path)) from error
    except DAMAGE as error:
        raise BadWeights(
            "metric-weights-damaged", f"{path} is damaged or not a weight file; get the official file.", path=str(path)
        ) from error
    tensors = _unwrapped(loaded)
    if not tensors:
        raise BadWeights("metric-weights-damaged", f"{path} has no tensors; get the official file.", path=str(path))
    if all(name.startswith(PARALLEL) for name in tensors):
        tensors = {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}
    return tensors


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, ignore: Iterable[str] = ()) -> None:
    """Load the tensors into the network, floats as float32. All names and shapes must match.

    ignore: names in the file that the network does not need. Raises BadWeights, naming the tensors that are wrong.
    """
    given = {name: tensors[name] for name in tensors if name not in set(ignore)}
    expect({name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, given, path)
    whole = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in given.items()}
    network.load_state_dict(whole, assign=True)


def expect(wanted: Mapping[str, tuple[int, ...]], given: Mapping[str, Tensor], path: Path) -> None:
    """Raise BadWeights, naming the tensors that are wrong, unless the names and shapes match exactly."""
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    shapes = [
        f"{name} is {_sides(given[name].shape)} instead of {_sides(shape)}"
        for name, shape in wanted.items()
        if name in given and tuple(given[name].shape) != shape
    ]
    kinds = (("missing", missing), ("unknown", extra), ("misshapen", shapes))
    if faults := [f"{what}: {_some(names)}" for what, names in kinds if names]:
        raise BadWeights(
            "metric-weights-of-other-network",
            f"{path} does not hold these weights ({'; '.join(faults)}); get the official file.",
            path=str(path),
        )


def shape_of(tensors: Mapping[str, Tensor], name: str, ndim: int, path: Path) -> tuple[int, ...]:
    """Return the shape of a tensor, which gives a network's sizes. Raises BadWeights if it is missing or misshapen."""
    if name not in tensors or tensors[name].ndim != ndim:
        has = f"{name} is {_sides(tensors[name].shape)}" if name in tensors else f"missing: {name}"
        raise BadWeights(
            "metric-weights-of-other-network",
            f"{path} does not hold these weights ({has}); get the official file.",
            path=str(path),
        )
    return tuple(tensors[name].shape)


def num_layers(tensors: Mapping[str, Tensor], stem: str, path: Path) -> int:
    """Count the layers numbered after `stem`, such as "blocks." in blocks.11.norm1.weight. Raises BadWeights."""
    numbers = {name.removeprefix(stem).split(".", 1)[0] for name in tensors if name.startswith(stem)}
    if not numbers:
        raise BadWeights(
            "metric-weights-of-other-network",
            f"{path} does not hold these weights (missing: {stem}0); get the official file.",
            path=str(path),
        )
    return sum(number.isdecimal() for number in numbers)


def _loaded(path: Path) -> Any:
    if path.suffix == SAFETENSORS:
        return load_file(path)
    if is_torchscript(path):
        return torchscript_tensors(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(loaded: Any) -> dict[str, Tensor]:
    if not isinstance(loaded, Mapping):
        return {}
    for wrapper in WRAPPERS:
        if isinstance(loaded.get(wrapper), Mapping):
            return _unwrapped(loaded[wrapper])
    return {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}


def _sides(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _some(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
