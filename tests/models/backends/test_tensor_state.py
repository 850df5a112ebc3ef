"""What is packed comes back bit for bit, in the same types and order in memory."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from models.backends.tensor_state import Unpackable, pack, unpack

TURNED = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)


def test_plain_values_keep_their_types() -> None:
    value = {
        "none": None,
        "flag": True,
        "count": 3,
        "share": 0.1,
        "word": "é",
        "list": [1, [2.5, None]],
        "pair": (1, "a"),
    }
    back = unpack(pack(value))
    assert back == value
    assert (type(back["flag"]), type(back["pair"]), type(back["list"])) == (bool, tuple, list)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.uint8]
)
def test_tensors_come_back_bit_for_bit(dtype: torch.dtype) -> None:
    tensor = (torch.randn(3, 4) * 50).abs().to(dtype)
    back = unpack(pack({"it": [tensor, None]}))["it"][0]
    assert back.dtype == dtype
    assert torch.equal(back.view(torch.uint8), tensor.view(torch.uint8))
    assert back.data_ptr() % 64 == 0


def test_views_of_one_storage_and_empty_tensors() -> None:
    whole = torch.arange(6.0)
    back = unpack(pack({"whole": whole, "part": whole[2:], "one": whole[3], "empty": torch.zeros(0)}))
    assert torch.equal(back["part"], whole[2:])
    assert (back["one"].shape, back["one"].item(), back["empty"].shape) == ((), 3.0, (0,))


def test_the_order_in_memory_stays() -> None:
    back = unpack(pack({"it": TURNED}))["it"]
    assert back.stride() == TURNED.stride()
    assert torch.equal(back, TURNED)


def test_arrays_and_their_scalars() -> None:
    back = unpack(pack({"array": np.arange(3)[::-1], "scalar": np.float64(0.1)}))
    assert back["array"].tolist() == [2, 1, 0]
    assert (type(back["scalar"]), back["scalar"]) == (np.float64, 0.1)


@pytest.mark.parametrize("value", [object(), np.array(["a"]), {1, 2}, lambda: None])
def test_what_is_no_data_is_refused(value: object) -> None:
    with pytest.raises(Unpackable, match="no plain data"):
        pack({"it": [value]})


def test_it_is_a_safetensors_file_whose_rest_is_json() -> None:
    data = pack({"latents": torch.ones(2), "step": 3})
    assert [each.tolist() for each in load(data).values()] == [[1.0, 1.0]]
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["value"])["dict"]["step"] == 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        save({"a": torch.ones(1)}),
        save({"a": torch.ones(1)}, metadata={"value": "[]"}),
        save({"a": torch.ones(1)}, metadata={"value": '{"tensor": "b", "device": "cpu", "turned": false}'}),
        save({"a": torch.ones(1)}, metadata={"value": '{"tensor": "a", "device": "moon", "turned": false}'}),
        save({"a": torch.ones(1)}, metadata={"value": '{"tensor": "a", "device": "cpu", "turned": true}'}),
        save({"a": torch.ones(1)}, metadata={"value": '{"dict": {"x": {"unknown": 1}}}'}),
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Unpackable):
        unpack(data)
