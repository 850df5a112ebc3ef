"""LAION's aesthetic predictor: people's rating of a picture, about 0..10, from its CLIP ViT-L/14 embedding."""

from pathlib import Path
from typing import Final

from torch import nn

from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import fill, read_tensors, shape_of
from evals.networks.weights.network import Network


def load_head(path: Path) -> nn.Linear:
    """Load the predictor, one linear layer. Raises BadWeights."""
    tensors = read_tensors(path)
    outputs, inputs = shape_of(tensors, "weight", 2, path)
    head = nn.Linear(inputs, outputs)
    fill(head, tensors, path)
    return head


AESTHETIC_HEAD: Final = Network(WEIGHTS["aesthetic"], load_head)
