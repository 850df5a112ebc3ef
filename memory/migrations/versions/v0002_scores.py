"""Scores of videos: scorers, scores, evaluations, and digests of large files."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From the first tables."""
    op.create_table(
        "scorers",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("metric", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("scorer", sa.JSON, nullable=False),
    )
    op.create_index("ix_scorers_metric_code", "scorers", ["metric", "code"])
    op.create_table(
        "scores",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("video", sa.String(64), nullable=False),
        sa.Column("scorer", sa.String(64), sa.ForeignKey("scorers.digest"), nullable=False),
        sa.Column("told", sa.String(64), nullable=False),
        sa.Column("value", sa.Float(53)),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("note", sa.JSON),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("video", "scorer", "told", name="uq_scores_video_scorer_told"),
    )
    op.create_table(
        "evaluations",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("evaluation", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_evaluations_created_at", "evaluations", ["created_at"])
    op.create_table(
        "known_files",
        sa.Column("place", sa.String(64), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """To the first tables: all scores are lost, and can be made again."""
    for table in ("known_files", "evaluations", "scores", "scorers"):
        op.drop_table(table)
