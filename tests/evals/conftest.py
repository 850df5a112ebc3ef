"""What tests of metrics share: the official files, made by the rule, and a shelf that lends their networks."""

from pathlib import Path

import pytest

from evals.networks.weights.loader import NetworkLoader
from support.vbench import write_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every weight file that a metric reads."""
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder)
    return folder


@pytest.fixture(scope="session")
def loader(weights: Path) -> NetworkLoader:
    """Lends what is in that folder, on the CPU."""
    return NetworkLoader(weights)
