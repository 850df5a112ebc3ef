"""The bench of many runs at once brings them to their ends, and counts."""

from pathlib import Path

import pytest

from evals.bench.speed.many import resume_many


@pytest.mark.slow
def test_paused_runs_are_brought_to_their_ends(tmp_path: Path) -> None:
    found = resume_many(tmp_path, count=3)
    assert 0 < found.connections <= 15
    assert min(found.at_once, found.in_turn) > 0
