"""Serialise nested plain data with tensors as one safetensors file, and read it back without executing code."""

import json
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""The alternative memory order by number of dimensions; results of kernels differ in the last bits between orders."""


class Unpackable(Exception):
    """A value cannot be serialised, or bytes cannot be read back."""


def pack(value: dict[str, Any]) -> bytes:
    """Return the bytes of a safetensors file with all tensors, and the rest as JSON in its metadata.

    Raises Unpackable if the value holds anything but plain data, arrays and tensors.
    """
    tensors: dict[str, Tensor] = {}
    encoded = _encode(value, tensors)
    return bytes(save(tensors, metadata={"value": json.dumps(encoded)}))


def unpack(data: bytes) -> dict[str, Any]:
    """Return the packed value, tensors bit-identical, on their device and in their memory order. Raises Unpackable."""
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        value = _decode(json.loads(header["__metadata__"]["value"]), tensors)
    except (SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise Unpackable(f"it is damaged ({error})") from error
    if not isinstance(value, dict):
        raise Unpackable("it is something else")
    return value


def _encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {"dict": {name: _encode(each, tensors) for name, each in value.items()}}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_encode(each, tensors) for each in value]}
    name = str(len(tensors))
    if isinstance(value, Tensor):
        # safetensors refuses views that share a storage.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name, "device": str(value.device), "turned": _is_channels_last(value)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        tensors[name] = torch.from_numpy(np.array(value))
        return {"array": name, "scalar": isinstance(value, np.generic)}
    raise Unpackable(f"a {type(value).__name__} is no plain data")


def _decode(encoded: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(encoded, dict):
        return encoded
    if "dict" in encoded:
        return {name: _decode(each, tensors) for name, each in encoded["dict"].items()}
    if "list" in encoded:
        return [_decode(each, tensors) for each in encoded["list"]]
    if "tuple" in encoded:
        return tuple(_decode(each, tensors) for each in encoded["tuple"])
    if "array" in encoded:
        array = tensors[encoded["array"]].numpy().copy()
        return array[()] if encoded["scalar"] else array
    stored = tensors[encoded["tensor"]]
    order = FORMATS[stored.dim()] if encoded["turned"] else torch.contiguous_format
    # Copied into its own memory: the loaded tensor is aligned as the file has it, and kernels depend on the alignment.
    return torch.empty_like(stored, device=encoded["device"], memory_format=order).copy_(stored)


def _is_channels_last(value: Tensor) -> bool:
    order = FORMATS.get(value.dim())
    return order is not None and not value.is_contiguous() and value.is_contiguous(memory_format=order)
