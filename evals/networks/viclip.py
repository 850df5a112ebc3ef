"""ViCLIP, which embeds clips of eight frames and texts in one space. Loads `ViClip-InternVid-10M-FLT.pth`.

Implemented from Wang et al., "InternVid" (arXiv 2307.06942), section 4: CLIP with an encoder that attends over the
patches of all frames at once, with spatial and temporal position embeddings and one class token for the whole clip.
"""

from math import isqrt
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from evals.networks.clip_tokenizer import clip_tokens
from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import BadWeights, fill, num_layers, read_tensors, shape_of
from evals.networks.weights.network import Network

HEAD_WIDTH: Final = 64
BLOCKS: Final = "transformer.resblocks."


class Mlp(nn.Module):
    """Two layers, four times as wide inside, with CLIP's fast approximation of GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, L, width) -> the same shape."""
        inside = self.c_fc(x)
        widened: Tensor = self.c_proj(inside * torch.sigmoid(1.702 * inside))
        return widened


class Block(nn.Module):
    """A pre-norm transformer layer: attention and MLP, each with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // HEAD_WIDTH, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        """(N, L, width) -> the same shape. hidden: (L, L), true where a row must not attend to a column."""
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=hidden)[0]
        refined: Tensor = x + self.mlp(self.ln_2(x))
        return refined


class Transformer(nn.Module):
    """A sequence of blocks."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width) for _ in range(depth))

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """(N, L, width) -> the same shape."""
        for block in self.resblocks:
            x = block(x, hidden)
        return x


class VideoTower(nn.Module):
    """Embeds the frames of a clip. patches: number of patches in a frame. together: width of the embedding."""

    def __init__(self, *, width: int, depth: int, patch: int, patches: int, frames: int, together: int) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(patches + 1, width))
        self.temporal_positional_embedding = nn.Parameter(torch.zeros(1, frames, width))
        self.proj = nn.Parameter(torch.zeros(width, together))
        self.conv1 = nn.Conv3d(3, width, (1, patch, patch), (1, patch, patch), bias=False)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, depth)

    def forward(self, clips: Tensor) -> Tensor:
        """(N, frames, 3, S, S) -> (N, together)."""
        patches = self.conv1(clips.transpose(1, 2)).flatten(3).permute(0, 2, 3, 1)
        patches = patches + self.positional_embedding[1:] + self.temporal_positional_embedding[:, :, None]
        first = (self.class_embedding + self.positional_embedding[0]).expand(len(clips), 1, -1)
        seen = self.transformer(self.ln_pre(torch.cat([first, patches.flatten(1, 2)], dim=1)))
        vectors: Tensor = self.ln_post(seen[:, 0]) @ self.proj
        return vectors


class TextTower(nn.Module):
    """Embeds tokens; the embedding is read at the end token. together: width of the embedding."""

    def __init__(self, *, width: int, depth: int, words: int, context: int, together: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(context, width))
        self.text_projection = nn.Parameter(torch.zeros(width, together))
        self.transformer = Transformer(width, depth)
        self.token_embedding = nn.Embedding(words, width)
        self.ln_final = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """int64 (N, context) -> (N, together)."""
        length = tokens.shape[1]
        later = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        read = self.ln_final(self.transformer(self.token_embedding(tokens) + self.positional_embedding, later))
        # The end token has the highest token id.
        ends = read[torch.arange(len(tokens), device=tokens.device), tokens.argmax(dim=1)]
        vectors: Tensor = ends @ self.text_projection
        return vectors


class ViClip(nn.Module):
    """The clip and text encoders. Embeddings are not normalised. temp: the training temperature, unused by metrics."""

    def __init__(self, video: VideoTower, text: TextTower) -> None:
        super().__init__()
        self.temp = nn.Parameter(torch.ones(()))
        self.vision_encoder, self.text_encoder = video, text

    @property
    def num_frames(self) -> int:
        """Number of frames of a clip."""
        return self.vision_encoder.temporal_positional_embedding.shape[1]

    def forward(self, clips: Tensor) -> Tensor:
        """Embed clips prepared by `clip_transform_uint8`: (N, num_frames, 3, S, S) -> (N, C)."""
        vectors: Tensor = self.vision_encoder(clips)
        return vectors

    def texts(self, texts: list[str]) -> Tensor:
        """Embed texts: (N, C). A text of more tokens than the context (32) is truncated."""
        positions = self.text_encoder.positional_embedding
        vectors: Tensor = self.text_encoder(clip_tokens(texts, len(positions)).to(positions.device))
        return vectors


def load_viclip(path: Path) -> ViClip:
    """Load ViCLIP; its sizes are read from the file. Raises BadWeights, naming the tensors that are wrong."""
    tensors = read_tensors(path)
    width, _, _, patch, _ = shape_of(tensors, "vision_encoder.conv1.weight", 5, path)
    places, _ = shape_of(tensors, "vision_encoder.positional_embedding", 2, path)
    _, frames, _ = shape_of(tensors, "vision_encoder.temporal_positional_embedding", 3, path)
    words, text_width = shape_of(tensors, "text_encoder.token_embedding.weight", 2, path)
    context, _ = shape_of(tensors, "text_encoder.positional_embedding", 2, path)
    _, together = shape_of(tensors, "vision_encoder.proj", 2, path)
    if width % HEAD_WIDTH or text_width % HEAD_WIDTH or isqrt(places - 1) ** 2 != places - 1:
        raise BadWeights(
            "metric-weights-of-other-network",
            f"{path} has layers of {width} and {text_width} and {places - 1} patches, which is not ViCLIP; "
            "get the official file.",
            path=str(path),
        )
    depth, text_depth = (num_layers(tensors, f"{tower}_encoder.{BLOCKS}", path) for tower in ("vision", "text"))
    with torch.device("meta"):  # skips seconds of random initialisation
        viclip = ViClip(
            VideoTower(width=width, depth=depth, patch=patch, patches=places - 1, frames=frames, together=together),
            TextTower(width=text_width, depth=text_depth, words=words, context=context, together=together),
        )
    fill(viclip, tensors, path)
    return viclip


VICLIP: Final = Network(WEIGHTS["viclip"], load_viclip)
