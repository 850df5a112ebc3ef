"""Read the tensors of a TorchScript archive, OpenAI's format for CLIP, without compiling or running its program.

`torch.load(weights_only=True)` refuses such archives, and `torch.jit.load` compiles them. The attributes of the saved
modules are a pickle stream in a zip, next to each tensor's bytes. Only four kinds of harmless names in that stream are
resolved, as Python's documentation advises; any other name raises UnpicklingError.
"""

import io
import pickle
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

DTYPES: Final[dict[str, torch.dtype]] = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
DEEPEST: Final = 50
"""Greatest depth of nested modules; CLIP has 6."""


def is_torchscript(path: Path) -> bool:
    """Return whether a file is a TorchScript archive: a zip whose folder holds constants.pkl and data.pkl."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    return {"constants.pkl", "data.pkl"} <= names


def torchscript_tensors(path: Path) -> dict[str, Tensor]:
    """Return parameters and buffers by dotted name, in their stored dtype.

    Raises pickle.UnpicklingError for anything but modules and tensors; for a damaged archive, what zipfile, torch and
    pickle raise.
    """
    with zipfile.ZipFile(path) as archive:
        root = next(name.partition("/")[0] for name in archive.namelist() if name.endswith("/data.pkl"))
        if f"{root}/byteorder" in archive.namelist() and archive.read(f"{root}/byteorder").decode() != sys.byteorder:
            raise ValueError(f"{path} was written on a machine with another order of bytes")
        module = _Attributes(archive, root).load()
    return dict(_named(module, "", 0))


class _Module:
    """A stand-in for a module of any class; the stream sets its attributes."""


def _named(value: Any, name: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, _Module) and depth < DEEPEST:
        for attribute, inner in vars(value).items():
            yield from _named(inner, f"{name}.{attribute}".lstrip("."), depth + 1)


class _Attributes(pickle.Unpickler):
    """Unpickles the stream: modules become `_Module`, tensors are read from the archive, all else is refused."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "__torch__":
            return _Module
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise pickle.UnpicklingError(f"{module}.{name} is neither a module nor a tensor")

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, _, numel = pid
        if key not in self._storages:
            raw = bytearray(self._archive.read(f"{self._root}/data/{key}"))
            self._storages[key] = (
                torch.frombuffer(raw, dtype=dtype, count=numel) if raw else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    return torch.as_strided(storage, size, stride, offset)
