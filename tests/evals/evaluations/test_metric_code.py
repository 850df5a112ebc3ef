"""A metric's version stands for its code: scores are found again by it, so that the code may not change without it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evals.evaluations.scorer_identity import OLDER_CODES, code_of, identity_of
from evals.metrics.names import CLIPWISE, NAMES, VERSIONS
from evals.metrics.registry import METRICS
from memory.records import Scorer
from support import metric_code

Lay = Callable[..., str]
"""Module names and their source -> the digest of `score`, wherever it is defined."""
BEFORE = """
import math
from evals.second import scale

class Score:
    \"\"\"Words.\"\"\"

def score(value: float) -> float:
    return _half(value) * scale.SCALE

def _half(value):
    return math.floor(value) / 2
"""


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lay]:
    monkeypatch.setattr(metric_code, "ROOT", tmp_path)
    caches = [found for found in vars(metric_code).values() if hasattr(found, "cache_clear")]

    def digest(**modules: str) -> str:
        for cached in caches:
            cached.cache_clear()
        for old in tmp_path.rglob("*.py"):
            old.unlink()
        for name, source in modules.items():
            path = tmp_path / "evals" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        module = next(name for name, source in modules.items() if "def score" in source)
        return metric_code.digest_of(f"evals.{module}", "score")

    yield digest
    for cached in caches:
        cached.cache_clear()


def test_the_code_of_each_metric_is_that_of_its_version() -> None:
    pinned, found = json.loads(metric_code.PINS.read_text(encoding="utf-8")), metric_code.pins()
    changed = sorted(name for name in {*pinned, *found} if pinned.get(name) != found.get(name))
    assert not changed, (
        f"The code of {', '.join(changed)} is not that of the pinned version. If it computes other numbers, raise the "
        "version in evals/evaluations/scorers.py. Then "
        "`PYTHONPATH=.:tests python -m support.metric_code` pins today's code."
    )


def test_every_metric_has_a_version() -> None:
    assert {row.name for row in METRICS} == {*VERSIONS}


def test_a_move_or_a_split_leaves_the_digest_alone(lay: Lay) -> None:
    before = lay(first=BEFORE, second__scale="SCALE = 3")
    moved = lay(
        third="from evals.fourth import half\nfrom evals.fourth import SCALE as BY\n"
        "Number = float\ndef score(value: Number) -> Number:\n    \"\"\"Halves.\"\"\"\n    return half(value) * BY",
        fourth="import math\nUNUSED = 1\nSCALE = 3\ndef half(value: float) -> float:\n    return math.floor(value) / 2",
    )  # fmt: skip
    assert moved == before


def test_another_number_is_another_digest(lay: Lay) -> None:
    before = lay(first=BEFORE, second__scale="SCALE = 3")
    assert lay(first=BEFORE, second__scale="SCALE = 4") != before
    assert lay(first=BEFORE.replace("/ 2", "/ 3"), second__scale="SCALE = 3") != before
    assert lay(first=BEFORE.replace("Words", "Others"), second__scale="SCALE = 3") == before


def test_codes_are_apart_and_follow_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name + suffix for name in NAMES for suffix in ("", CLIPWISE)]
    before = {name: code_of(name) for name in names}
    assert len(set(before.values())) == len(names)
    monkeypatch.setitem(VERSIONS, "tcon", 2)
    changed = {name for name in names if code_of(name) != before[name]}
    assert changed == {"tcon", "tcon_clipwise"}


def test_an_older_code_stands_for_the_first_version_of_its_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    older = json.loads(OLDER_CODES.read_text(encoding="utf-8"))
    for metric, codes in older.items():
        today = Scorer(metric=metric, title="T", code=code_of(metric), weights={"net.pth": "1" * 64})
        for code in codes:
            before = today.model_copy(update={"code": code, "title": "As it was called"})
            assert identity_of(before) == identity_of(today)
    assert len({code for codes in older.values() for code in codes}) == 3 * len(older)
    tcon = Scorer(metric="tcon", title="T", code=older["tcon"][0])
    monkeypatch.setitem(VERSIONS, "tcon", 2)
    assert identity_of(tcon) != identity_of(tcon.model_copy(update={"code": code_of("tcon")}))
