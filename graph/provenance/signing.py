"""Chooses the signer of films by the settings, and signs a product when it is delivered."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from graph.errors import RequestError
from graph.provenance.statement import statement_of
from memory.errors import DiskTrouble
from memory.records import Artifact, Run
from tools.delivery.copies import film_of_clip, gif_of, write_converted
from tools.delivery.export import export
from tools.delivery.places import Place
from tools.errors import CannotSign
from tools.provenance.manifest import check_signing, sign
from tools.provenance.signer import (
    Signer,
    configured_authorities,
    configured_signer,
    generated_authorities,
    generated_signer,
)

if TYPE_CHECKING:
    from graph.settings import Settings
    from memory.archive import Archive


HOUSE_SIGNER, OWN_SIGNER = "this house", "you"


def signer_of(settings: "Settings") -> Signer | None:
    """Return the person's own signer, else Mora's, which is generated on first use; None if films are not signed.

    Raises as `check_signer`, and DiskTrouble.
    """
    if not settings.provenance:
        return None
    return check_signer(settings) or generated_signer(_folder(settings))


def check_signer(settings: "Settings") -> Signer | None:
    """Return the person's own signer if one is configured and films are signed; generates nothing.

    Raises BadInput for configured files that cannot sign, RequestError if only one of them is set, CannotSign.
    """
    if not settings.provenance:
        return None
    check_signing()
    if (settings.signing_cert is None) != (settings.signing_key is None):
        lacking = "MORA_SIGNING_KEY" if settings.signing_key is None else "MORA_SIGNING_CERT"
        raise RequestError(
            "signing-settings-incomplete", f"A certificate and its key belong together; set {lacking} too, or neither."
        )
    if settings.signing_cert is None or settings.signing_key is None:
        return None
    return configured_signer(settings.signing_cert.expanduser(), settings.signing_key.expanduser())


def authorities_of(settings: "Settings") -> dict[str, str]:
    """Return the known authorities by owner, as PEM; only reads files. Raises BadInput."""
    known = {HOUSE_SIGNER: generated_authorities(_folder(settings))}
    if settings.signing_cert is not None:
        known[OWN_SIGNER] = configured_authorities(settings.signing_cert.expanduser())
    return known


def _folder(settings: "Settings") -> Path:
    return settings.home.expanduser() / "signing"


def handed_out(
    archive: "Archive", run: Run, signer: Callable[[], Signer | None], *, film: Artifact | None = None
) -> bytes:
    """Return the run's film, or another of its clips and films, as MP4, with a manifest if there is a signer.

    Raises DamagedArtifact, and CannotSign, which says how to get the film without a manifest.
    """
    if film is None:
        assert run.film is not None, f"run {run.id} is {run.status} and has no film"
        film = archive.artifact(run.film)
    if film.media.kind == "clip":
        return _signed(archive, run, signer, *film_of_clip(archive, film))
    return _signed(archive, run, signer, film, archive.read(film))


def hand_out(
    archive: "Archive", run: Run, signer: Callable[[], Signer | None], product: Artifact, place: Place
) -> str | None:
    """Write a copy of a clip or film to a place; return a note if that cannot carry the manifest that a film has.

    Raises as `handed_out`, and BadInput for a place that cannot be written.
    """
    path = place.path
    if place.ending == ".mp4":
        export(handed_out(archive, run, signer, film=product), path)
    elif place.ending == ".gif":
        export(_signed(archive, run, signer, *gif_of(archive, product)), path, suffix=".gif")
    else:
        write_converted(archive, product, place)
        if run_is_signed(signer):
            what = "A WebM file" if place.ending == ".webm" else "A folder of pictures"
            return f"{what} carries no manifest of how it was made; .mp4 and .gif do."
    return None


def run_is_signed(signer: Callable[[], Signer | None]) -> bool:
    """Return whether films are handed out with a manifest, also if that fails on this machine."""
    try:
        return signer() is not None
    except (CannotSign, DiskTrouble):
        return True


def _signed(archive: "Archive", run: Run, signer: Callable[[], Signer | None], film: Artifact, data: bytes) -> bytes:
    try:
        by = signer()
        return data if by is None else sign(data, statement_of(archive, run, film), by)
    except (CannotSign, DiskTrouble) as error:
        raise CannotSign("film-not-signed", f"{error} The film is in the store.", run=run.id) from error
