"""RAFT (large), a network for the optical flow from one frame to the next. Loads `raft-things.pth`.

Implemented from Teed and Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow" (arXiv 2003.12039). Faster
than the published forward pass in two ways, with the same flow up to rounding: a frame's features are computed once for
both of its pairs, and what is constant over the iterations (the context's part of the recurrent unit) or needed only
after the last one (the mask, the upsampling) is computed once.
"""

from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from evals.networks.correlation import LEVELS, SMALLEST_SIDE, Correlations, grid
from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import fill, read_tensors
from evals.networks.weights.network import Network

STRIDE: Final = 8
"""Width in pixels of a cell of the feature maps."""
SMALLEST: Final = STRIDE * SMALLEST_SIDE
"""Least side in pixels of a padded frame."""
ITERATIONS: Final = 20
RADIUS: Final = 4
WINDOW: Final = LEVELS * (2 * RADIUS + 1) ** 2
HIDDEN: Final = 128
CONTEXT: Final = 128
MOTION: Final = 128


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, which is a 1 x 1 convolution if the stride is 2."""

    def __init__(self, inside: int, outside: int, stride: int, norm: type[nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.norm1, self.norm2 = norm(outside), norm(outside)
        self.downsample: nn.Module
        if stride == 1:
            self.downsample = nn.Identity()
        else:
            # The file holds this normalisation under two names; the one registered last wins.
            self.norm3 = norm(outside)
            self.downsample = nn.Sequential(nn.Conv2d(inside, outside, 1, stride), self.norm3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, H / stride, W / stride)."""
        y = torch.relu_(self.norm1(self.conv1(x)))
        y = torch.relu_(self.norm2(self.conv2(y)))
        return torch.relu_(y.add_(self.downsample(x)))


