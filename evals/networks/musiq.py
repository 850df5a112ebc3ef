"""MUSIQ, a network that predicts a picture's mean opinion score of technical quality. Loads pyiqa's checkpoint.

Implemented from Ke et al., "MUSIQ: Multi-scale Image Quality Transformer" (arXiv 2108.05997). The picture, of any size,
and two smaller copies are cut into patches; a small ResNet turns each patch into a token, and a transformer reads the
tokens of all sizes. Module names are those of the checkpoint.
"""

from collections import OrderedDict
from math import ceil
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import fill, num_layers, read_tensors, shape_of
from evals.networks.weights.network import Network

PATCH: Final = 32
"""Side of a patch in pixels."""
SCALES: Final = (224, 384)
"""Longer side in pixels of the two smaller copies; the third scale is the picture itself."""
HEAD_WIDTH: Final = 64
"""Greatest width of an attention head; the published network has 6 heads of 64."""
STANDARD_EPS: Final = 1e-5
ROOT_EPS, BLOCK_EPS, LAYER_EPS = 1e-6, 1e-4, 1e-6


class StandardConv(nn.Conv2d):
    """A convolution with standardised weights (Qiao et al., arXiv 1903.10520) and TensorFlow's "same" padding."""

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, side, stride, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', ceil(H / stride), ceil(W / stride))."""
        weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        # The unbiased deviation, with which the published weights were trained.
        weight = weight / (weight.std(dim=(1, 2, 3), keepdim=True) + STANDARD_EPS)
        padded = pad_same(input, self.kernel_size[0], self.stride[0])
        return functional.conv2d(padded, weight, stride=self.stride)


