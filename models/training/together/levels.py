"""Noise levels: what x_t is made of, and the closed forms between what a network predicts and clean latents.

Everywhere x_t = signal * x_0 + noise * eps. Diffusion keeps signal^2 + noise^2 = 1, rectified flow signal + noise = 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

Prediction = Literal["x0", "eps", "v", "flow"]
OF_DIFFUSERS: dict[str, Prediction] = {
    "sample": "x0",
    "epsilon": "eps",
    "v_prediction": "v",
    "flow_prediction": "flow",
}
"""diffusers' names of the predictions."""


@dataclass(frozen=True)
class Level:
    """Shares of signal and noise, (N, 1, ...) each: they multiply latents (N, ...)."""

    signal: Tensor
    noise: Tensor

    @property
    def alpha_bar(self) -> Tensor:
        """signal^2 / (signal^2 + noise^2): SNR = alpha_bar / (1 - alpha_bar), also for flow."""
        power = self.signal**2
        return power / (power + self.noise**2)


class Levels(Protocol):
    """The times of a diffusion process; a time is what the denoiser is told."""

    def at(self, t: Tensor, like: Tensor) -> Level:
        """Return the level of times `t` (N,) for latents like `like`, (N, ...)."""

    def timesteps(self, steps: int) -> Tensor:
        """Return the times of sampling in `steps` steps, (steps,), the noisiest first."""

    def training_times(self, uniform: Tensor) -> Tensor:
        """Return times to train at, (N,), for numbers in [0, 1)."""


@dataclass(frozen=True)
class TableLevels:
    """The levels of a scheduler with a table of alpha_bar; times are its whole numbers.

    earliness: training times are T (1 - u^earliness); 1 is uniform, 2 draws high noise levels more often.
    """

    scheduler: Any
    earliness: float = 1.0

    def at(self, t: Tensor, like: Tensor) -> Level:
        """Return the level of times `t`."""
        alpha_bar = self.scheduler.alphas_cumprod.to(t.device)[t].to(_dtype(like))
        return _level(alpha_bar.sqrt(), (1 - alpha_bar).sqrt(), like)

    def timesteps(self, steps: int) -> Tensor:
        """Return the scheduler's own times."""
        self.scheduler.set_timesteps(steps)
        last = self.scheduler.config.num_train_timesteps - 1
        times: Tensor = self.scheduler.timesteps.round().long().clamp(0, last)
        return times

    def training_times(self, uniform: Tensor) -> Tensor:
        """Return whole numbers between 0 and the table's end."""
        last = self.scheduler.config.num_train_timesteps - 1
        return ((1 - uniform**self.earliness) * (last + 1)).long().clamp(max=last)


@dataclass(frozen=True)
class SigmaLevels:
    """The levels of Stable Video Diffusion (Karras et al. 2022): x_0 + sigma eps, scaled by 1 / sqrt(1 + sigma^2).

    Times are sigma; `network_time` is what the denoiser is told of it. With that scaling the network's v-prediction is
    the usual one: x_0 = signal x_t - noise v.
    """

    scheduler: Any

    def at(self, t: Tensor, like: Tensor) -> Level:
        """Return the level of sigmas `t`."""
        scale = (1 + t**2).rsqrt().to(_dtype(like))
        return _level(scale, t.to(_dtype(like)) * scale, like)

    def timesteps(self, steps: int) -> Tensor:
        """Return the scheduler's own sigmas, without the last one, which is 0."""
        self.scheduler.set_timesteps(steps)
        sigmas: Tensor = self.scheduler.sigmas[:-1]
        return sigmas.clone()

    def training_times(self, uniform: Tensor) -> Tensor:
        """Return sigmas between the scheduler's extremes by the rule of Karras et al. 2022, equation 5, rho = 7."""
        ends = self.timesteps(1000)
        high, low = ends[0] ** (1 / 7), ends[-1] ** (1 / 7)
        return (high + uniform * (low - high)) ** 7

    def network_time(self, t: Tensor) -> Tensor:
        """Return what the denoiser is told of sigmas `t` (N,): ln(sigma) / 4, or the place in the scheduler's table."""
        config = self.scheduler.config
        if config.timestep_type == "continuous" and config.prediction_type == "v_prediction":
            return t.log() / 4
        betas = self.scheduler.alphas_cumprod.to(t.device)
        table = ((1 - betas) / betas).sqrt().log().to(t.dtype)
        above = torch.searchsorted(table, t.log()).clamp(1, len(table) - 1)
        share = (t.log() - table[above - 1]) / (table[above] - table[above - 1])
        return (above - 1 + share).clamp(0, len(table) - 1)


