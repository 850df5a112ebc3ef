"""Alembic, in this process and without an ini file: from any known version to the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from memory.database import MIGRATION_LOCK
from memory.errors import DatabaseTrouble

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Bring the tables to the newest version, one process at a time; DatabaseTrouble if they are newer still."""
    script = ScriptDirectory(str(MIGRATIONS))
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        if _version(connection, script) != script.get_current_head():
            command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _version(connection: Connection, script: ScriptDirectory) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or current in {revision.revision for revision in script.walk_revisions()}:
        return current
    raise DatabaseTrouble(
        f"The database is at version {current!r}, which this program does not know: it is newer; update the program."
    )
