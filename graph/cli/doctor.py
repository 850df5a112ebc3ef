"""Checks what works on this machine, what does not, and what to do about it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.markup import escape
from rich.table import Table

from graph.cli.sentences import sentence_of
from graph.configure import planner_settings, profile_of
from graph.errors import TOLD
from graph.planners.factory import default_planner, make_planner
from graph.settings import Settings

if TYPE_CHECKING:
    from models.presets import Preset


class Finding(BaseModel):
    """One part of Mora: whether it works, and what was found or what to do."""

    part: str
    works: bool
    found: str


def examine(settings: Settings) -> list[Finding]:
    """Examine every part; nothing is changed, except that a missing database is created."""
    parts: dict[str, Callable[[Settings], str]] = {
        "device": _device,
        "weights": _weights,
        "database": _database,
        "home": _home,
        "planner": _planner,
        "codecs": _codecs,
        "manifests": _manifests,
    }
    return [_looked_at(part, look, settings) for part, look in parts.items()]


def _looked_at(part: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(part=part, works=True, found=look(settings))
    except TOLD as error:
        return Finding(part=part, works=False, found=sentence_of(error))


def _device(settings: Settings) -> str:
    from models.lenders.local import LocalLender

    role = _rows(settings)[0].role
    lender = LocalLender(settings.profile, device=settings.device, threads=settings.threads, dtype=settings.dtype)
    return lender.identity(role).numerics


def _weights(settings: Settings) -> str:
    from models.backends.loading import folder_of

    rows = _rows(settings)
    sizes = [sum(p.stat().st_size for p in folder_of(row).rglob("*.safetensors")) for row in rows]
    listed = (f"{row.role} {size / 2**20:.1f} MiB" for row, size in zip(rows, sizes, strict=True))
    return f"profile {settings.profile}: {', '.join(listed)}"


def _rows(settings: Settings) -> "list[Preset]":
    """Return the models of the profile. Raises RequestError if it has none."""
    from models.presets import preset, roles

    profile_of(settings.profile)
    return [preset(settings.profile, role) for role in roles(settings.profile)]


def _database(settings: Settings) -> str:
    with settings.open_archive() as archive:
        return f"{archive.shown}, {len(archive.runs())} runs, {archive.size() / 2**20:.1f} MiB"


def _home(settings: Settings) -> str:
    home = settings.home.expanduser()
    used = sum(path.stat().st_size for path in Path(home).rglob("*") if path.is_file())
    return f"{home}, {used / 2**20:.1f} MiB used"


def _planner(settings: Settings) -> str:
    chosen = planner_settings(settings)
    planner = make_planner(chosen, profile_of(settings.profile))
    return f"{default_planner(chosen)} ({planner.name}) for profile {settings.profile}"


def _codecs(_settings: Settings) -> str:
    from tools.media.codecs import library_versions

    return library_versions()


def _manifests(settings: Settings) -> str:
    from graph.provenance.signing import check_signer

    if not settings.provenance:
        return "films are delivered without one"
    return (
        "signed with Mora's own certificate" if check_signer(settings) is None else f"signed by {settings.signing_cert}"
    )


def findings_table(findings: list[Finding]) -> Table:
    """Return the findings as a table."""
    table = Table("part", "", "found")
    for finding in findings:
        table.add_row(
            finding.part, "[green]works[/green]" if finding.works else "[red]broken[/red]", escape(finding.found)
        )
    return table
