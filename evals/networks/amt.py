"""AMT-S, a network that interpolates the frame between two frames. Loads `amt-s.pth`.

Implemented from Li et al., "AMT: All-Pairs Multi-Field Transforms for Efficient Frame Interpolation" (arXiv
2304.09790), and from the tensor names and shapes of the published file, whose weights are CC BY-NC 4.0; no published
code is used. From coarse to fine, a decoder estimates the flows from the middle to both frames and a feature map of the
middle. After each of the first three decoders, both flows are corrected from the frames' all-pairs correlations at the
positions they point to (section 3.2). The last decoder gives three pairs of flows, whose warped pictures are merged
(section 3.3).
"""

from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from evals.networks.correlation import LEVELS, SMALLEST_SIDE, Correlations, grid, normalised
from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import fill, read_tensors
from evals.networks.weights.network import Network

STRIDE: Final = 16
"""Both sides of a frame must be multiples of this many pixels."""
COARSE: Final = 8
"""Width in pixels of a cell of the correlated feature maps."""
SMALLEST: Final = COARSE * SMALLEST_SIDE
"""Least side in pixels of a padded frame."""
MIDDLE: Final = 0.5
"""Time of the interpolated frame between the first frame (0) and the second (1)."""
RADIUS: Final = 3
WINDOW: Final = LEVELS * (2 * RADIUS + 1) ** 2
SIDE: Final = 20
"""Channels that a residual block also processes separately."""
FLOWS: Final = 3
"""Pairs of flows from the last decoder."""
LEAK: Final = 0.1


class FlowEstimate(NamedTuple):
    """A decoder's output: the flows from the middle to both frames, (N, 2, H, W) in its pixels, and the features."""

    flow0: Tensor
    flow1: Tensor
    features: Tensor


