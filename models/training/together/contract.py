"""What the trainer asks of an agent, and what it is trained on. Knows no pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from models.agent import Role
from models.backends.tokens import Modulation
from models.training.together.levels import Levels, Prediction, clean_from, noised, precise


@dataclass(frozen=True)
class Winners:
    """Films that won their sets: what each agent was told, and what it made of it.

    prompts: sentences (B,) by role; pictures: A2's, float (B, 3, H, W) in [-1, 1]; clips: the films, float
    (B, T, 3, H, W) in [-1, 1]; edited: A3's pictures if it is in the path; layouts: where A2 drew its object, (B, 3),
    for embedded agents; frames: int64 (F,), the frames of the clips that this step compares, without frame 0.
    """

    prompts: Mapping[Role, tuple[str, ...]]
    pictures: Tensor
    clips: Tensor
    edited: Tensor | None = None
    layouts: Tensor | None = None
    frames: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: Tensor) -> "Winners":
        """Return the winners at `rows`, int64 (B,)."""
        numbers: list[int] = rows.tolist()
        return replace(
            self,
            prompts={role: tuple(said[i] for i in numbers) for role, said in self.prompts.items()},
            pictures=self.pictures[rows],
            clips=self.clips[rows],
            edited=None if self.edited is None else self.edited[rows],
            layouts=None if self.layouts is None else self.layouts[rows],
        )

    def to(self, where: torch.device | torch.dtype) -> "Winners":
        """Return the winners with all float tensors on the device, or in the dtype."""
        return replace(
            self,
            pictures=self.pictures.to(where),
            clips=self.clips.to(where),
            edited=None if self.edited is None else self.edited.to(where),
            layouts=None if self.layouts is None else self.layouts.to(where),
        )

    @property
    def first(self) -> Tensor:
        """The pictures that the clips begin with, (B, 3, H, W): A3's if it is in the path, else A2's."""
        return self.pictures if self.edited is None else self.edited

    @property
    def compared(self) -> Tensor:
        """The frames of the clips that this step compares, (B, F, 3, H, W); all but the first if it names none."""
        return self.clips[:, 1:] if self.frames is None else self.clips[:, self.frames]


Inputs = dict[str, Any]
"""Named tensors that only the agent that made them reads."""


class Trainable(Protocol):
    """An agent whose networks are trained. Its denoising loop is the trainer's: a pipeline's own keeps no gradient.

    Latents have the agent's own shape, (N, ...); N is the batch, or batch times frames where frames are drawn alone.
    """

    @property
    def role(self) -> Role:
        """The agent's role."""

    @property
    def pipeline(self) -> Any:
        """The pipeline of diffusers that the agent generates with."""

    @property
    def prediction(self) -> Prediction:
        """What the denoiser predicts."""

    @property
    def levels(self) -> Levels:
        """The noise levels of the agent's diffusion process."""

    @property
    def denoiser(self) -> nn.Module:
        """The network of the denoising loop."""

    def parts(self) -> dict[str, nn.Module]:
        """The networks that may be trained, by name; "unet" or "transformer" first."""

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return what the denoiser is told of `prompts` (B,), with gradient where a part is trained."""

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:
        """Return what the denoiser is given besides the prompt.

        told: the agent's `condition`. picture: what the agent before it drew, (B, 3, H, W), with gradient; None for the
        stored one, and then everything comes from the winners. draw: generator of the noise on the picture, where a
        model wants some.
        """

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of what the agent drew for the winners, without gradient."""

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
        """Return the denoiser's own prediction for noisy latents at times `t` (N,)."""

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:
        """Decode latents with gradient: a picture (B, 3, H, W), or the compared frames (B, F, 3, H, W)."""

    def emphasis(self, winners: Winners) -> Tensor:
        """Return rho of equation 3, a weight for each cell of the target; from the target alone, without gradient."""

    def pixel_emphasis(self, winners: Winners) -> Tensor:
        """Return rho of equation 4 for `decode`'s pixels; from the target alone, without gradient."""

    def small_losses(self, winners: Winners) -> dict[str, Tensor]:
        """Return the losses of equation 3b by the part that they train; empty if there are none."""

    def modulation(self) -> Modulation:
        """How z reaches this agent."""

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:
        """Return z0 of equation 1, (1, d), and how it was got, in words. pictures: the winners', (B, 3, H, W)."""


def denoise(agent: Trainable, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
    """Return the agent's estimate of the clean latents, in closed form from its prediction of eps, v or flow."""
    level = agent.levels.at(t, noisy)
    return clean_from(agent.prediction, precise(agent.predict(noisy, t, condition, given)), noisy, level)


def add_noise(agent: Trainable, clean: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """Return clean latents (N, ...) with `noise` as at times `t` (N,)."""
    return noised(clean, noise, agent.levels.at(t, clean))
