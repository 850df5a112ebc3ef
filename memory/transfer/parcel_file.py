"""An exported run as a file that a person names, looked at before it is opened as one. Light to import."""

from pathlib import Path

from memory.errors import BadParcel


def check_parcel_file(path: Path) -> None:
    """Check that the file is there and can be opened. Raises BadParcel with one sentence."""
    if not path.is_file():
        raise BadParcel("parcel-missing", f"{path}: there is no such file; check the path.", path=str(path))
    try:
        path.open("rb").close()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> BadParcel:
    """Return the error that says what the system says of the file."""
    return BadParcel(
        "parcel-unreadable", f"{path} cannot be read ({error.strerror or error}); name another file.", path=str(path)
    )
