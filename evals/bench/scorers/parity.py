"""Our metrics against what VBench's official code printed, on the parity cases in tests/evals/data.

`python -m evals.bench.scorers.parity [CLIP...]`, in a clone. The test suite checks the same on most of the clips.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import torch
from rich.console import Console
from rich.table import Table

from evals.metrics.base import Metric, Score
from evals.metrics.frames import Conditioning, judge
from evals.metrics.registry import METRICS
from evals.metrics.vbench import dynamic_degree
from evals.networks.weights.loader import NetworkLoader
from tests.support.vbench import CLIPS, EXPECTED, FURTHER_CLIPS, case_of, write_weights

BOUND: Final = 1e-6
BOUNDS: Final = {"imaging_quality": 1e-4}
"""On its scale of 0 to 100."""
RADIUS_BOUND_PX: Final = 1e-3


@dataclass(frozen=True)
class Held:
    """One score against the official one. off: the largest difference; seconds: processor time, decoding included."""

    metric: str
    clip: str
    ours: float
    official: float
    off: float
    bound: float
    seconds: float

    @property
    def holds(self) -> bool:
        """True within the bound; NaN is not."""
        return self.off <= self.bound


def hold(metric: Metric, clip: str, loader: NetworkLoader) -> Held:
    """One metric on one clip; of dynamic degree every pair's radius as well, in pixels."""
    if metric.name == "dynamic_degree":
        metric = replace(metric, begin=partial(dynamic_degree.DynamicDegree, every_pair=True))
    path, expected = case_of(clip)
    texts = expected["texts"][clip]
    begun = time.process_time()
    score = judge(path, [metric], loader, Conditioning(texts["prompt"], texts["style"]))[metric.name]
    seconds = time.process_time() - begun
    assert isinstance(score, Score), f"{metric.name} left {clip} out: {score.why}"
    official = float(expected["scores"][metric.name][clip])
    off, bound = abs(score.value - official), BOUNDS.get(metric.name, BOUND)
    if metric.name == "dynamic_degree" and off == 0:
        radii = expected["dynamic_degree_pairs"][clip]["pair_max_rad"]
        off = max(abs(mine - theirs) for mine, theirs in zip(score.values, radii, strict=True))
        bound = RADIUS_BOUND_PX
    return Held(metric.name, clip, score.value, official, off, bound, seconds)


def table_of(held: Sequence[Held]) -> Table:
    """What was held against what, as a person reads it."""
    table = Table("metric", "clip", "ours", "official", "off by", "bound", "seconds", "")
    for one in held:
        mark = "[green]holds[/green]" if one.holds else "[red]broken[/red]"
        figures = f"{one.ours:.7f}", f"{one.official:.7f}", f"{one.off:.1e}", f"{one.bound:g}", f"{one.seconds:.2f}"
        table.add_row(one.metric, one.clip, *figures, mark)
    return table


def main(clips: Sequence[str]) -> int:
    """Prints the table; 0 when every score holds."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        write_weights(Path(folder))
        loader = NetworkLoader(Path(folder))
        rows = [metric for metric in METRICS if metric.name in EXPECTED["scores"]]
        held, console = [], Console(width=140)
        for metric, clip in product(rows, clips):
            if clip not in case_of(clip)[1]["scores"][metric.name]:
                continue
            console.print(f"{metric.name} of {clip} ...", end="\r")
            held.append(hold(metric, clip, loader))
    console.print(table_of(held))
    return 0 if all(one.holds for one in held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or (*CLIPS, *FURTHER_CLIPS)))
