"""Turns of conversations: what was said, how it was understood, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Conversations that are there have no turns stored; they get one with each turn from now on."""
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.String(64)),
        sa.Column("words", sa.JSON),
        sa.Column("moves", sa.JSON, nullable=False),
        sa.Column("reply", sa.JSON),
        sa.Column("voice", sa.String(16), nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("products", sa.JSON, nullable=False),
        sa.Column("asked", sa.JSON),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("changed", sa.Boolean, nullable=False),
        sa.Column("undone_by", sa.Integer),
        sa.Column("error", sa.JSON),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("run", "number", name="uq_turns_run_number"),
        sa.UniqueConstraint("run", "question", name="uq_turns_run_question"),
    )


def downgrade() -> None:
    """Without turns: what was said is lost, but for the last sentences in the checkpoints."""
    op.drop_table("turns")
