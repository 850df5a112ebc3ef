"""The first tables: runs, artifacts, recipes, the ledger, language model calls, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A column of moments in UTC."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """From nothing."""
    _runs_and_leases()
    _artifacts()
    _calls()


def downgrade() -> None:
    """To nothing: all that the archive knows is lost."""
    for table in ("llm_calls", "agent_calls", "recipes", "run_artifacts", "artifacts", "leases", "runs"):
        op.drop_table(table)


def _runs_and_leases() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("graph_version", sa.Integer, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("film", sa.String(32)),
        sa.Column("parent", sa.String(26), sa.ForeignKey("runs.id")),
        sa.Column("error", sa.JSON),
        moment("created_at"),
        moment("updated_at"),
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_table(
        "leases",
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("host", sa.String(256), nullable=False),
        sa.Column("pid_space", sa.String(64), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", sa.Float(53), nullable=False),
        moment("since"),
        sa.Column("expires", sa.Float(53), nullable=False),
    )


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("suffix", sa.String(16), nullable=False),
        sa.Column("media", sa.JSON, nullable=False),
        sa.Column("recipe", sa.JSON, nullable=False),
        sa.Column("parents", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        moment("created_at"),
    )
    op.create_index("ix_artifacts_sha256", "artifacts", ["sha256"])
    op.create_table(
        "run_artifacts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("artifact", sa.String(32), sa.ForeignKey("artifacts.id"), nullable=False),
        sa.UniqueConstraint("run", "artifact", name="uq_run_artifacts_run_artifact"),
    )
    op.create_table(
        "recipes",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("artifact", sa.String(32), sa.ForeignKey("artifacts.id")),
        sa.Column("token", sa.String(32)),
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
    )


def _calls() -> None:
    op.create_table(
        "agent_calls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        moment("started_at"),
        moment("ended_at", nullable=True),
        sa.Column("outcome", sa.String(16)),
        sa.Column("artifact", sa.String(32), sa.ForeignKey("artifacts.id")),
    )
    op.create_index("ix_agent_calls_run", "agent_calls", ["run"])
    op.create_index("ix_agent_calls_key", "agent_calls", ["key"])
    op.create_table(
        "llm_calls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("response", sa.JSON, nullable=False),
        moment("created_at"),
    )
    op.create_index("ix_llm_calls_run_digest", "llm_calls", ["run", "digest"])