def _conv(inside: int, outside: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, kernel, stride, padding=kernel // 2)


def _active(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution followed by a PReLU with a slope per channel."""
    return nn.Sequential(_conv(inside, outside, stride=stride), nn.PReLU(outside))


def _leaky(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, LEAK)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions, instance-normalised, a quarter of the channels between, and a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        between = outside // 4
        self.conv1 = _conv(inside, between, 1)
        self.conv2 = _conv(between, between, stride=stride)
        self.conv3 = _conv(between, outside, 1)
        self.downsample = nn.Sequential(_conv(inside, outside, 1, stride)) if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, H / stride, W / stride)."""
        y = x
        for conv in (self.conv1, self.conv2, self.conv3):
            y = torch.relu(functional.instance_norm(conv(y)))
        short = x if self.downsample is None else functional.instance_norm(self.downsample(x))
        return torch.relu(short + y)


class CorrelationEncoder(nn.Module):
    """Encode frames into the feature maps that are correlated, at an eighth of their size: RAFT's small encoder."""

    def __init__(self, outside: int) -> None:
        super().__init__()
        self.conv1 = _conv(3, 32, 7, stride=2)
        self.layer1 = nn.Sequential(Bottleneck(32, 32, 1), Bottleneck(32, 32, 1))
        self.layer2 = nn.Sequential(Bottleneck(32, 64, 2), Bottleneck(64, 64, 1))
        self.layer3 = nn.Sequential(Bottleneck(64, 96, 2), Bottleneck(96, 96, 1))
        self.conv2 = _conv(96, outside, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, outside, H / 8, W / 8)."""
        x = torch.relu(functional.instance_norm(self.conv1(frames)))
        maps: Tensor = self.conv2(self.layer3(self.layer2(self.layer1(x))))
        return maps


class PyramidEncoder(nn.Module):
    """Encode frames into four feature maps, at a half, a quarter, an eighth and a sixteenth of their size."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        one, two, three, four = channels
        self.pyramid1 = nn.Sequential(_active(3, one, 2), _active(one, one))
        self.pyramid2 = nn.Sequential(_active(one, two, 2), _active(two, two))
        self.pyramid3 = nn.Sequential(_active(two, three, 2), _active(three, three))
        self.pyramid4 = nn.Sequential(_active(three, four, 2), _active(four, four))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(N, 3, H, W) -> the four maps, finest first."""
        half = self.pyramid1(frames)
        quarter = self.pyramid2(half)
        eighth = self.pyramid3(quarter)
        return half, quarter, eighth, self.pyramid4(eighth)


class SideBlock(nn.Module):
    """Five convolutions; the second and the fourth process only the last SIDE channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _active(channels, channels), _active(SIDE, SIDE)
        self.conv3, self.conv4 = _active(channels, channels), _active(SIDE, SIDE)
        self.conv5 = _conv(channels, channels)
        self.prelu = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) -> the same shape."""
        y = x
        for whole, apart in ((self.conv1, self.conv2), (self.conv3, self.conv4)):
            y = whole(y)
            y = torch.cat([y[:, :-SIDE], apart(y[:, -SIDE:])], dim=1)
        refined: Tensor = self.prelu(x + self.conv5(y))
        return refined


class Decoder(nn.Module):
    """Decode maps of one scale into `outside` channels at twice the scale."""

    def __init__(self, inside: int, between: int, outside: int) -> None:
        super().__init__()
        self.convblock = nn.Sequential(
            _active(inside, between),
            SideBlock(between),
            nn.ConvTranspose2d(between, outside, 4, stride=2, padding=1),
        )

    def forward(self, *maps: Tensor) -> Tensor:
        """Maps (N, any, H, W), `inside` channels in total -> (N, outside, 2 H, 2 W)."""
        decoded: Tensor = self.convblock(torch.cat(maps, dim=1))
        return decoded


class Correction(nn.Module):
    """Compute the updates of both flows and of the features from the correlations around the flows.

    scale: how much finer flows and features are than the correlation maps.
    """

    def __init__(self, features: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.convc1 = _conv(2 * WINDOW, 64, 1)
        self.convf1, self.convf2 = _conv(4, 40, 7), _conv(40, 20)
        self.conv = _conv(64 + 20, 68)
        self.gru = _two_convs(68 + 4 + features, 76)
        self.feat_head = _two_convs(76, features)
        self.flow_head = _two_convs(76, 4)

    def forward(self, features: Tensor, flows: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), (N, 4, h, w), (N, 2 WINDOW, h, w) with h = H / scale -> (N, 4, H, W), (N, C, H, W)."""
        likeness = _leaky(self.convc1(seen))
        movement = _leaky(self.convf2(_leaky(self.convf1(flows))))
        both = _leaky(self.conv(torch.cat([likeness, movement], dim=1)))
        state = self.gru(torch.cat([both, flows, _resized(features, 1 / self.scale)], dim=1))
        return self.scale * _resized(self.flow_head(state), self.scale), _resized(self.feat_head(state), self.scale)


def _two_convs(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(_conv(inside, 76), nn.LeakyReLU(LEAK), _conv(76, outside))


class PairCorrelations:
    """The correlations of a pair of frames in both directions, looked up with flows."""

    def __init__(self, maps0: Tensor, maps1: Tensor) -> None:
        height, width = maps0.shape[-2:]
        self._of_first, self._of_second = Correlations(maps0, maps1), Correlations(maps1, maps0)
        self._start = grid(height, width, like=maps0)

    def around(self, estimate: FlowEstimate, scale: int) -> tuple[Tensor, Tensor]:
        """Return the flows at the correlations' size, (N, 4, h, w), and the correlations there, (N, 2 WINDOW, h, w).

        Assumes linear motion: the flow from the middle to the second frame, scaled to the whole interval, is the flow
        from the first frame to the second, and vice versa.
        """
        flow0, flow1 = (_resized(flow, 1 / scale) / scale for flow in (estimate.flow0, estimate.flow1))
        forward = self._of_first.look_up(self._start + flow1 / MIDDLE, RADIUS)
        backward = self._of_second.look_up(self._start + flow0 / (1 - MIDDLE), RADIUS)
        return torch.cat([flow0, flow1], dim=1), torch.cat([forward, backward], dim=1)


class Amt(nn.Module):
    """Interpolates the frame in the middle of two frames."""

    def __init__(self) -> None:
        super().__init__()
        one, two, three, four = channels = (20, 32, 44, 56)
        self.feat_encoder = CorrelationEncoder(84)
        self.encoder = PyramidEncoder(channels)
        self.decoder4 = Decoder(2 * four + 1, 2 * four, 4 + three)
        self.decoder3 = Decoder(3 * three + 4, 3 * three, 4 + two)
        self.decoder2 = Decoder(3 * two + 4, 3 * two, 4 + one)
        self.decoder1 = Decoder(3 * one + 4, 3 * one, 8 * FLOWS)
        self.update4, self.update3, self.update2 = Correction(three, 1), Correction(two, 2), Correction(one, 4)
        self.comb_block = nn.Sequential(_conv(3 * FLOWS, 6 * FLOWS), nn.PReLU(6 * FLOWS), _conv(6 * FLOWS, 3))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Frames (N, 3, H, W), 0..1, sides multiples of 16 and at least SMALLEST -> the frames between, same shape."""
        # One axis after another, as published: of a frame in one colour only rounding errors are left once its mean is
        # subtracted, and the normalisations amplify them.
        both = torch.cat([first, second], dim=2)
        brightness = both.mean(1, keepdim=True).mean(2, keepdim=True).mean(3, keepdim=True)
        first, second = first - brightness, second - brightness
        likeness = PairCorrelations(self.feat_encoder(first), self.feat_encoder(second))
        half, quarter, eighth, sixteenth = zip(self.encoder(first), self.encoder(second), strict=True)
        when = torch.full_like(sixteenth[0][:, :1], MIDDLE)
        estimate = _split(self.decoder4(*sixteenth, when))
        estimate = _corrected(self.update4, estimate, likeness)
        estimate = _corrected(self.update3, _finer(self.decoder3, estimate, eighth), likeness)
        estimate = _corrected(self.update2, _finer(self.decoder2, estimate, quarter), likeness)
        pictures = self._pictures(estimate, half, first, second, brightness)
        merged: Tensor = pictures.mean(dim=1) + self.comb_block(pictures.flatten(1, 2))
        return merged.clamp(0, 1)

    def _pictures(
        self, estimate: FlowEstimate, half: tuple[Tensor, ...], first: Tensor, second: Tensor, brightness: Tensor
    ) -> Tensor:
        """Return the interpolated frame by each pair of flows: (N, FLOWS, 3, H, W)."""
        flow0, flow1 = _doubled(estimate)
        last = self.decoder1(*_decoder_inputs(estimate, half))
        fields = last.split([2 * FLOWS, 2 * FLOWS, FLOWS, 3 * FLOWS], dim=1)
        step0, step1, shares, rest = (field.unflatten(1, (FLOWS, -1)).unbind(1) for field in fields)
        pictures = []
        for of_first, of_second, share, left in zip(step0, step1, shares, rest, strict=True):
            kept = share.sigmoid()
            blend = kept * _warped(first, flow0 + of_first) + (1 - kept) * _warped(second, flow1 + of_second)
            pictures.append(blend + brightness + left)
        return torch.stack(pictures, dim=1)


def load_amt(path: Path) -> Amt:
    """Load AMT-S from the official file. Raises BadWeights, naming the tensors that are wrong."""
    amt = Amt()
    fill(amt, read_tensors(path), path)
    return amt


def _split(decoded: Tensor) -> FlowEstimate:
    return FlowEstimate(decoded[:, :2], decoded[:, 2:4], decoded[:, 4:])


def _decoder_inputs(estimate: FlowEstimate, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return a decoder's inputs: the middle's features, both frames' maps warped to it, and the flows used."""
    warped0, warped1 = _warped(maps[0], estimate.flow0), _warped(maps[1], estimate.flow1)
    return estimate.features, warped0, warped1, estimate.flow0, estimate.flow1


def _finer(decoder: Decoder, estimate: FlowEstimate, maps: tuple[Tensor, ...]) -> FlowEstimate:
    """Return the next scale's estimate: the flows at twice the size and length, plus the decoder's refinement."""
    flow0, flow1 = _doubled(estimate)
    step = _split(decoder(*_decoder_inputs(estimate, maps)))
    return FlowEstimate(step.flow0 + flow0, step.flow1 + flow1, step.features)


def _corrected(correction: Correction, estimate: FlowEstimate, likeness: PairCorrelations) -> FlowEstimate:
    step, features = correction(estimate.features, *likeness.around(estimate, correction.scale))
    return FlowEstimate(estimate.flow0 + step[:, :2], estimate.flow1 + step[:, 2:], estimate.features + features)


def _doubled(estimate: FlowEstimate) -> tuple[Tensor, Tensor]:
    return 2 * _resized(estimate.flow0, 2), 2 * _resized(estimate.flow1, 2)


def _resized(maps: Tensor, factor: float) -> Tensor:
    """Resize bilinearly: (N, C, H, W) -> (N, C, factor H, factor W)."""
    if factor == 1:
        return maps
    return functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)


def _warped(maps: Tensor, flow: Tensor) -> Tensor:
    """Sample maps bilinearly at the positions that the flow (N, 2, H, W) points to; the edge is repeated outside."""
    height, width = flow.shape[-2:]
    places = (grid(height, width, like=flow) + flow).permute(0, 2, 3, 1)
    where = normalised(places, height, width)
    return functional.grid_sample(maps, where, padding_mode="border", align_corners=True)


AMT: Final = Network(WEIGHTS["amt"], load_amt)
