"""The panel: orders are drawn and inverted, a judge that looks only at places is found out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from evals.judges.contract import CRITERIA, Criterion
from evals.judges.panel import Ranking, agreed, ask, kappa
from models.agent import UInt8Array

CLIPS = [np.full((2, 4, 4, 3), 10 * (1 + k), dtype=np.uint8) for k in range(4)]


@dataclass(frozen=True)
class Lightest:
    name: str = "lightest"
    criteria: frozenset[Criterion] = frozenset(CRITERIA)

    def rank(self, clips: Sequence[UInt8Array], prompt: str, criterion: Criterion) -> tuple[int, ...] | None:
        return tuple(sorted(range(len(clips)), key=lambda i: -int(clips[i].max())))


class AlwaysFirst(Lightest):
    def rank(self, clips: Sequence[UInt8Array], prompt: str, criterion: Criterion) -> tuple[int, ...]:
        return tuple(range(len(clips)))


class Abstains(Lightest):
    def rank(self, clips: Sequence[UInt8Array], prompt: str, criterion: Criterion) -> None:
        return None


def test_orders_differ_and_are_inverted() -> None:
    shown = set()
    for number in range(20):
        one, other = ask((Lightest("a"), Lightest("b")), CLIPS, "a prompt", seed=(0, 0, number))
        assert one.first == other.first == 3 == agreed([one, other])
        assert one.criterion == other.criterion
        shown |= {one.order, other.order}
    assert len(shown) > 10
    again = ask((Lightest("a"), Lightest("b")), CLIPS, "a prompt", seed=(0, 0, 5))
    assert [r.order for r in again] == [r.order for r in ask((Lightest("a"), Lightest("b")), CLIPS, "", seed=(0, 0, 5))]


def test_a_judge_that_always_says_first_agrees_by_chance() -> None:
    pairs = []
    for number in range(400):
        one, other = ask((Lightest("a"), AlwaysFirst("b")), CLIPS, "a prompt", seed=(1, 0, number))
        assert one.first is not None and other.first is not None
        pairs.append((one.order.index(one.first), one.order.index(other.first)))
    assert abs(kappa(pairs)) < 0.1


def test_who_abstains_agrees_with_nobody() -> None:
    rankings = ask((Lightest("a"), Abstains("b")), CLIPS, "a prompt", seed=(0,))
    assert rankings[1].first is None and agreed(rankings) is None
    assert rankings[1].as_json()["answer"] is None


def test_kappa_by_hand() -> None:
    # 3 of 4 agree; chance 0.5 * 0.75 + 0.5 * 0.25.
    assert kappa([(0, 0), (0, 0), (1, 1), (1, 0)]) == pytest.approx((0.75 - 0.5) / 0.5)
    assert np.isnan(kappa([]))


def test_a_ranking_knows_its_first() -> None:
    assert Ranking("a", "clarity", (2, 0, 1), (1, 2, 0), 0.0).first == 0
