"""Checkpoint files -> tensors, without running anything that is in them.

Knows how the official files are laid out; the networks know the names inside.
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
"""Keys under which some of the official files keep their tensors, beside what training left there."""
PARALLEL: Final = "module."
"""What torch's DataParallel puts before every name."""
NAMES_TOLD: Final = 3
DAMAGE: Final = (
    *(SafetensorError, zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError),
    *(LookupError, TypeError, AttributeError, OverflowError),
)
"""What a file that is cut off, altered or another one makes its readers raise."""


class BadWeights(BadInput):
    """A weight file is damaged or is another network's; one sentence that names what is wrong with it."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU; wrappers and `module.` prefixes are taken off.

    Reads safetensors, what torch.save wrote, and TorchScript archives. Raises BadWeights.
    """
    try:
        loaded = _loaded(path)
    except UnpicklingError as error:
        what = "is damaged or holds more than tensors, so it is not read"
        raise BadWeights(f"{path} {what}; get the official file.") from error
    except DAMAGE as error:
        raise BadWeights(f"{path} is damaged or no weight file; get the official file.") from error
    tensors = _unwrapped(loaded)
    if not tensors:
        raise BadWeights(f"{path} has no tensors; get the official file.")
    if all(name.startswith(PARALLEL) for name in tensors):
        tensors = {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}
    return tensors


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, ignore: Iterable[str] = ()) -> None:
    """Makes the tensors the network's own, as float32 where they are floats; every name must be there and fit.

    ignore: names in the file that the network does without. Raises BadWeights, which names what does not fit.
    """
    given = {name: tensors[name] for name in tensors if name not in set(ignore)}
    expect({name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, given, path)
    whole = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in given.items()}
    network.load_state_dict(whole, assign=True)


def expect(wanted: Mapping[str, tuple[int, ...]], given: Mapping[str, Tensor], path: Path) -> None:
    """Raises BadWeights, which names what is wrong, unless the tensors have just these names and shapes."""
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    shapes = [
        f"{name} is {_sides(given[name].shape)} instead of {_sides(shape)}"
        for name, shape in wanted.items()
        if name in given and tuple(given[name].shape) != shape
    ]
    told = (("missing", missing), ("unknown", extra), ("misshapen", shapes))
    if faults := [f"{what}: {_some(names)}" for what, names in told if names]:
        raise BadWeights(f"{path} does not hold these weights ({'; '.join(faults)}); get the official file.")


def shape_of(tensors: Mapping[str, Tensor], name: str, ndim: int, path: Path) -> tuple[int, ...]:
    """The shape of one tensor, from which a network takes its sizes. Raises BadWeights without it."""
    if name not in tensors or tensors[name].ndim != ndim:
        has = f"{name} is {_sides(tensors[name].shape)}" if name in tensors else f"missing: {name}"
        raise BadWeights(f"{path} does not hold these weights ({has}); get the official file.")
    return tuple(tensors[name].shape)


def num_layers(tensors: Mapping[str, Tensor], stem: str, path: Path) -> int:
    """How many layers are numbered after `stem`, from 0 on: "blocks." of blocks.11.norm1.weight. Raises BadWeights."""
    numbers = {name.removeprefix(stem).split(".", 1)[0] for name in tensors if name.startswith(stem)}
    if not numbers:
        raise BadWeights(f"{path} does not hold these weights (missing: {stem}0); get the official file.")
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
    more = len(names) - NAMES_TOLD
    return ", ".join(names[:NAMES_TOLD]) + (f" and {more} more" if more > 0 else "")
