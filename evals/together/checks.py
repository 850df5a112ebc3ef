"""What is looked at after each round, and when to stop: collapse looks like success, so variety is measured too."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import torch

from evals.together.films import make_film, places
from evals.together.prompts import Asked
from evals.world.measures import attributes
from models.agent import Lender, Role
from models.embedded.oracle import look
from models.training.together.chain import Chain
from models.training.together.contract import Winners
from models.training.together.losses import film_loss

LEAST_VARIETY, MOST_FALL = 0.7, 0.05


@dataclass(frozen=True)
class Checks:
    """spread: standard deviation of the places that A2 draws for a prompt, mean of x and y over prompts, in sides.

    distance: mean absolute difference of two films of one prompt, in grey levels. success: share of films that show
    what was asked, by the oracle. loss: the film's on winners that are never trained on, None without them.
    """

    spread: float
    distance: float
    success: float
    loss: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """Return it as small JSON values."""
        return asdict(self)


def checked(
    lender: Lender, asked: Sequence[Asked], steps: Mapping[Role, int], *, again: int, seed: int, loss: float | None
) -> Checks:
    """Look at the agents with prompts that no round trains on; of the first, `again` more films are made."""
    drawn = np.random.default_rng([seed, 5]).integers(2**31, size=len(asked) + again).tolist()
    own, seeds = drawn[: len(asked)], drawn[len(asked) :]
    films = [make_film(lender, each, s, steps) for each, s in zip(asked, own, strict=True)]
    good = [all(attributes(look(f.frames), each.shown).values()) for f, each in zip(films, asked, strict=True)]
    same = [make_film(lender, asked[0], s, steps).frames.astype(np.float32) for s in seeds]
    with lender.lend("text_to_image") as painter:
        spread = [places(painter, each.scenery.sentence, seeds)[:, :2].std(axis=0).mean() for each in asked]
    return Checks(
        spread=float(np.mean(spread)),
        distance=float(np.mean([np.abs(a - b).mean() for a, b in combinations(same, 2)])),
        success=float(np.mean(good)),
        loss=loss,
    )


@torch.no_grad()
def validation_loss(chain: Chain, winners: Winners, *, seed: int) -> float:
    """Return the film's loss on winners that are never trained on, at all frames, with the same noise each time."""
    drawn = chain.draw(winners, torch.Generator().manual_seed(seed))
    return film_loss(chain.agents, winners, drawn.picture, drawn.frames).item()


def reason_to_stop(history: Sequence[Checks]) -> str | None:
    """Return in words why the last round is worse, None if it is not.

    history: before the first round, then after each.
    """
    first, last = history[0], history[-1]
    if last.spread < LEAST_VARIETY * first.spread:
        return f"the places drawn for a prompt are less various: {last.spread:.3f} of {first.spread:.3f}"
    if last.distance < LEAST_VARIETY * first.distance:
        return f"the films of a prompt are less various: {last.distance:.1f} of {first.distance:.1f} grey levels"
    if last.success < first.success - MOST_FALL:
        return f"fewer films show what was asked: {last.success:.2f} of {first.success:.2f}"
    losses = [each.loss for each in history[-3:]]
    if len(losses) == 3 and None not in losses and sorted(set(losses)) == losses:  # type: ignore[type-var]
        return f"the film's loss on winners that are not trained on rose twice, to {losses[-1]:.4f}"
    return None
