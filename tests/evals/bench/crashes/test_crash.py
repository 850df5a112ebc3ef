"""The bench of crashes finds what it looks for, and nothing that is not there."""

import pytest

from evals.bench.crashes import crash
from evals.bench.crashes.crash import Row, TaskCase, measure_crashes, table_of
from support.tiny_agents import TinyLender
from tools.errors import BadInput


def test_a_system_that_cannot_fork_is_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(BadInput, match="run it on Linux or macOS"):
        measure_crashes(kills=1, report=lambda *_: None)


@pytest.mark.slow
def test_a_killed_run_is_counted_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "CASES", (TaskCase("text-to-video", "a red ball moves right in the snow"),))
    monkeypatch.setattr(crash, "GIVENS", ())
    monkeypatch.setattr(crash, "LocalLender", lambda *_, **__: TinyLender(pause=0.02))
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
