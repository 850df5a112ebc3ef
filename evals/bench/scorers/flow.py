"""What RAFT costs as dynamic degree asks it, against the published way, in processor seconds on one thread.

`python -m evals.bench.scorers.flow [WIDTH HEIGHT FRAMES]`. The published way: both frames' features anew for every
pair, the whole recurrent unit, the mask and the upsampling in all 20 iterations, and every pair. Weights by chance: the
time of a forward does not depend on them, and the flow of both ways is compared.
"""

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from evals.metrics.base import Video
from evals.metrics.vbench.dynamic_degree import SAMPLED_FPS, Criterion
from evals.networks.correlation import Correlations, grid
from evals.networks.raft import CONTEXT, HIDDEN, ITERATIONS, RADIUS, STRIDE, Raft, centred, upsampled

ROUNDS: Final = 3


def published(raft: Raft, first: Tensor, second: Tensor) -> Tensor:
    """The flow of one pair by Teed and Deng's forward pass, nothing left out: frames (1, 3, H, W) -> (1, 2, H, W)."""
    maps, unit = raft.features(torch.cat([first, second])), raft.update_block.gru
    height, width = maps.shape[-2:]
    correlations, start = Correlations(maps[:1], maps[1:]), grid(height, width, like=maps)
    hidden, context = torch.split(raft.cnet(centred(first)), [HIDDEN, CONTEXT], dim=1)
    hidden, context = torch.tanh(hidden), torch.relu(context)
    flow, fine = torch.zeros_like(start), torch.empty(0)
    for _ in range(ITERATIONS):
        motion = raft.update_block.encoder(flow, correlations.look_up(start + flow, RADIUS))
        for update, reset, candidate, padding in (
            (unit.convz1, unit.convr1, unit.convq1, (0, 2)),
            (unit.convz2, unit.convr2, unit.convq2, (2, 0)),
        ):
            seen = torch.cat([hidden, context, motion], dim=1)
            share, kept = (
                torch.sigmoid(torch.conv2d(seen, gate.weight, gate.bias, padding=padding)) for gate in (update, reset)
            )
            seen = torch.cat([kept * hidden, context, motion], dim=1)
            tried = torch.tanh(torch.conv2d(seen, candidate.weight, candidate.bias, padding=padding))
            hidden = (1 - share) * hidden + share * tried
        flow = flow + raft.update_block.flow_head(hidden)
        fine = upsampled(flow, 0.25 * raft.update_block.mask(hidden))
    return fine


def seconds(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Processor seconds, the best of ROUNDS, and the answer."""
    took = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        answer = work()
        took.append(time.process_time() - begun)
    return min(took), answer


def main(width: int = 720, height: int = 480, frames: int = 49) -> int:
    """Prints one pair's seconds both ways, and those of a clip at 8 frames a second whose pairs all move."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    raft = Raft().eval()
    pair = 255 * torch.rand(2, 3, -height % STRIDE + height, -width % STRIDE + width)
    first, second = pair[:1], pair[1:]
    with torch.inference_mode():
        theirs, whole = seconds(lambda: published(raft, first, second))
        features, maps = seconds(lambda: raft.features(first))
        later = raft.features(second)
        rest, lean = seconds(lambda: raft.flow(first, maps, later))
    question = Criterion.of(Video(frames, Fraction(SAMPLED_FPS), width, height))
    ours = features + rest
    table = Table(f"{width}x{height}, {frames} frames", "published way", "here", "ratio")
    table.add_row("a pair", f"{theirs:.2f} s", f"{ours:.2f} s", f"{ours / theirs:.2f}")
    moving = question.needed * ours + features
    table.add_row(
        f"a moving clip, {question.needed} of {question.pairs} pairs",
        f"{question.pairs * theirs:.0f} s",
        f"{moving:.0f} s",
        f"{moving / (question.pairs * theirs):.2f}",
    )
    Console(width=120).print(table)
    Console(width=120).print(f"The flows differ by at most {(whole - lean).abs().max():.1e} px.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
