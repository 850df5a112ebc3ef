"""The training loop of all embedded networks: AdamW, EMA, warm-up and decay, checkpoints without pickle."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

EMA_DECAY = 0.999
SAVE_EVERY_SECONDS = 60.0
REPORT_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Schedule:
    """Number of steps and learning rate: linear warm-up, constant, linear decay to 0 over the last `decay` share."""

    steps: int
    learning_rate: float
    warmup: int = 200
    decay: float = 0.3

    def rate(self, step: int) -> float:
        """Return the learning rate of step `step`, 0-based."""
        falling = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warmup, falling)


@dataclass(frozen=True)
class Progress:
    """Progress of a stage. loss: mean since the last report; seconds_left: estimated from this process's speed."""

    stage: str
    step: int
    steps: int
    loss: float
    seconds_left: float


Loss = Callable[[np.random.Generator, int], Tensor]
"""(generator of this step, step) -> scalar loss. The same step always draws the same samples and noise."""


def fit(
    stage: str,
    network: nn.Module,
    loss: Loss,
    schedule: Schedule,
    *,
    checkpoint: Path,
    seed: int,
    autocast: torch.dtype | None,
    report: Callable[[Progress], None],
) -> None:
    """Train `network` in place to the end of `schedule`, resuming from `checkpoint`; it ends with its EMA weights.

    autocast: bfloat16 if the device multiplies it natively, None for float32.
    """
    optimizer = torch.optim.AdamW(network.parameters(), schedule.learning_rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    begun = step = _load(checkpoint, network, optimizer, average) if checkpoint.exists() else 0
    device = next(network.parameters()).device
    started = saved = reported = time.monotonic()
    losses: list[float] = []
    while step < schedule.steps:
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        rng = np.random.default_rng([seed, step])
        torch.manual_seed(int(rng.integers(2**62)))
        with torch.autocast(device.type, autocast or torch.bfloat16, enabled=autocast is not None):
            value = loss(rng, step)
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        _follow(average, network, min(EMA_DECAY, (1 + step) / (10 + step)))
        losses.append(value.item())
        now = time.monotonic()
        if now - reported > REPORT_EVERY_SECONDS or step == schedule.steps:
            left = (now - started) / (step - begun) * (schedule.steps - step)
            report(Progress(stage, step, schedule.steps, float(np.mean(losses)), left))
            reported, losses = now, []
        if now - saved > SAVE_EVERY_SECONDS or step == schedule.steps:
            _save(checkpoint, network, optimizer, average, step)
            saved = now
    network.load_state_dict(average)


@torch.no_grad()
def _follow(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)


def _tensors(
    network: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    for name, value in network.state_dict().items():
        yield f"weight/{name}", value
        yield f"average/{name}", average[name]
    for name, parameter in network.named_parameters():
        for moment, value in optimizer.state.get(parameter, {}).items():
            yield f"{moment}/{name}", torch.as_tensor(value)


def _save(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor], step: int
) -> None:
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in _tensors(network, optimizer, average)}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    save_file(tensors, draft, metadata={"mora": json.dumps({"step": step})})
    with draft.open("r+b") as file:  # Windows flushes only what may be written
        os.fsync(file.fileno())
    draft.replace(path)


def _load(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor]) -> int:
    with safe_open(path, framework="pt") as stored:
        network.load_state_dict({name: stored.get_tensor(f"weight/{name}") for name in network.state_dict()})
        for name, value in average.items():
            value.copy_(stored.get_tensor(f"average/{name}"))
        keys = set(stored.keys())
        for name, parameter in network.named_parameters():
            moments = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"{key}/{name}" in keys]
            optimizer.state[parameter] = {
                key: stored.get_tensor(f"{key}/{name}").to("cpu" if key == "step" else parameter.device)
                for key in moments
            }
        return int(json.loads(stored.metadata()["mora"])["step"])