class Bottleneck(nn.Module):
    """A residual block of 1 x 1, 3 x 3 and 1 x 1 convolutions with fewer channels inside."""

    def __init__(self, inputs: int, inner: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.gn1 = StandardConv(inputs, inner, 1), _group_norm(inner, BLOCK_EPS)
        self.conv2, self.gn2 = StandardConv(inner, inner, 3), _group_norm(inner, BLOCK_EPS)
        self.conv3, self.gn3 = StandardConv(inner, outputs, 1), _group_norm(outputs, BLOCK_EPS)
        self.conv_proj, self.gn_proj = StandardConv(inputs, outputs, 1), _group_norm(outputs, BLOCK_EPS)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H, W)."""
        short = self.gn_proj(self.conv_proj(maps))
        inner = functional.relu(self.gn1(self.conv1(maps)))
        inner = functional.relu(self.gn2(self.conv2(inner)))
        return functional.relu(short + self.gn3(self.conv3(inner)))


class Attention(nn.Module):
    """Self-attention, (N, T, C) in and out."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attention output of each token."""
        query, key, value = (
            layer(tokens).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        gathered = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out(gathered.transpose(1, 2).flatten(2))
        return out


class Mlp(nn.Module):
    """Two layers with GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, C) in and out."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return out


class Block(nn.Module):
    """One layer of the transformer."""

    def __init__(self, width: int, hidden: int, num_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=LAYER_EPS), nn.LayerNorm(width, eps=LAYER_EPS)
        self.attention = Attention(width, num_heads)
        self.mlp = Mlp(width, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, C) in and out."""
        tokens = tokens + self.attention(self.norm1(tokens))
        out: Tensor = tokens + self.mlp(self.norm2(tokens))
        return out


class _Positions(nn.Module):
    def __init__(self, num: int, width: int) -> None:
        super().__init__()
        self.position_emb = nn.Parameter(torch.zeros(1, num, width))


class _Scales(nn.Module):
    def __init__(self, num: int, width: int) -> None:
        super().__init__()
        self.scale_emb = nn.Parameter(torch.zeros(num, width))


class Encoder(nn.Module):
    """Encode tokens with their positions and scales into the class token."""

    def __init__(self, width: int, hidden: int, depth: int, num_positions: int, num_scales: int) -> None:
        super().__init__()
        self.posembed_input = _Positions(num_positions, width)
        self.scaleembed_input = _Scales(num_scales, width)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        num_heads = ceil(width / HEAD_WIDTH)
        blocks = {f"encoderblock_{index}": Block(width, hidden, num_heads) for index in range(depth)}
        self.transformer = nn.Sequential(OrderedDict(blocks))
        self.encoder_norm = nn.LayerNorm(width, eps=LAYER_EPS)

    def forward(self, tokens: Tensor, positions: Tensor, scales: Tensor) -> Tensor:
        """Tokens (N, T, C), indices of positions (T,) and of scales (T,) -> (N, C)."""
        tokens = tokens + self.posembed_input.position_emb[0, positions] + self.scaleembed_input.scale_emb[scales]
        tokens = torch.cat([self.cls.expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = self.transformer(tokens)
        out: Tensor = self.encoder_norm(tokens[:, 0])
        return out


class Musiq(nn.Module):
    """Scores pictures of one size: (N, 3, H, W) in 0..1 -> (N,), about 0..100."""

    def __init__(self, channels: int, wide: int, sizes: tuple[int, int, int, int, int]) -> None:
        super().__init__()
        width, hidden, depth, num_positions, num_scales = sizes
        self.conv_root, self.gn_root = StandardConv(3, channels, 7, 2), _group_norm(channels, ROOT_EPS)
        self.block1 = Bottleneck(channels, channels, wide)
        self.embedding = nn.Linear(wide * (PATCH // 4) ** 2, width)
        self.transformer_encoder = Encoder(width, hidden, depth, num_positions, num_scales)
        self.head = nn.Linear(width, 1)
        self.grid = round(num_positions**0.5)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the scores."""
        scaled = (pictures - 0.5) * 2
        views = [*(to_longest(scaled, longest) for longest in SCALES), scaled]
        # The published network pads the smaller copies to a square of patches and masks the padding: same result.
        patches, positions = zip(*map(self._cut, views), strict=True)
        scales = torch.cat([torch.full_like(at, scale) for scale, at in enumerate(positions)])
        read = self.transformer_encoder(self._tokens(torch.cat(patches, dim=1)), torch.cat(positions), scales)
        out: Tensor = self.head(read)[:, 0]
        return out

    def _cut(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """Cut (N, 3, H, W) into patches (N, T, 3, 32, 32), row by row; return also their learned position indices."""
        padded = pad_same(view, PATCH, PATCH)
        cut = padded.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)
        rows, columns = cut.shape[2:4]
        patches = cut.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)
        row, column = (self._along(n).to(view.device) for n in (rows, columns))
        return patches, (row[:, None] * self.grid + column[None]).flatten()

    def _along(self, num: int) -> Tensor:
        """Return for each of `num` patches in a row the nearest column of the learned grid."""
        learned = torch.arange(self.grid, dtype=torch.float32)[None, None]
        return functional.interpolate(learned, size=num, mode="nearest")[0, 0].long()

    def _tokens(self, patches: Tensor) -> Tensor:
        """Embed patches: (N, T, 3, 32, 32) -> (N, T, C)."""
        maps = functional.relu(self.gn_root(self.conv_root(patches.flatten(0, 1))))
        maps = functional.max_pool2d(pad_same(maps, 3, 2), 3, 2)
        maps = self.block1(maps)
        # Channels last, as in the TensorFlow network that the weights come from.
        tokens: Tensor = self.embedding(maps.permute(0, 2, 3, 1).flatten(1))
        return tokens.reshape(*patches.shape[:2], -1)


def to_longest(pictures: Tensor, longest: int) -> Tensor:
    """Resize bicubically so that the longer side is `longest` pixels, keeping the aspect ratio."""
    height, width = pictures.shape[-2:]
    ratio = longest / max(height, width)
    size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    return functional.interpolate(pictures, size, mode="bicubic", align_corners=False)


def pad_same(maps: Tensor, side: int, stride: int) -> Tensor:
    """Pad (N, C, H, W) with zeros for ceil(H / stride) windows; an odd pixel goes to the right and the bottom."""
    down, across = (max(0, (ceil(n / stride) - 1) * stride + side - n) for n in maps.shape[-2:])
    return functional.pad(maps, (across // 2, across - across // 2, down // 2, down - down // 2))


def load_musiq(path: Path) -> Musiq:
    """Load MUSIQ; its sizes are read from the file. Raises BadWeights."""
    tensors, encoder = read_tensors(path), "transformer_encoder."
    channels = shape_of(tensors, "conv_root.weight", 4, path)[0]
    wide = shape_of(tensors, "block1.conv3.weight", 4, path)[0]
    width = shape_of(tensors, "embedding.bias", 1, path)[0]
    hidden = shape_of(tensors, f"{encoder}transformer.encoderblock_0.mlp.fc1.weight", 2, path)[0]
    depth = num_layers(tensors, f"{encoder}transformer.encoderblock_", path)
    num_positions = shape_of(tensors, f"{encoder}posembed_input.position_emb", 3, path)[1]
    num_scales = shape_of(tensors, f"{encoder}scaleembed_input.scale_emb", 2, path)[0]
    musiq = Musiq(channels, wide, (width, hidden, depth, num_positions, num_scales))
    fill(musiq, tensors, path)
    return musiq


def _group_norm(channels: int, eps: float) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=eps)


MUSIQ: Final = Network(WEIGHTS["musiq"], load_musiq)
