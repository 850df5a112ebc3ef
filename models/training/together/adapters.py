"""What of an agent is trained: whole networks, or low-rank adapters on them (LoRA, Hu et al. 2021) by peft."""

from collections.abc import Iterator
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from models.training.together.contract import Trainable
from models.training.together.settings import Settings

DENOISER_LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "conv1", "conv2", "time_emb_proj"]
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj"]
SMALL_PARTS = ("layout", "pace")
"""Trained whole in any case: an adapter would be as large as they are."""

Trained = dict[str, dict[str, nn.Parameter]]
"""The trained parameters by `role/part`, and there by name."""


def prepare(agents: tuple[Trainable, ...], settings: Settings) -> Trained:
    """Let the agents' parts be trained as the settings say, and return their parameters."""
    trained: Trained = {}
    for number, agent in enumerate(agents):
        for name, part in agent.parts().items():
            if settings.how == "lora" and name not in SMALL_PARTS:
                layers = DENOISER_LAYERS if part is agent.denoiser else TEXT_LAYERS
                _inject(part, layers, settings, seed=settings.seed + number)
            else:
                part.requires_grad_(True)
            own = {name: p for name, p in part.named_parameters() if p.requires_grad}
            trained[f"{agent.role}/{name}"] = own
            if settings.checkpointing and getattr(part, "_supports_gradient_checkpointing", False):
                part.enable_gradient_checkpointing()  # type: ignore[operator]
    return trained


def _inject(part: nn.Module, layers: list[str], settings: Settings, *, seed: int) -> None:
    config = LoraConfig(r=settings.lora_rank, lora_alpha=settings.lora_alpha, target_modules=layers)
    with torch.random.fork_rng(devices=[]):  # A is drawn, B is zero: at first the network is what it was
        torch.manual_seed(seed)
        inject_adapter_in_model(config, part)
    for name, parameter in part.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()


def merge(part: nn.Module) -> None:
    """Add the adapters to the weights that they adapt, and take them out."""
    for layer in _adapted(part):
        layer.merge()
    remove(part)


def remove(part: nn.Module) -> None:
    """Take the adapters out; without `merge`, the network is what it was before them."""
    for parent in list(part.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, BaseTunerLayer):
                setattr(parent, name, child.get_base_layer())
    if hasattr(part, "peft_config"):
        del part.peft_config


def _adapted(part: nn.Module) -> Iterator[Any]:
    return (module for module in part.modules() if isinstance(module, BaseTunerLayer))
