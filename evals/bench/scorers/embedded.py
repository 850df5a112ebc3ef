"""How far the embedded scorer can be trusted: which of all sentences it finds nearest to a true frame."""

from itertools import product
from typing import Final

import torch
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from torch.nn import functional

from evals.intervals import Estimate
from evals.metrics.world.embedded import prepared
from evals.networks.embedded import SCORER
from evals.networks.weights.loader import NetworkLoader, forward
from evals.world.cases import cases
from evals.world.results import share_of
from models.embedded.language import COLOURS, OBJECTS, SCENES, Scenery

CHOICES: Final = tuple(
    Scenery(object_, colour, scene, "stays still", digital)
    for object_, colour, scene, digital in product(OBJECTS, COLOURS, SCENES, (False, True))
)
"""Everything that a single frame shows: 240 sentences."""
ASPECTS: Final = ("object", "colour", "scene", "digital")


class Trust(BaseModel):
    """Shares of `n` true frames of held-out combinations; chance is 1 of 240 for `all`."""

    model_config = ConfigDict(frozen=True)

    n: int
    weights: str
    shares: dict[str, Estimate]


def measure_scorer(*, n: int, seed: int) -> Trust:
    """The nearest of the 240 sentences against what a frame truly shows, attribute by attribute and all at once."""
    loader = NetworkLoader(None)
    scorer = loader.get(SCORER)
    sentences = torch.cat([scorer.tokens(choice.sentence) for choice in CHOICES])
    with torch.inference_mode():
        words = functional.normalize(scorer.of_texts(sentences), dim=-1)
    asked = cases(n, held_out=True, seed=seed)
    frames = torch.cat([prepared(case.truth()[len(case.truth()) // 2][None]) for case in asked])
    nearest = (functional.normalize(forward(scorer, frames, 1), dim=-1) @ words.T).argmax(dim=1).tolist()
    found = [CHOICES[index] for index in nearest]
    right = {
        aspect: [getattr(one, aspect) == getattr(case.scenery, aspect) for one, case in zip(found, asked, strict=True)]
        for aspect in ASPECTS
    }
    shares = {aspect: share_of(marks) for aspect, marks in right.items()}
    shares["all"] = share_of([all(marks) for marks in zip(*right.values(), strict=True)])
    return Trust(n=n, weights=loader.sha256(SCORER), shares=shares)


def table_of(trust: Trust) -> Table:
    """The shares as a person reads them."""
    table = Table("nearest of 240 sentences", "right", title=f"Embedded scorer, {trust.n} held-out frames; 95 %")
    for name, share in trust.shares.items():
        assert share.value is not None and share.low is not None and share.high is not None
        table.add_row(name, f"{share.value:.1%} ({share.low:.1%} .. {share.high:.1%})")
    return table
