"""Scores are found by what they rest on, the first of two stands, and NaN stays no number."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from memory import scores
from memory.archive import Archive
from memory.database.upgrade import upgrade
from memory.errors import UnknownEvaluation
from memory.records import Evaluation, Judged, Score, Scorer

VIDEO, OTHER = "a" * 64, "b" * 64
SCORER = Scorer(metric="smooth", title="Smooth", code="c" * 64, weights={"net.pth": "1" * 64})


def score(value: float | None, *, video: str = VIDEO, told: str = "t" * 64) -> Score:
    return Score(
        video=video, told=told, scorer=SCORER.digest, value=value, values=(value, None), note="x\0",
        details={"n": 1e22}, created_at=datetime.now(UTC),
    )  # fmt: skip


def test_scores_are_found_by_video_and_scorer_and_the_first_stands(archive: Archive) -> None:
    scores.keep_scorers(archive, [SCORER, SCORER])
    kept = [score(0.25), score(None, video=OTHER), score(0.5, told="u" * 64)]
    for one in [*kept, score(0.75)]:
        scores.keep_score(archive, one)
    assert scores.scores_of(archive, [VIDEO, OTHER], [SCORER.digest]) == kept
    assert scores.scores_of(archive, [OTHER] * 2000, [SCORER.digest]) == [kept[1]]
    assert scores.scores_of(archive, [VIDEO], ["0" * 64]) == []


def test_a_scorer_is_another_with_other_weights_and_found_by_its_metric(archive: Archive) -> None:
    other = SCORER.model_copy(update={"weights": {"net.pth": "2" * 64}})
    assert other.digest != SCORER.digest
    scores.keep_scorers(archive, [SCORER, other])
    assert scores.scorers_of(archive, ["smooth"]) == sorted((SCORER, other), key=lambda one: one.digest)
    assert scores.scorers_of(archive, ["rough"]) == []


def test_an_evaluation_is_found_by_the_beginning_of_its_digest(archive: Archive) -> None:
    def of(path: str, prompt: str) -> Evaluation:
        video = Judged(name="one", video=VIDEO, prompt=prompt, path=path)
        return Evaluation(system="ours", videos=(video,), scorers=(SCORER,))

    here, there = of("/here/one.mp4", "a fox"), of("/there/one.mp4", "a fox")
    assert here.digest == there.digest != of("/here/one.mp4", "a dog").digest
    scores.keep_evaluation(archive, here)
    scores.keep_evaluation(archive, there)
    assert scores.evaluation_of(archive, here.digest[:6].upper()) == there
    assert [evaluation for _, evaluation in scores.evaluations(archive)] == [there]
    for unknown in ("0000", "x" * 8, here.digest[:3]):
        with pytest.raises(UnknownEvaluation, match="There is no evaluation"):
            scores.evaluation_of(archive, unknown)


def test_what_a_scorer_is_told_counts_only_where_it_asks() -> None:
    fox, dog = (Judged(name="n", video=VIDEO, prompt=words, path="p") for words in ("fox", "dog"))
    assert fox.told(()) == dog.told(())
    assert fox.told(("prompt",)) != dog.told(("prompt",))


def test_a_large_file_is_read_again_when_it_was_changed(archive: Archive, tmp_path: Path) -> None:
    import os

    file = tmp_path / "weights.pth"
    file.write_bytes(b"one")
    os.utime(file, (1e9, 1e9))
    first = scores.sha256_of(archive, file)
    file.write_bytes(b"two")
    os.utime(file, (1e9, 1e9))
    assert scores.sha256_of(archive, file) == first  # the same size and time of change: it is not read
    os.utime(file, (1e9 + 1, 1e9 + 1))
    assert scores.sha256_of(archive, file) != first
    fresh = tmp_path / "fresh.pth"
    fresh.write_bytes(b"one")
    assert scores.sha256_of(archive, fresh) == first
    fresh.write_bytes(b"two")
    assert scores.sha256_of(archive, fresh) != first  # too young to be trusted


def test_a_database_of_the_first_version_gets_the_tables(tmp_path: Path) -> None:
    from alembic import command

    from memory.database.upgrade import _config

    home = tmp_path / "home"
    url = f"sqlite:///{home / 'mora.db'}"
    Archive.open(url, home).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        command.downgrade(_config(connection), "0001")
    upgrade(engine)
    engine.dispose()
    with Archive.open(url, home) as archive:
        scores.keep_scorers(archive, [SCORER])
        assert scores.scorers_of(archive, ["smooth"]) == [SCORER]
