"""CLIP, which embeds pictures and texts in one space. Loads OpenAI's files into the network of transformers.

`ViT-B-32.pt` and `ViT-L-14.pt` are TorchScript archives with the tensor names of openai/CLIP; a plain state dict with
those names works too.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isqrt
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel
from transformers.initialization import no_init_weights

from evals.networks.clip_tokenizer import clip_tokens
from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import BadWeights, expect, num_layers, read_tensors, shape_of
from evals.networks.weights.network import Network

HEAD_WIDTH: Final = 64
NOT_WEIGHTS: Final = ("input_resolution", "context_length", "vocab_size", "attn_mask")
"""Entries of OpenAI's archives that are not weights, by the last part of the name."""
LAYERS: Final = {"visual.": "vision_model.encoder.layers.", "": "text_model.encoder.layers."}
BLOCKS: Final = "transformer.resblocks."
IN_BLOCK: Final = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
OUTSIDE: Final = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "visual.proj": "visual_projection.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "text_projection": "text_projection.weight",
    "logit_scale": "logit_scale",
}
TURNED: Final = ("visual.proj", "text_projection")
"""Matrices that OpenAI applies as x @ W and transformers as W @ x."""


class Clip(nn.Module):
    """The picture and text encoders. Embeddings are not normalised."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__()
        self.model = CLIPModel(config)

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed pictures prepared by a `clip_transform`: (N, 3, S, S) -> (N, C)."""
        vectors: Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return vectors

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts: (N, C). A text of more than 77 tokens is truncated."""
        tokens = clip_tokens(texts).to(self.model.device)
        vectors: Tensor = self.model.get_text_features(input_ids=tokens).pooler_output
        return vectors

    @property
    def scale(self) -> Tensor:
        """The factor from a cosine to a logit; 100 in the published weights."""
        factor: Tensor = self.model.logit_scale.exp()
        return factor


def load_clip(path: Path) -> Clip:
    """Load CLIP; its sizes are read from the file. Raises BadWeights."""
    tensors = {
        name: tensor for name, tensor in read_tensors(path).items() if name.rpartition(".")[2] not in NOT_WEIGHTS
    }
    config = _config(tensors, path)
    expect(official_shapes(config), tensors, path)
    with no_init_weights():  # initialising takes longer than all the rest
        clip = Clip(config)
    clip.model.load_state_dict(dict(_renamed(tensors)), assign=True)
    return clip


def _config(tensors: Mapping[str, Tensor], path: Path) -> CLIPConfig:
    width, _, patch, _ = shape_of(tensors, "visual.conv1.weight", 4, path)
    num_tokens, _ = shape_of(tensors, "visual.positional_embedding", 2, path)
    words, text_width = shape_of(tensors, "token_embedding.weight", 2, path)
    context, _ = shape_of(tensors, "positional_embedding", 2, path)
    _, together = shape_of(tensors, "visual.proj", 2, path)
    if width % HEAD_WIDTH or text_width % HEAD_WIDTH:
        raise BadWeights(
            "metric-weights-of-other-network",
            f"{path} has no heads of {HEAD_WIDTH} in layers of {width} and {text_width}; get ViT-B or L.",
            path=str(path),
        )
    vision = tower(width, num_layers(tensors, f"visual.{BLOCKS}", path))
    text = tower(text_width, num_layers(tensors, BLOCKS, path))
    return CLIPConfig(
        projection_dim=together,
        vision_config={**vision, "patch_size": patch, "image_size": patch * isqrt(num_tokens - 1)},
        text_config={**text, "vocab_size": words, "max_position_embeddings": context, "eos_token_id": words - 1},
    )


def tower(width: int, depth: int) -> dict[str, int]:
    """Return the sizes of one encoder in transformers' terms; all of OpenAI's heads have the same width."""
    sizes = {"hidden_size": width, "intermediate_size": 4 * width}
    return {**sizes, "num_hidden_layers": depth, "num_attention_heads": width // HEAD_WIDTH}


def official_shapes(config: CLIPConfig) -> dict[str, tuple[int, ...]]:
    """Return the tensor names and shapes of OpenAI's file for a network of these sizes."""
    with torch.device("meta"):
        state = CLIPModel(config).state_dict()
    shapes = {official: tuple(state[name].shape) for official, name in OUTSIDE.items()}
    shapes |= {name: shapes[name][::-1] for name in TURNED}
    for tower, layers in LAYERS.items():
        part = config.vision_config if tower else config.text_config
        for index in range(part.num_hidden_layers):
            block, official = f"{layers}{index}.", f"{tower}{BLOCKS}{index}."
            width = part.hidden_size
            shapes |= {
                f"{official}attn.in_proj_weight": (3 * width, width),
                f"{official}attn.in_proj_bias": (3 * width,),
            }
            for layer, name in IN_BLOCK.items():
                for kind in ("weight", "bias"):
                    shapes[f"{official}{layer}.{kind}"] = tuple(state[f"{block}{name}.{kind}"].shape)
    return shapes


def _renamed(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors under transformers' names, matrices rounded to float16 as OpenAI's code does on a CPU."""
    for official, tensor in tensors.items():
        tower = "visual." if official.startswith("visual.") else ""
        inside = official.removeprefix(tower)
        if not inside.startswith(BLOCKS):
            value = _halved(tensor) if official in TURNED or "conv1" in official else tensor.float()
            yield OUTSIDE[official], value.T.contiguous() if official in TURNED else value
            continue
        index, _, name = inside.removeprefix(BLOCKS).partition(".")
        block = f"{LAYERS[tower]}{index}."
        if name.startswith("attn.in_proj_"):
            kind = name.removeprefix("attn.in_proj_")
            for which, part in zip("qkv", _halved(tensor).chunk(3), strict=True):
                yield f"{block}self_attn.{which}_proj.{kind}", part
        else:
            layer, _, kind = name.rpartition(".")
            yield f"{block}{IN_BLOCK[layer]}.{kind}", tensor.float() if layer.startswith("ln_") else _halved(tensor)


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half().float()


CLIP_B32: Final = Network(WEIGHTS["clip_b32"], load_clip)
CLIP_L14: Final = Network(WEIGHTS["clip_l14"], load_clip)
