"""The bench of crashes finds what it looks for, and nothing that is not there."""

import pytest

from evals.bench import crash
from evals.bench.crash import Row, ToolTask, measure_crashes, table_of


@pytest.mark.slow
def test_a_killed_run_is_counted_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "ERRANDS", (ToolTask("text-to-video", "a red ball moves right in the snow"),))
    monkeypatch.setattr(crash, "GIVENS", ())
    heard: list[int] = []
    [row] = measure_crashes(kills=3, report=lambda _name, step, *_more: heard.append(step))
    assert heard == [1, 2, 3]
    assert row.kills == 3
    assert row.early + row.late < 3, "no kill hit a run"
    assert row.holds
    assert table_of([row]).row_count == 2


@pytest.mark.parametrize("fault", ["lost", "different", "repeated"])
def test_one_fault_is_enough(fault: str) -> None:
    assert not Row(task="extend", kills=9, **{fault: 1}).holds
