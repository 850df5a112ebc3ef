"""LAION's aesthetic predictor: CLIP ViT-L/14's vector of a picture -> how much people like it, about 0..10."""

from pathlib import Path
from typing import Final

from torch import nn

from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import fill, read_tensors, shape_of
from evals.networks.weights.network import Network


def load_head(path: Path) -> nn.Linear:
    """One linear layer. Raises BadWeights."""
    tensors = read_tensors(path)
    outputs, inputs = shape_of(tensors, "weight", 2, path)
    head = nn.Linear(inputs, outputs)
    fill(head, tensors, path)
    return head


AESTHETIC_HEAD: Final = Network(WEIGHTS["aesthetic"], load_head)
