"""Checks of a run id before anything heavy is loaded, opened or created. Light to import.

Each check raises the error that the same mistake raises deeper in the code, so that the message is the same. Files are
checked in `tools.uploads.files` and `tools.delivery.export`, a request's options in `graph.runs.requests.options`.
"""

import os
from pathlib import Path

from memory.names import DATABASE_FILE, run_id, unknown_run


def check_run(said: str) -> None:
    """Check that a run can have this id. Raises UnknownRun if it is not an id, or if nothing is stored at all."""
    run_id(said)
    if nothing_is_stored():
        raise unknown_run(said)


def nothing_is_stored() -> bool:
    """Return whether it is certain, without reading the settings, that there is no store yet.

    It is not certain if an `.env` file or a variable may name another database; then only the settings tell.
    """
    named = {name.lower(): value for name, value in os.environ.items()}
    if "mora_database_url" in named or Path(".env").exists():
        return False
    if (home := named.get("mora_home")) is None:
        from platformdirs import user_data_path

        home = str(user_data_path("mora"))
    return not (Path(home).expanduser() / DATABASE_FILE).exists()
