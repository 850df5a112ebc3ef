"""The film as the user sees it, with gradient from its pixels back to every agent: equation 4 (Mora, algorithm 1).

Algorithm 1 differentiates the last output of O_i = M_i(O_{i-1}, e~_i). Sampling is tens of steps an agent, so here the
chain begins near its end: at the winner with noise on it (anchored; InstructVideo 2312.12490, SRPO 2509.06942), or at
fresh noise with gradient through the last steps alone (DRaFT-K 2309.17400).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from models.agent import Role
from models.training.together.contract import Inputs, Trainable, Winners, add_noise, denoise
from models.training.together.levels import ddim_step, precise

Start = Literal["target", "own-noise"]


@dataclass(frozen=True)
class Drawn:
    """What the chain drew: the picture that the film begins with, (B, 3, H, W), and its compared frames."""

    picture: Tensor
    frames: Tensor


@dataclass(frozen=True)
class Chain:
    """The agents in the order of the path; steps: those of each one's sampling, last_steps: K, those with gradient."""

    agents: tuple[Trainable, ...]
    steps: Mapping[Role, int]
    last_steps: int = 2
    start: Start = "target"

    def draw(self, winners: Winners, draw: torch.Generator) -> Drawn:
        """Draw the winners' film again, with gradient: equation 4, in the notation of algorithm 1.

        x_K = signal E(I*) + noise eps; K DDIM steps; O_i = D(x0^), for A2 and then for A3; the last agent, conditioned
        on O_{i-1}, draws from V* noised at one of its own times, in one step.
        """
        picture: Tensor | None = None
        for agent in self.agents[:-1]:
            told = agent.condition(winners.prompts[agent.role])
            given = agent.given(winners, told, picture, draw)
            picture = agent.decode(self._sampled(agent, winners, told, given, self.last_steps, draw), winners)
        assert picture is not None, "a path has two agents at least"
        last = self.agents[-1]
        told = last.condition(winners.prompts[last.role])
        given = last.given(winners, told, picture, draw)
        if self.start == "own-noise":
            return Drawn(picture, last.decode(self._sampled(last, winners, told, given, 1, draw), winners))
        clean, times = precise(last.target(winners)), last.levels.timesteps(self.steps[last.role])
        one = times[torch.randint(len(times), (1,), generator=draw)].expand(len(clean)).to(clean.device)
        noisy = add_noise(last, clean, one, torch.randn(clean.shape, generator=draw).to(clean))
        return Drawn(picture, last.decode(denoise(last, noisy, one, told, given), winners))

    def _sampled(
        self, agent: Trainable, winners: Winners, told: Inputs, given: Inputs, last_steps: int, draw: torch.Generator
    ) -> Tensor:
        """Return the clean latents at the end of the agent's sampling; gradient through the last steps only."""
        clean = precise(agent.target(winners))
        times = agent.levels.timesteps(self.steps[agent.role]).to(clean.device)
        noise = torch.randn(clean.shape, generator=draw).to(clean)
        if self.start == "target":
            times = times[-last_steps:]
            noisy = add_noise(agent, clean, times[:1].expand(len(clean)), noise)
        else:
            noisy = noise
        for i, time in enumerate(times):
            now = time.expand(len(clean))
            with torch.set_grad_enabled(i >= len(times) - last_steps and torch.is_grad_enabled()):
                clean = denoise(agent, noisy, now, told, given)
                if i + 1 < len(times):
                    there = times[i + 1].expand(len(clean))
                    noisy = ddim_step(noisy, clean, agent.levels.at(now, clean), agent.levels.at(there, clean))
        return clean
