"""Scores of videos, kept the moment they are known and found by digest; evaluations; digests of large files.

A score rests on the video's bytes, on what the metric was told beside them, and on the scorer; whoever asks for the
same gets the stored one, and nobody asks the networks.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.archive import Archive
from memory.database import engine as database
from memory.database.tables import Base, EvaluationRow, KnownFileRow, ScoreRow, ScorerRow
from memory.errors import UnknownEvaluation
from memory.records import Evaluation, Score, Scorer

SETTLED_SECONDS = 5.0
"""A file that was changed less than this ago may change once more without another time of change."""
AT_ONCE = 500
"""Values in one statement: SQLite of old takes 999."""


def scorers_of(archive: Archive, metrics: Iterable[str]) -> list[Scorer]:
    """Return all known scorers of these metrics, whatever their code, weights and settings, by digest."""
    with archive.reading() as session:
        asked = select(ScorerRow).where(ScorerRow.metric.in_(sorted(set(metrics)))).order_by(ScorerRow.digest)
        return [row.record() for row in session.scalars(asked)]


def keep_scorers(archive: Archive, scorers: Iterable[Scorer]) -> None:
    """Store the scorers that are not known yet; a score needs its scorer."""
    with archive.writing() as session:
        for scorer in scorers:
            _insert(
                session, ScorerRow, digest=scorer.digest, metric=scorer.metric, code=scorer.code,
                scorer=scorer.model_dump(mode="json"),
            )  # fmt: skip


def keep_score(archive: Archive, score: Score) -> None:
    """Store one score in a transaction of its own, unless another process was first."""
    with archive.writing() as session:
        _insert(session, ScoreRow, **{name: getattr(score, name) for name in Score.model_fields})


def scores_of(archive: Archive, videos: Iterable[str], scorers: Iterable[str]) -> list[Score]:
    """Return what these scorers (by digest) said of these videos (by sha256), whatever they were asked."""
    wanted, digests = sorted(set(videos)), sorted(set(scorers))
    found: list[Score] = []
    with archive.reading() as session:
        for start in range(0, len(wanted), AT_ONCE):
            asked = select(ScoreRow).where(
                ScoreRow.video.in_(wanted[start : start + AT_ONCE]), ScoreRow.scorer.in_(digests)
            )
            found.extend(row.record() for row in session.scalars(asked.order_by(ScoreRow.id)))
    return found


def keep_evaluation(archive: Archive, evaluation: Evaluation) -> None:
    """Store the evaluation under its digest, with where its videos lie now."""
    said = evaluation.model_dump(mode="json")
    with archive.writing() as session:
        _insert(session, EvaluationRow, digest=evaluation.digest, evaluation=said, created_at=datetime.now(UTC))
        session.get_one(EvaluationRow, evaluation.digest).evaluation = said


def evaluation_of(archive: Archive, digest: str) -> Evaluation:
    """Return the evaluation of that digest, or of that beginning of a digest (at least 4 digits); UnknownEvaluation."""
    asked = digest.lower()
    if 4 <= len(asked) <= 64 and set(asked) <= set("0123456789abcdef"):
        with archive.reading() as session:
            rows = session.scalars(select(EvaluationRow).where(EvaluationRow.digest.startswith(asked)).limit(2)).all()
            if len(rows) == 1:
                return rows[0].record()
        if rows:
            raise UnknownEvaluation(
                "evaluation-ambiguous",
                f"More than one evaluation begins with {digest!r}; give more of its digest.",
                evaluation=digest,
            )
    raise UnknownEvaluation("evaluation-unknown", f"There is no evaluation {digest!r}.", evaluation=digest)


def evaluations(archive: Archive) -> list[tuple[datetime, Evaluation]]:
    """Return all evaluations and when each was first made, newest first."""
    with archive.reading() as session:
        rows: Sequence[EvaluationRow] = session.scalars(
            select(EvaluationRow).order_by(EvaluationRow.created_at.desc(), EvaluationRow.digest)
        ).all()
        return [(row.created_at, row.record()) for row in rows]


def sha256_of(archive: Archive, path: Path) -> str:
    """Return the sha256 of a large file, read again only if its size or time of change is another. Raises OSError."""
    stat = path.stat()
    place = hashlib.sha256(str(path.resolve()).encode(errors="surrogateescape")).hexdigest()
    with archive.reading() as session:
        row = session.get(KnownFileRow, place)
        if row is not None and (row.size, row.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return row.sha256
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time() - stat.st_mtime > SETTLED_SECONDS:
        with archive.writing() as session:
            known = KnownFileRow(place=place, size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=digest)
            session.merge(known)
    return digest


def _insert(session: Session, table: type[Base], **values: object) -> None:
    session.execute(database.insert_new(session.connection(), table), values)
