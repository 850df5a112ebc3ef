"""Nested values with tensors in them <-> the bytes of one safetensors file. Plain data only: nothing in it is code."""

import json
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Orders in memory that a tensor of so many dimensions may have beside the usual; kernels differ in their last bits."""


class Unpackable(Exception):
    """The value, or the bytes, cannot be turned into the other."""


def packed(value: dict[str, Any]) -> bytes:
    """A safetensors file of the tensors, the rest as JSON in its metadata. Raises Unpackable for other objects."""
    tensors: dict[str, Tensor] = {}
    told = _told(value, tensors)
    return bytes(save(tensors, metadata={"value": json.dumps(told)}))


def unpacked(data: bytes) -> dict[str, Any]:
    """What was packed: every tensor bit for bit, on its device and in its order in memory. Raises Unpackable."""
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        value = _untold(json.loads(header["__metadata__"]["value"]), tensors)
    except (SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise Unpackable(f"it is damaged ({error})") from error
    if not isinstance(value, dict):
        raise Unpackable("it is something else")
    return value


def _told(value: Any, tensors: dict[str, Tensor]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {"dict": {name: _told(each, tensors) for name, each in value.items()}}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_told(each, tensors) for each in value]}
    name = str(len(tensors))
    if isinstance(value, Tensor):
        # Cloned, since views of one storage are not saved.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name, "device": str(value.device), "turned": _is_turned(value)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        tensors[name] = torch.from_numpy(np.array(value))
        return {"array": name, "scalar": isinstance(value, np.generic)}
    raise Unpackable(f"a {type(value).__name__} is no plain data")


def _untold(told: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(told, dict):
        return told
    if "dict" in told:
        return {name: _untold(each, tensors) for name, each in told["dict"].items()}
    if "list" in told:
        return [_untold(each, tensors) for each in told["list"]]
    if "tuple" in told:
        return tuple(_untold(each, tensors) for each in told["tuple"])
    if "array" in told:
        array = tensors[told["array"]].numpy().copy()
        return array[()] if told["scalar"] else array
    kept = tensors[told["tensor"]]
    order = FORMATS[kept.dim()] if told["turned"] else torch.contiguous_format
    # In memory of its own: what is read lies wherever the file puts it, and kernels look at the alignment.
    return torch.empty_like(kept, device=told["device"], memory_format=order).copy_(kept)


def _is_turned(value: Tensor) -> bool:
    order = FORMATS.get(value.dim())
    return order is not None and not value.is_contiguous() and value.is_contiguous(memory_format=order)
