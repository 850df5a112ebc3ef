"""Where a seed becomes noise: every agent draws all its noise from the generator that is made here."""

import torch


def generator(seed: int) -> torch.Generator:
    """Return a generator on the CPU, so that a seed gives the same noise on every device."""
    return torch.Generator("cpu").manual_seed(seed)
