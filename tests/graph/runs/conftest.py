"""A server that forks runs into other processes: the program is imported once for all of them."""

from collections.abc import Iterator

import pytest

from support.graph_workers import ForkServer, fork_server


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    with fork_server(tmp_path_factory.mktemp("reports")) as server:
        yield server
