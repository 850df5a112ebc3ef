"""The records as SQLAlchemy mappings, and nothing else: no session, no decision."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from memory.records import AgentCall, Artifact, Evaluation, LlmCall, Run, Score, Scorer, TurnRecord


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; SQLite, which knows no zones, gets it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as the database keeps it; it must have a time zone."""
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment without a zone cannot be stored"
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# Free text from people and language models is kept as JSON, because PostgreSQL refuses a NUL in text but not "\u0000".
# JSON and not JSONB, because JSONB rewrites numbers (1e22 comes back as an integer), and a recipe key hangs on them.
FREE_TEXT = JSON(none_as_null=True)


class Base(DeclarativeBase):
    """All tables of the archive; those of LangGraph are not among them."""


class RunRow(Base):
    """One run."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    graph_version: Mapped[int]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    film: Mapped[str | None] = mapped_column(String(32))
    parent: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    error: Mapped[str | None] = mapped_column(FREE_TEXT)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def record(self) -> Run:
        """Return the row as a value."""
        return Run.model_validate({name: getattr(self, name) for name in Run.model_fields})


class ArtifactRow(Base):
    """One product; `suffix` is the end of its file name, dot included."""

    __tablename__ = "artifacts"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    suffix: Mapped[str] = mapped_column(String(16))
    media: Mapped[dict[str, Any]] = mapped_column(JSON)
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON)
    parents: Mapped[list[str]] = mapped_column(JSON)
    seconds: Mapped[float] = mapped_column(Float(53))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def record(self) -> Artifact:
        """Return the row as a value."""
        return Artifact.model_validate({name: getattr(self, name) for name in Artifact.model_fields})


class RunArtifactRow(Base):
    """A run made or reused an artifact; `id` gives the order."""

    __tablename__ = "run_artifacts"
    __table_args__ = (UniqueConstraint("run", "artifact", name="uq_run_artifacts_run_artifact"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    artifact: Mapped[str] = mapped_column(ForeignKey("artifacts.id"))


class RecipeRow(Base):
    """A recipe: what it gave (`artifact`), and who works on it now (`token`, under the lease `run` and `owner`)."""

    __tablename__ = "recipes"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    artifact: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))
    token: Mapped[str | None] = mapped_column(String(32))
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    owner: Mapped[str] = mapped_column(String(32))


class AgentCallRow(Base):
    """One line of the ledger."""

    __tablename__ = "agent_calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), index=True)
    agent: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    artifact: Mapped[str | None] = mapped_column(ForeignKey("artifacts.id"))

    def record(self) -> AgentCall:
        """Return the row as a value."""
        return AgentCall.model_validate({name: getattr(self, name) for name in AgentCall.model_fields})


class LlmCallRow(Base):
    """One call of a language model."""

    __tablename__ = "llm_calls"
    __table_args__ = (Index("ix_llm_calls_run_digest", "run", "digest"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    digest: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(256))
    purpose: Mapped[str] = mapped_column(String(64))
    request: Mapped[Any] = mapped_column(JSON)
    response: Mapped[str] = mapped_column(FREE_TEXT)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def record(self) -> LlmCall:
        """Return the row as a value."""
        return LlmCall.model_validate({name: getattr(self, name) for name in LlmCall.model_fields})


class TurnRow(Base):
    """One turn of a conversation. The index refuses a second answer to a question."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("run", "number", name="uq_turns_run_number"),
        UniqueConstraint("run", "question", name="uq_turns_run_question"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    question: Mapped[str | None] = mapped_column(String(64))
    words: Mapped[str | None] = mapped_column(FREE_TEXT)
    moves: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    reply: Mapped[str | None] = mapped_column(FREE_TEXT)
    voice: Mapped[str] = mapped_column(String(16))
    notes: Mapped[list[str]] = mapped_column(JSON)
    products: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    asked: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(String(16))
    changed: Mapped[bool]
    undone_by: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(FREE_TEXT)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def record(self) -> TurnRecord:
        """The row as a value."""
        return TurnRecord.model_validate({name: getattr(self, name) for name in TurnRecord.model_fields})


class LeaseRow(Base):
    """Who writes to a run. The row stays when the lease ends (`owner` "", `expires` 0), so that the fence only grows.

    expires: seconds since 1970 by the database's clock. started: seconds from boot to the start of the process.
    pid_space: in which numbering of processes `pid` has its meaning.
    """

    __tablename__ = "leases"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    owner: Mapped[str] = mapped_column(String(32))
    fence: Mapped[int] = mapped_column(BigInteger)
    host: Mapped[str] = mapped_column(String(256))
    pid_space: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int]
    started: Mapped[float] = mapped_column(Float(53))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[float] = mapped_column(Float(53))


class ScorerRow(Base):
    """One scorer. Those of a metric's code are found by both."""

    __tablename__ = "scorers"
    __table_args__ = (Index("ix_scorers_metric_code", "metric", "code"),)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    metric: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64))
    scorer: Mapped[dict[str, Any]] = mapped_column(JSON)

    def record(self) -> Scorer:
        """Return the row as a value."""
        return Scorer.model_validate(self.scorer)


class ScoreRow(Base):
    """One score. `value` and `values` have null for NaN, which SQLite and JSON cannot keep."""

    __tablename__ = "scores"
    __table_args__ = (UniqueConstraint("video", "scorer", "told", name="uq_scores_video_scorer_told"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    video: Mapped[str] = mapped_column(String(64))
    scorer: Mapped[str] = mapped_column(ForeignKey("scorers.digest"))
    told: Mapped[str] = mapped_column(String(64))
    value: Mapped[float | None] = mapped_column(Float(53))
    values: Mapped[list[float | None]] = mapped_column(JSON)
    note: Mapped[str | None] = mapped_column(FREE_TEXT)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def record(self) -> Score:
        """Return the row as a value."""
        return Score.model_validate({name: getattr(self, name) for name in Score.model_fields})


class EvaluationRow(Base):
    """One evaluation."""

    __tablename__ = "evaluations"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    evaluation: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    def record(self) -> Evaluation:
        """Return the row as a value."""
        return Evaluation.model_validate(self.evaluation)


class KnownFileRow(Base):
    """The digest of a large file, as long as its size and time of change stay. place: sha256 of its path."""

    __tablename__ = "known_files"
    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
