"""[Mod] tokens of agents that were trained together (Mora, section 3.2): how they reach a network, and their file.

A token reaches a network through a hook that can be removed; without it the network gives its old bytes.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

Modulation = Literal["token", "image token", "time offset"]
"""How z reaches an agent: a token of its text, of its picture embedding, or an offset of its time embedding."""
OFFSET_SEED = 5
"""Seed of R, the fixed matrix that carries z into a time embedding."""
ATTRIBUTE = "mod_token"
"""Where a network keeps its token, beside its parameters."""
FOLDER, NAME = "modulation", "token.safetensors"
"""Where a pipeline's token lies, below the pipeline's folder."""


def projection(width: int, embedding: int) -> Tensor:
    """Return R, (width, embedding), with orthonormal rows; from a stored seed, so it needs no saving."""
    assert width <= embedding, f"a token of width {width} has no isometric place in {embedding}"
    drawn = torch.randn(embedding, width, generator=torch.Generator().manual_seed(OFFSET_SEED), dtype=torch.float64)
    return torch.linalg.qr(drawn)[0].T.float().contiguous()


@dataclass
class Token:
    """One agent's [Mod] token.

    z: (1, d), trained; start: z0 of equation 1. full: where a network takes a fixed number of tokens, z takes the last,
    padding, place instead of one more.
    """

    z: nn.Parameter
    start: Tensor
    how: Modulation
    full: bool = False
    _handles: list[RemovableHandle] = field(default_factory=list)
    _network: nn.Module | None = None

    @classmethod
    def beginning(cls, start: Tensor, how: Modulation, *, full: bool = False, random: int | None = None) -> "Token":
        """Return the token that begins as `start` (1, d); random: seed of a Gaussian of the same norm (an ablation)."""
        if random is not None:
            drawn = torch.randn(start.shape, generator=torch.Generator().manual_seed(random)).to(start)
            start = drawn * (start.norm() / drawn.norm())
        start = start.detach().clone()
        return cls(nn.Parameter(start.clone()), start, how, full)

    @property
    def size(self) -> float:
        """|z|."""
        return self.z.detach().norm().item()

    def attach(self, denoiser: nn.Module) -> None:
        """Let every call of the denoiser see z: equation 2, e~_i = [e_i ; z_i], in every guidance branch."""
        assert not self._handles and token_of(denoiser) is None, "a token has one network, and that has one token"
        denoiser.__dict__[ATTRIBUTE], self._network = self, denoiser
        if self.how == "time offset":
            embedding: Any = denoiser.time_embedding
            carry = projection(self.z.shape[1], embedding.linear_2.out_features).to(self.z)

            def moved(_module: nn.Module, _given: Any, output: Tensor) -> Tensor:
                return output + ((self.z - self.start) @ carry).to(output)

            self._handles.append(embedding.register_forward_hook(moved))
        else:
            self._handles.append(denoiser.register_forward_pre_hook(self._extended, with_kwargs=True))

    def _extended(
        self, _module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Append z to the third argument, `encoder_hidden_states` (B, T, d)."""
        if "encoder_hidden_states" in named:
            return given, {**named, "encoder_hidden_states": self.beside(named["encoder_hidden_states"])}
        return (*given[:2], self.beside(given[2]), *given[3:]), named

    def beside(self, states: Tensor) -> Tensor:
        """Return [e ; z], (B, T + 1, d); (B, T, d) if the network takes a fixed number."""
        kept = states[:, :-1] if self.full else states
        return torch.cat([kept, self.z.to(states).unsqueeze(0).expand(len(states), -1, -1)], dim=1)

    def store(self, folder: Path) -> None:
        """Write the token to a pipeline's folder."""
        place = folder / FOLDER
        place.mkdir(parents=True, exist_ok=True)
        told = json.dumps({"how": self.how, "full": self.full})
        tensors = {"z": self.z.detach().cpu().contiguous(), "start": self.start.cpu().contiguous()}
        save_file(tensors, place / NAME, metadata={"mora": told})

    @classmethod
    def stored(cls, folder: Path) -> "Token | None":
        """Return the token in a pipeline's folder, None if it has none."""
        path = folder / FOLDER / NAME
        if not path.exists():
            return None
        with safe_open(path, framework="pt") as file:
            told = json.loads(file.metadata()["mora"])
            z = nn.Parameter(file.get_tensor("z"), requires_grad=False)
            return cls(z, file.get_tensor("start"), told["how"], told["full"])

    def remove(self) -> None:
        """Give the network back as it was."""
        while self._handles:
            self._handles.pop().remove()
        if self._network is not None:
            del self._network.__dict__[ATTRIBUTE]
            self._network = None


def token_of(denoiser: nn.Module) -> Token | None:
    """Return the token that a network has, None without one."""
    token: Token | None = denoiser.__dict__.get(ATTRIBUTE)
    return token


def attach_stored(pipeline: Any, folder: Path) -> None:
    """Let a loaded pipeline have the token that lies in its folder, if one does. Raises SafetensorError, ValueError."""
    token = Token.stored(folder)
    if token is not None:
        token.attach(getattr(pipeline, "unet", None) or pipeline.transformer)