class Encoder(nn.Module):
    """Encode frames into feature maps at an eighth of their size, with six residual blocks."""

    def __init__(self, outside: int, norm: type[nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.norm1 = norm(64)
        self.layer1 = nn.Sequential(Residual(64, 64, 1, norm), Residual(64, 64, 1, norm))
        self.layer2 = nn.Sequential(Residual(64, 96, 2, norm), Residual(96, 96, 1, norm))
        self.layer3 = nn.Sequential(Residual(96, 128, 2, norm), Residual(128, 128, 1, norm))
        self.conv2 = nn.Conv2d(128, outside, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W), -1..1 -> (N, outside, H / 8, W / 8)."""
        x = torch.relu_(self.norm1(self.conv1(frames)))
        maps: Tensor = self.conv2(self.layer3(self.layer2(self.layer1(x))))
        return maps


class MotionEncoder(nn.Module):
    """Encode correlations and the flow they were looked up with into one map, whose last two channels are the flow."""

    def __init__(self) -> None:
        super().__init__()
        self.convc1 = nn.Conv2d(WINDOW, 256, 1)
        self.convc2 = nn.Conv2d(256, 192, 3, padding=1)
        self.convf1 = nn.Conv2d(2, 128, 7, padding=3)
        self.convf2 = nn.Conv2d(128, 64, 3, padding=1)
        self.conv = nn.Conv2d(192 + 64, MOTION - 2, 3, padding=1)

    def forward(self, flow: Tensor, seen: Tensor) -> Tensor:
        """(N, 2, H, W) and (N, WINDOW, H, W) -> (N, MOTION, H, W)."""
        likeness = torch.relu_(self.convc2(torch.relu_(self.convc1(seen))))
        movement = torch.relu_(self.convf2(torch.relu_(self.convf1(flow))))
        both = torch.relu_(self.conv(torch.cat([likeness, movement], dim=1)))
        return torch.cat([both, flow], dim=1)


class Gates(NamedTuple):
    """One direction of the recurrent unit for a pair of frames, split into parts that vary by iteration and fixed ones.

    *_weights: of the update and reset gates together, and of the candidate, for hidden state and motion. *_fixed: the
    context's contribution to each, bias included.
    """

    padding: tuple[int, int]
    gate_weights: Tensor
    gate_fixed: Tensor
    candidate_weights: Tensor
    candidate_fixed: Tensor

    def step(self, hidden: Tensor, motion: Tensor) -> Tensor:
        """Return the next hidden state, (N, HIDDEN, H, W)."""
        both = functional.conv2d(torch.cat([hidden, motion], dim=1), self.gate_weights, padding=self.padding)
        update, reset = torch.sigmoid_(both.add_(self.gate_fixed)).chunk(2, dim=1)
        tried = functional.conv2d(
            torch.cat([reset * hidden, motion], dim=1), self.candidate_weights, padding=self.padding
        )
        return torch.lerp(hidden, torch.tanh_(tried.add_(self.candidate_fixed)), update)


class Recurrent(nn.Module):
    """A convolutional GRU in two passes, along rows and along columns. Its input is context, then motion."""

    def __init__(self) -> None:
        super().__init__()
        channels = HIDDEN + CONTEXT + MOTION
        rows, columns = (1, 5), (5, 1)
        self.convz1, self.convz2 = nn.Conv2d(channels, HIDDEN, rows), nn.Conv2d(channels, HIDDEN, columns)
        self.convr1, self.convr2 = nn.Conv2d(channels, HIDDEN, rows), nn.Conv2d(channels, HIDDEN, columns)
        self.convq1, self.convq2 = nn.Conv2d(channels, HIDDEN, rows), nn.Conv2d(channels, HIDDEN, columns)

    def prepared(self, context: Tensor) -> tuple[Gates, Gates]:
        """Return the unit's two directions for pairs with this context, (N, CONTEXT, H, W)."""
        rows = _gates(context, (0, 2), self.convz1, self.convr1, self.convq1)
        return rows, _gates(context, (2, 0), self.convz2, self.convr2, self.convq2)


def _gates(context: Tensor, padding: tuple[int, int], *convs: nn.Conv2d) -> Gates:
    """Split the convolutions of the update gate, the reset gate and the candidate by their inputs."""
    of_hidden, of_context, of_motion = torch.split(
        torch.cat([conv.weight for conv in convs]), [HIDDEN, CONTEXT, MOTION], dim=1
    )
    bias = torch.cat([conv.bias for conv in convs if conv.bias is not None])
    fixed = functional.conv2d(context, of_context, bias, padding=padding)
    moving = torch.cat([of_hidden, of_motion], dim=1)
    both = 2 * HIDDEN
    return Gates(padding, moving[:both], fixed[:, :both], moving[both:], fixed[:, both:])


class FlowHead(nn.Module):
    """Compute the update of the flow, in cells, from the hidden state."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(HIDDEN, 256, 3, padding=1)
        self.conv2 = nn.Conv2d(256, 2, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, HIDDEN, H, W) -> (N, 2, H, W)."""
        step: Tensor = self.conv2(torch.relu_(self.conv1(hidden)))
        return step


class Update(nn.Module):
    """The modules of one iteration: motion encoder, recurrent unit, flow head, and the upsampling mask."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = MotionEncoder()
        self.gru = Recurrent()
        self.flow_head = FlowHead()
        self.mask = nn.Sequential(
            nn.Conv2d(HIDDEN, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, STRIDE * STRIDE * 9, 1)
        )


class Raft(nn.Module):
    """Computes the features of frames, and the flow between two frames from their features."""

    def __init__(self) -> None:
        super().__init__()
        self.fnet = Encoder(256, nn.InstanceNorm2d)
        self.cnet = Encoder(HIDDEN + CONTEXT, nn.BatchNorm2d)
        self.update_block = Update()

    def features(self, frames: Tensor) -> Tensor:
        """Frames (N, 3, H, W), 0..255, sides multiples of 8 and at least SMALLEST -> (N, 256, H / 8, W / 8)."""
        maps: Tensor = self.fnet(centred(frames))
        return maps

    def flow(self, frames: Tensor, first: Tensor, second: Tensor, iterations: int = ITERATIONS) -> Tensor:
        """Return the flow from `frames` (N, 3, H, W), 0..255, to the next: (N, 2, H, W) in pixels, x before y.

        first, second: the features of these frames and of the frames after them.
        """
        hidden, context = self.cnet(centred(frames)).split([HIDDEN, CONTEXT], dim=1)
        hidden, directions = torch.tanh(hidden), self.update_block.gru.prepared(torch.relu(context))
        height, width = first.shape[-2:]
        correlations, start = Correlations(first, second), grid(height, width, like=first)
        flow = torch.zeros_like(start).expand(len(first), -1, -1, -1)
        for _ in range(iterations):
            motion = self.update_block.encoder(flow, correlations.look_up(start + flow, RADIUS))
            for direction in directions:
                hidden = direction.step(hidden, motion)
            flow = flow + self.update_block.flow_head(hidden)
        return upsampled(flow, 0.25 * self.update_block.mask(hidden))


def load_raft(path: Path) -> Raft:
    """Load RAFT from the official file. Raises BadWeights, naming the tensors that are wrong."""
    raft = Raft()
    # The step counters of the batch normalisations: nothing reads them, and some copies of the file lack them.
    steps = {name: value for name, value in raft.state_dict().items() if name.endswith("num_batches_tracked")}
    fill(raft, {**steps, **read_tensors(path)}, path)
    return raft


def centred(frames: Tensor) -> Tensor:
    """Scale 0..255 to -1..1."""
    return 2 * (frames / 255) - 1


def upsampled(flow: Tensor, mask: Tensor) -> Tensor:
    """Upsample flow in cells (N, 2, H, W) with a mask (N, 576, H, W) to flow in pixels (N, 2, 8 H, 8 W).

    Each pixel's flow is a convex combination of the 3 x 3 coarse flows around it (section 3.3).
    """
    batch, _, height, width = flow.shape
    shares = mask.view(batch, 1, 9, STRIDE, STRIDE, height, width).softmax(dim=2)
    around = functional.unfold(STRIDE * flow, 3, padding=1).view(batch, 2, 9, 1, 1, height, width)
    fine = (shares * around).sum(dim=2)
    return fine.permute(0, 1, 4, 2, 5, 3).reshape(batch, 2, STRIDE * height, STRIDE * width)


RAFT: Final = Network(WEIGHTS["raft"], load_raft)
