"""The losses: each agent's own (equation 3) with min-SNR weights, the film's (4), and how they are added up (4b)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from models.training.together.contract import Trainable, Winners
from models.training.together.levels import Prediction, noised, precise, wanted

GAMMA = 5.0
"""The paper's SNR gamma (Mora, A.9)."""
SMALLEST = 1e-12
FILM = "film"
"""Name of the loss of the finished film, beside those of the agents' parts."""


def min_snr(prediction: Prediction, alpha_bar: Tensor, gamma: float = GAMMA) -> Tensor:
    """Return w(t) of equation 3 on a network's own prediction, like `alpha_bar` (min-SNR, Hang et al. 2023).

    With SNR = alpha_bar / (1 - alpha_bar): x0 min(SNR, gamma); eps min(SNR, gamma) / SNR;
    v min(SNR, gamma) / (SNR + 1); flow 1. In terms of alpha_bar, so that nothing is divided by an SNR of 0: at zero
    terminal SNR the weights are 0, 1, 0 and 1.
    """
    noise = 1 - alpha_bar
    if prediction == "x0":
        return (alpha_bar / noise.clamp(min=1e-8)).clamp(max=gamma)
    if prediction == "eps":
        return (gamma * noise / alpha_bar.clamp(min=1e-8)).clamp(max=1)
    if prediction == "v":
        return torch.minimum(alpha_bar, gamma * noise)
    return torch.ones_like(alpha_bar)


def own_loss(agent: Trainable, winners: Winners, draw: torch.Generator) -> Tensor:
    """Return equation 3 of one agent on its own product, a scalar (Mora, section 3.2, with A.9's min-SNR).

    L_i = E_t[ w(t) rho |prediction - wanted|^2 ]: with w on the network's own prediction this is, for x0, eps and v,
    min(SNR, gamma) |x0^ - E(target_i)|^2. Everything that the agent is given is the winners'.
    """
    clean = precise(agent.target(winners))
    times = agent.levels.training_times(torch.rand(len(clean), generator=draw)).to(clean.device)
    noise = torch.randn(clean.shape, generator=draw).to(clean)
    level = agent.levels.at(times, clean)
    condition = agent.condition(winners.prompts[agent.role])
    given = agent.given(winners, condition, None, draw)
    predicted = precise(agent.predict(noised(clean, noise, level), times, condition, given))
    weight = min_snr(agent.prediction, level.alpha_bar) * agent.emphasis(winners)
    return (weight * (predicted - wanted(agent.prediction, clean, noise, level)).square()).mean()


def film_loss(agents: tuple[Trainable, ...], winners: Winners, picture: Tensor, frames: Tensor) -> Tensor:
    """Return equation 4: mean over the frames of rho |V^ - V*|^2, a scalar (Mora, section 3.2 and algorithm 1).

    picture: what stands first in the drawn film, (B, 3, H, W); frames: the compared ones, (B, F, 3, H, W).
    """
    later = agents[-1].pixel_emphasis(winners) * (precise(frames) - winners.compared).square()
    first = agents[-2].pixel_emphasis(winners) * (precise(picture) - winners.first).square()
    count = frames.shape[1]
    return (later.mean() * count + first.mean()) / (count + 1)


@dataclass(frozen=True)
class Sizes:
    """m of equation 4b: the mean of each loss over the first batches, before anything is trained."""

    means: Mapping[str, float]

    @classmethod
    def measured(cls, batches: Iterable[Mapping[str, float]]) -> "Sizes":
        """Return the mean of each loss over `batches`."""
        rows = list(batches)
        return cls({name: max(SMALLEST, sum(row[name] for row in rows) / len(rows)) for name in rows[0]})

    def total(self, losses: Mapping[str, Tensor], share: float) -> Tensor:
        """Return equation 4b: share L_film / m_film + (1 - share) mean_i L_i / m_i, a scalar.

        losses: by name, the film's under `FILM`; one that `share` leaves out may be missing. Unscaled, the film's loss
        would not count: it is a fiftieth of the others.
        """
        scaled = {name: loss / self.means[name] for name, loss in losses.items()}
        own = [loss for name, loss in scaled.items() if name != FILM]
        parts = [(1 - share) * torch.stack(own).mean()] if own and share < 1 else []
        return torch.stack([*parts, share * scaled[FILM]] if FILM in scaled else parts).sum()
