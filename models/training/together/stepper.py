"""One update in the order of algorithm 1: equation 5, then the average, equation 6 (Mora, section 3.2 and A.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.backends.tokens import Token
from models.training.together.adapters import Trained
from models.training.together.modulation import Factors
from models.training.together.settings import Settings

EMA_DECAY = 0.999


def ema_decay(step: int) -> float:
    """Return equation 6's decay after `step` updates: A.9's 0.999, but less at first.

    After A.9's 12 steps, 0.999 alone would leave 98.8 % of the old weights.
    """
    return min(EMA_DECAY, (1 + step) / (10 + step))


class NotFinite(ArithmeticError):
    """A part's gradient is not a number; nothing was updated."""


@dataclass
class Stepper:
    """Optimisers, modulation factors and averages of a training.

    trained: parameters by `role/part`; tokens: by role, none without modulation.
    """

    trained: Trained
    tokens: Mapping[str, Token]
    factors: Factors
    settings: Settings

    def __post_init__(self) -> None:
        """Make the optimisers: a group an agent, whose rate is alpha_i times the rate."""
        groups: dict[str, list[nn.Parameter]] = {}
        for name, parameters in self.trained.items():
            groups.setdefault(_role(name), []).extend(parameters.values())
        self._theta = torch.optim.AdamW(
            [{"params": members, "role": role} for role, members in groups.items()],
            lr=self.settings.rate,
            weight_decay=self.settings.weight_decay,
        )
        tokens = [token.z for token in self.tokens.values()]
        self._z = torch.optim.AdamW(tokens, lr=self.settings.z_rate, weight_decay=0) if tokens else None
        self.averages = {name: value.detach().clone() for name, value in self.values().items()}

    def values(self) -> dict[str, nn.Parameter]:
        """Return everything that is trained, by `role/part/name` and `role/z`."""
        theta = {f"{name}/{key}": p for name, own in self.trained.items() for key, p in own.items()}
        return theta | {f"{role}/z": token.z for role, token in self.tokens.items()}

    def update(self, step: int) -> dict[str, float]:
        """Apply the gradients that are there as update `step`, 0-based; return their norms by part, before clipping.

        Raises NotFinite, with nothing updated.
        """
        norms = self._clipped()
        if self._z is not None:
            self._z.step()  # z_i <- AdamW(z_i, eta_z)
        self.factors.follow(self.tokens, _by_role(norms))  # alpha_i, from the z that has just moved
        for group in self._theta.param_groups:
            group["lr"] = self.factors.alpha[group["role"]] * self.settings.rate
        self._theta.step()  # theta_i <- AdamW(theta_i, alpha_i eta_theta)
        self._average(step + 1)
        for parameter in self.values().values():
            parameter.grad = None
        return norms

    def _clipped(self) -> dict[str, float]:
        """Clip every part by itself: `pace` has ten times the gradient of a UNet, and together it would silence it."""
        norms = {
            name: float(nn.utils.clip_grad_norm_(own.values(), self.settings.clip))
            for name, own in self.trained.items()
        }
        sizes = norms | {
            f"{role}/z": float(token.z.grad.norm()) for role, token in self.tokens.items() if token.z.grad is not None
        }
        if wrong := [name for name, norm in sizes.items() if not norm < float("inf")]:
            raise NotFinite(wrong[0])
        return sizes

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """Equation 6."""
        values, decay = self.values(), ema_decay(step)
        torch._foreach_lerp_(list(self.averages.values()), list(values.values()), 1 - decay)

    def moments(self) -> dict[str, Tensor]:
        """Return AdamW's state by `moment/role/part/name`."""
        found: dict[str, Tensor] = {}
        for name, parameter in self.values().items():
            for moment, value in self._state_of(name).get(parameter, {}).items():
                found[f"{moment}/{name}"] = torch.as_tensor(value)
        return found

    @torch.no_grad()
    def restore(self, stored: Mapping[str, Tensor], alpha: Mapping[str, float]) -> None:
        """Take over values, averages and moments as they were saved; see `tensors`."""
        for name, parameter in self.values().items():
            parameter.copy_(stored[f"value/{name}"])
            self.averages[name].copy_(stored[f"average/{name}"])
            state = {m: stored[f"{m}/{name}"] for m in ("step", "exp_avg", "exp_avg_sq") if f"{m}/{name}" in stored}
            if state:
                self._state_of(name)[parameter] = {
                    m: value.to("cpu" if m == "step" else parameter.device, copy=True) for m, value in state.items()
                }
        self.factors.alpha.update(alpha)

    def tensors(self) -> dict[str, Tensor]:
        """Return values, averages and moments, to be saved."""
        values = {f"value/{name}": p.detach() for name, p in self.values().items()}
        return values | {f"average/{name}": v for name, v in self.averages.items()} | self.moments()

    @torch.no_grad()
    def take_averages(self) -> None:
        """Let the networks have the averaged weights."""
        for name, parameter in self.values().items():
            parameter.copy_(self.averages[name])

    def _state_of(self, name: str) -> Any:
        return self._z.state if self._z is not None and name.endswith("/z") else self._theta.state


def _role(name: str) -> str:
    return name.partition("/")[0]


def _by_role(norms: Mapping[str, float]) -> dict[str, float]:
    squares: dict[str, float] = {}
    for name, norm in norms.items():
        if not name.endswith("/z"):
            squares[_role(name)] = squares.get(_role(name), 0.0) + norm**2
    return {role: square**0.5 for role, square in squares.items()}
