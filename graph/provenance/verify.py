"""Verifies a film against its manifest and this archive, and regenerates it from the manifest if asked.

A manifest may come from a stranger: it is shown as data only, and regenerated within the bounds of the tools.
"""

import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from graph.errors import RequestError
from graph.runs.observer import Observer, report_to
from graph.runs.services import Services, tool_context_of
from graph.state.channels import GRAPH_VERSION
from memory.archive import Archive
from memory.errors import ArchiveError, UnknownArtifact, UnknownRun
from memory.products.files import Produced
from memory.records import Artifact
from tools.provenance.manifest import FAULTS, Reading, Statement, Work, read
from tools.regenerate import regenerate, uses_weights

if TYPE_CHECKING:
    from memory.leases import Lease


Known = Literal["same", "other", "unknown", "not looked at"]
"""How this archive has the film: with the same digest, with another, not at all; or it could not be opened."""


LONGEST_SHOWN = 300


@dataclass(frozen=True)
class Again:
    """The outcome of regenerating the film. differs, why: the first product with other bytes, None if there is none."""

    made: int
    sha256: str
    differs: Work | None = None
    why: str = ""

    @property
    def same(self) -> bool:
        """True if every product, the film included, came out with the bytes that the manifest states."""
        return self.differs is None


@dataclass(frozen=True)
class Verification:
    """The findings about one file."""

    path: Path
    reading: Reading
    run_here: bool = False
    film_here: Known = "unknown"
    again: Again | None = None

    @property
    def problem(self) -> str | None:
        """A sentence saying why the film is not verified; None if it is."""
        if self.reading.fault is not None:
            return f"{self.path} {FAULTS[self.reading.fault]}"
        if self.film_here == "other":
            return f"{self.path} is not the film of that name in this archive, though it is signed; do not trust it."
        if self.again is not None and self.again.differs is not None:
            return f"{self.path} came out different when it was made again: {self.again.why}."
        return None


def verify(path: Path, authorities: dict[str, str], archive: "Archive | None") -> Verification:
    """Read the file's manifest and compare it with the archive, if there is one. Raises BadInput, CannotSign."""
    reading = read(path, authorities)
    if reading.fault is not None or reading.statement is None:
        return Verification(path, reading)
    if archive is None:
        return Verification(path, reading, film_here="not looked at")
    try:
        return Verification(path, reading, *_found(archive, reading.statement))
    except ArchiveError:
        return Verification(path, reading, film_here="not looked at")


def _found(archive: Archive, statement: Statement) -> tuple[bool, Known]:
    """Return whether the run is in the archive, and how the archive has the film."""
    try:
        run_here = archive.run(statement.run).id == statement.run
    except UnknownRun:
        run_here = False
    try:
        kept = archive.artifact(statement.film.id)
    except UnknownArtifact:
        return run_here, "unknown"
    return run_here, "same" if kept.sha256 == statement.film.sha256 else "other"


def regenerated(found: Verification, services: Services, observer: Observer) -> Verification:
    """Regenerate the film from its manifest alone, in a temporary archive; return `found` with the outcome.

    Uploaded files are taken from the archive of `services`. Stops at the first product that differs. Raises
    RequestError for what cannot be made here, BadInput, AgentError, Stopped.
    """
    statement = found.reading.statement
    assert statement is not None, "only a film whose manifest holds is made again"
    if statement.left_out:
        raise RequestError(
            "manifest-incomplete",
            f"The manifest leaves out {statement.left_out} products to save room, so the film cannot be made from "
            "it; replay its run where that is.",
            run=statement.run,
        )
    with tempfile.TemporaryDirectory(prefix="mora-verify-") as folder:
        home = Path(folder)
        with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as scratch:
            run = scratch.create_run(statement.request, settings={}, graph_version=GRAPH_VERSION)
            with scratch.hold(run.id) as lease:
                return replace(found, again=_again(statement, services, scratch, lease, observer))


def _again(statement: Statement, services: Services, scratch: Archive, lease: "Lease", observer: Observer) -> Again:
    stored: dict[str, JsonValue] = {
        "device": statement.device, "threads": statement.threads, "dtype": statement.dtype,
    }  # fmt: skip
    tool_context = tool_context_of(services, services.lender(stored), scratch, lease)
    made, report = dict[str, Artifact](), report_to(observer, services.stop_if_asked)
    for work in statement.works:
        if work.agent == "upload":
            made[work.id] = _taken_over(work, services.archive, scratch, lease)
            continue
        if not set(work.parents) <= set(made):
            raise RequestError(
                "manifest-broken",
                "The manifest does not say all that the film was made of, so it cannot be made again.",
            )
        parents = [made[parent] for parent in work.parents]
        made[work.id] = now = regenerate(tool_context, work.agent, work.spec, parents, report=report)
        if now.sha256 != work.sha256:
            return Again(len(made), now.sha256, work, _why(work, now))
    return Again(len(made), made[statement.film.id].sha256)


def _taken_over(work: Work, archive: Archive, scratch: Archive, lease: "Lease") -> Artifact:
    """Copy an uploaded file from the archive into `scratch`."""
    try:
        kept = archive.artifact(work.id)
        if kept.sha256 != work.sha256:
            raise UnknownArtifact(
                "artifact-unknown", f"There is no artifact {work.id!r} with these bytes.", artifact=work.id
            )
        product = Produced(archive.read(kept), kept.media, archive.path(kept).suffix)
    except ArchiveError as error:
        raise RequestError(
            "film-source-missing",
            f"The film was made from a given {work.media.kind}, {work.id}, which is not in this archive; "
            "import its run first.",
            artifact=work.id,
        ) from error
    return scratch.make(lease, kept.recipe, lambda: product).artifact


def _why(work: Work, now: Artifact) -> str:
    """Return what differs in the recipe of a product that came out different."""
    name, recipe = f"{work.agent} ({work.id})", now.recipe
    if uses_weights(work.agent) and recipe.weights != work.weights:
        return f"{name} has other weights here, {recipe.weights[:12]} instead of {_plain(work.weights)[:12]}"
    others = sorted(key for key in {*recipe.spec, *work.spec} if recipe.spec.get(key) != work.spec.get(key))
    if others:
        return f"{name} is asked for another {', '.join(map(_plain, others))} here"
    if recipe.numerics != work.numerics:
        return f"{name} is computed otherwise here ({recipe.numerics} instead of {_plain(work.numerics)})"
    return f"{name} has other bytes by the same recipe, so the manifest does not say how they were made"


def _plain(text: str) -> str:
    """Return the text on one line, without control characters, cut to `LONGEST_SHOWN` characters."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(one)[0] == "C" else one for one in text)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[: LONGEST_SHOWN - 1]}…"