@dataclass(frozen=True)
class FlowLevels:
    """The levels of rectified flow: (1 - sigma) x_0 + sigma eps; times are 1000 sigma.

    shift: the sampler's own, sigma = shift u / (1 + (shift - 1) u).
    """

    scheduler: Any
    shift: float

    def at(self, t: Tensor, like: Tensor) -> Level:
        """Return the level of times `t`."""
        sigma = (t / self.scheduler.config.num_train_timesteps).to(_dtype(like))
        return _level(1 - sigma, sigma, like)

    def timesteps(self, steps: int) -> Tensor:
        """Return 1000 times the scheduler's own sigmas, without the last one, which is 0."""
        self.scheduler.set_timesteps(steps)
        sigmas: Tensor = self.scheduler.sigmas[:-1]
        return self.scheduler.config.num_train_timesteps * sigmas.float()

    def training_times(self, uniform: Tensor) -> Tensor:
        """Return times by the sampler's shift."""
        u = 1 - uniform
        return self.scheduler.config.num_train_timesteps * self.shift * u / (1 + (self.shift - 1) * u)

    def network_time(self, t: Tensor) -> Tensor:
        """Return what the denoiser is told of times `t`: some schedulers tell whole numbers."""
        return t if self.scheduler.timesteps.is_floating_point() else t.long().to(t.dtype)


def _dtype(like: Tensor) -> torch.dtype:
    """Shares of noise are float32 at least: in bfloat16, 1 - alpha_bar would have steps of 0.004."""
    return torch.promote_types(like.dtype, torch.float32)


def _level(signal: Tensor, noise: Tensor, like: Tensor) -> Level:
    shape = (-1, *([1] * (like.dim() - 1)))
    return Level(signal.to(like.device).view(shape), noise.to(like.device).view(shape))


def noised(clean: Tensor, noise: Tensor, level: Level) -> Tensor:
    """Return x_t = signal x_0 + noise eps."""
    return level.signal * clean + level.noise * noise


_CLEAN: dict[Prediction, Callable[[Tensor, Tensor, Level], Tensor]] = {
    "x0": lambda predicted, _noisy, _level: predicted,
    "eps": lambda predicted, noisy, level: (noisy - level.noise * predicted) / level.signal.clamp(min=1e-8),
    "v": lambda predicted, noisy, level: level.signal * noisy - level.noise * predicted,
    "flow": lambda predicted, noisy, level: noisy - level.noise * predicted,
}
_WANTED: dict[Prediction, Callable[[Tensor, Tensor, Level], Tensor]] = {
    "x0": lambda clean, _noise, _level: clean,
    "eps": lambda _clean, noise, _level: noise,
    "v": lambda clean, noise, level: level.signal * noise - level.noise * clean,
    "flow": lambda clean, noise, _level: noise - clean,
}


def clean_from(prediction: Prediction, predicted: Tensor, noisy: Tensor, level: Level) -> Tensor:
    """Return the estimate of x_0 that a network's output (N, ...) stands for."""
    return _CLEAN[prediction](predicted, noisy, level)


def wanted(prediction: Prediction, clean: Tensor, noise: Tensor, level: Level) -> Tensor:
    """Return what a network should have predicted for x_t = signal x_0 + noise eps, (N, ...)."""
    return _WANTED[prediction](clean, noise, level)


def precise(value: Tensor) -> Tensor:
    """Return the tensor in float32 at least: losses and places are not computed in half precision."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def ddim_step(noisy: Tensor, clean: Tensor, here: Level, there: Level) -> Tensor:
    """Take one deterministic step to the level `there` (DDIM, Song et al. 2021; Euler's step for flow)."""
    eps = (noisy - here.signal * clean) / here.noise.clamp(min=1e-8)
    return there.signal * clean + there.noise * eps
