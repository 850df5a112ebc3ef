"""Alembic, in this process and without an ini file: from any known version to the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from memory.database import engine as database
from memory.errors import DatabaseTrouble


def migrate(engine: Engine, busy_seconds: float) -> None:
    """Bring the tables to the newest version, one process at a time; DatabaseTrouble if they are newer still."""
    if engine.dialect.name == "sqlite":
        database.switch_to_wal(engine, busy_seconds)
    if not _is_current(engine):
        upgrade(engine)


def _is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        if not inspect(connection).has_table(database.VERSION_TABLE):
            return False
        return bool(connection.scalar(text(f"SELECT version_num FROM {database.VERSION_TABLE}")) == database.HEAD)


MIGRATIONS = Path(__file__).parents[1] / "migrations"


def upgrade(engine: Engine) -> None:
    """Bring the tables to the newest version, one process at a time; DatabaseTrouble if they are newer still."""
    script = ScriptDirectory(str(MIGRATIONS))
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": database.MIGRATION_LOCK})
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
        "database-newer",
        f"The database is at version {current!r}, which this program does not know: it is newer; update the program.",
        version=current,
    )
