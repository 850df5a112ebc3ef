"""Mistakes that can be seen before anything heavy is loaded, opened or made. Light to import, as `--help` is.

Each check raises the error that the same mistake raises further in, so that the sentence is one and the same. Of files
`tools.uploads.files` and `tools.delivery.export` know, of a request's options `graph.runs.requests.options`.
"""

import os
from pathlib import Path

from memory.names import DATABASE_FILE, run_id, unknown_run


def check_run(said: str) -> None:
    """Check that a run may go by this id. Raises UnknownRun for what is no id, and for any where nothing is stored."""
    run_id(said)
    if nothing_is_stored():
        raise unknown_run(said)


def nothing_is_stored() -> bool:
    """Return whether it is certain, without the settings being read, that there is no store yet.

    It is not where an `.env` file or a variable may name another database; then the settings say where to look.
    """
    named = {name.lower(): value for name, value in os.environ.items()}
    if "mora_database_url" in named or Path(".env").exists():
        return False
    if (home := named.get("mora_home")) is None:
        from platformdirs import user_data_path

        home = str(user_data_path("mora"))
    return not (Path(home).expanduser() / DATABASE_FILE).exists()
