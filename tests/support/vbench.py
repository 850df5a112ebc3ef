"""The parity cases: what VBench's official code printed for eight clips, with weights that follow from a rule.

Official files are written here in their own layouts, in small sizes (RAFT and AMT-S: full), so that the tests need no
download. `expected.json`, `further.json` and `shapes.json` were made with the official code.
"""

import json
import math
import warnings
import zlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

DATA = Path(__file__).parents[1] / "evals" / "data" / "parity"
CLIPS = ("square_circle.mp4", "wide_pan.mp4", "static.mp4", "big_pan.mp4")
EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text())
FURTHER: dict[str, Any] = json.loads((DATA / "further.json").read_text(encoding="utf-8"))
"""Odd sizes, uneven times, one colour; texts of all kinds. Of one colour, AMT and RAFT see but their own rounding."""
FURTHER_CLIPS = tuple(FURTHER["texts"])
SHAPES: dict[str, dict[str, Any]] = json.loads((DATA / "shapes.json").read_text())
AESTHETIC = "emb_reader/sa_0_4_vit_l_14_linear.pth"


def case_of(clip: str) -> tuple[Path, dict[str, Any]]:
    """Where a clip lies, and what is expected of it and its like."""
    further = clip in FURTHER_CLIPS
    return DATA / ("further" if further else "clips") / clip, FURTHER if further else EXPECTED


def tensor_of(key: str, shape: list[int]) -> Tensor:
    """The rule: a tensor follows from its key and shape alone; `key` without any `module.` prefix."""
    n = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(f"public:{key}".encode())))
    if key.endswith("logit_scale"):
        return torch.tensor(math.log(100.0))
    if key == "temp":
        return torch.tensor(0.01)
    if key.endswith("running_var"):
        return 1 + 0.3 * n.abs()
    if len(shape) == 1 and key.endswith("weight"):
        return 1 + 0.3 * n
    if len(shape) <= 1:
        return 0.2 * n
    if "pos" in key or "token_embedding" in key or key.endswith(("cls", "cls_token", "scale_emb", "class_embedding")):
        return 0.5 * n
    fan = shape[0] if key.endswith("proj") else math.prod(shape[1:])
    return 1.5 / math.sqrt(fan) * n


def state_of(file: str, dampen: dict[str, float] | None = None) -> dict[str, Tensor]:
    """The tensors of one official file; those whose name holds a key of `dampen` are multiplied."""
    state = {}
    for key, shape in SHAPES[file].items():
        if shape is not None:
            value = tensor_of(key.removeprefix("module."), shape)
            for part, factor in (dampen or {}).items():
                value = value * factor if part in key else value
            state[key] = value.float()
    return state


def write_weights(folder: Path) -> None:
    """Every official file, in its own layout, into a folder."""
    (folder / "emb_reader").mkdir()
    torch.save(state_of("dino_vitbase16_pretrain.pth"), folder / "dino_vitbase16_pretrain.pth")
    musiq = state_of("musiq_spaq_ckpt-358bb6af.pth", {"head.weight": 8.0})
    musiq["head.bias"] = torch.full_like(musiq["head.bias"], 50.0)
    torch.save(musiq, folder / "musiq_spaq_ckpt-358bb6af.pth")
    for name in ("ViT-B-32.pt", "ViT-L-14.pt"):
        write_torchscript({key: value.half().float() for key, value in state_of(name).items()}, folder / name)
    head = {"weight": tensor_of("aesthetic.weight", [1, 768]) * 70, "bias": torch.tensor([5.0])}
    torch.save(head, folder / AESTHETIC)
    torch.save({"model": state_of("ViClip-InternVid-10M-FLT.pth")}, folder / "ViClip-InternVid-10M-FLT.pth")
    torch.save(state_of("raft-things.pth", {"flow_head.conv2": 0.008}), folder / "raft-things.pth")
    torch.save({"state_dict": {k: v * 0.62 for k, v in state_of("amt-s.pth").items()}}, folder / "amt-s.pth")


class Tree(nn.Module):
    """Modules within modules as the dots in the names say; it computes nothing."""

    def hang(self, name: str, value: Tensor) -> None:
        head, _, rest = name.partition(".")
        if rest:
            if head not in self._modules:
                self.add_module(head, Tree())
            child = self._modules[head]
            assert isinstance(child, Tree)
            child.hang(rest, value)
        elif value.is_floating_point():
            self.register_parameter(head, nn.Parameter(value))
        else:
            self.register_buffer(head, value)

    def forward(self, x: Tensor) -> Tensor:
        return x


def write_torchscript(state: dict[str, Tensor], path: Path) -> None:
    """An archive as OpenAI's are, with the numbers they keep among the tensors."""
    tree = Tree()
    for name, value in {**state, "input_resolution": torch.tensor(224), "vocab_size": torch.tensor(49408)}.items():
        tree.hang(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(tree, torch.zeros(1)).save(str(path))  # type: ignore[no-untyped-call]
