"""Write a C2PA manifest with Mora's statement into a copy of a film, and read it back. Knows no run and no store.

The copy has one additional box, and `unsigned` removes it, byte for byte. Nothing is ever fetched: no timestamps,
revocation lists or remote manifests. Uploads are identified by their digests; their own manifests are not carried over,
since agents only work on their pixels.
"""

import hashlib
import io
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue

from memory.records import Media, Record, Request
from tools.errors import CannotSign
from tools.provenance import gif_blocks, mp4_boxes
from tools.provenance.film_file import GIF, MP4, film_bytes, media_type_of
from tools.provenance.signer import Signer

if TYPE_CHECKING:
    import c2pa


LABEL = "org.mora.run"
"""Label of our assertion; the others are C2PA's."""


VERSION = 1


SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


GENERATED = f"{SOURCES}trainedAlgorithmicMedia"


COMPOSED = f"{SOURCES}compositeWithTrainedAlgorithmicMedia"


ENDINGS = {MP4: ".mp4", GIF: ".gif"}
"""Endings of file names by the media types that can carry a manifest."""


SHOWING = ("assemble_film", "cut_film", "cut_video", "gif")
"""Makers, by the name in a recipe, whose products show the pixels of what they are made of."""


OFFLINE: dict[str, Any] = {
    "verify": {"ocsp_fetch": False, "remote_manifest_fetch": False},
    "core": {"allowed_network_hosts": []},
    "builder": {"thumbnail": {"enabled": False}},
}


Fault = Literal["absent", "elsewhere", "damaged", "altered", "expired", "foreign", "newer", "another"]


FAULTS: dict[Fault, str] = {
    "absent": "carries no manifest, so its origin is unknown (it was exported without one, or it was removed).",
    "elsewhere": "carries only the address of a manifest, which is not fetched; ask for a copy that contains it.",
    "damaged": "is damaged or cut off, so that its manifest cannot be read; get a whole copy.",
    "altered": "was changed after it was signed: the signature does not match its bytes.",
    "expired": "was signed with a certificate that is not valid today, so the date is unproven; ask for a new copy.",
    "foreign": "carries a valid manifest, but not one by Mora, so how it was made is unknown.",
    "newer": "carries a statement that this version of Mora cannot read; verify it with the version that made it.",
    "another": "is not the film that its manifest describes, although the signature is valid; do not trust it.",
}
"""Why a file's manifest does not prove its origin, phrased to follow the name of the file."""


EXPIRED = {"signingCredential.expired", "claimSignature.outsideValidity"}


UNTRUSTED = "signingCredential.untrusted"


class Approval(Record):
    """A verdict on a product. by: `inspection` for Mora's own check, or `person` for a choice by the user."""

    by: str
    ok: bool
    reason: str = ""


class Work(Record):
    """A product used for the film, with its recipe's fields (`memory.records.Recipe`). parents: ids of products."""

    id: str = Field(pattern=r"^(image|clip|film)-[0-9a-f]{16}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media: Media
    agent: str
    weights: str = ""
    spec: dict[str, JsonValue] = Field(default_factory=dict)
    parents: tuple[str, ...] = ()
    numerics: str = ""
    approvals: tuple[Approval, ...] = ()


class Statement(Record):
    """Mora's statement about a film it made.

    said: the person's messages after the first, which is in the request. planner: the planner's name. prompts: digest
    of the planner's system prompts. shots: A1's prompts for each shot. works: the products that the film was made of,
    parents first, the film last. left_out: how many of them were omitted to limit the size. begun, ended: times of the
    run, ISO 8601.
    """

    version: Literal[1] = 1
    software: str
    run: str
    parent: str | None = None
    task: str
    request: Request
    said: tuple[str, ...] = ()
    planner: str
    prompts: str
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$")
    threads: int = Field(default=1, ge=1, le=256)
    dtype: str | None = Field(default=None, pattern=r"^(float32|bfloat16|float16)$")
    shots: tuple[dict[str, JsonValue], ...] = ()
    works: tuple[Work, ...] = Field(min_length=1)
    left_out: int = Field(default=0, ge=0)
    begun: str
    ended: str

    @property
    def film(self) -> Work:
        """The film itself, whose digest is that of the unsigned bytes."""
        return self.works[-1]


@dataclass(frozen=True)
class Reading:
    """The result of reading a file's manifest. fault: why it is invalid; None if signature, bytes and statement agree.

    signer, issuer: names in the certificate. known_as: name of the given authority that issued it; None: none of them.
    """

    fault: Fault | None = None
    signer: str | None = None
    issuer: str | None = None
    known_as: str | None = None
    statement: Statement | None = None


def check_signing() -> None:
    """Raise CannotSign if the signing library does not load on this machine."""
    _library()


def sign(film: bytes, statement: Statement, signer: Signer) -> bytes:
    """Return a copy of the film (MP4 or GIF) with the statement in a signed manifest. Raises CannotSign."""
    c2pa = _library()
    info = c2pa.C2paSignerInfo(signer.algorithm.encode(), signer.chain.encode(), signer.key.encode(), None)
    copy = io.BytesIO()
    try:
        with (
            _context() as context,
            c2pa.Signer.from_info(info) as pen,
            c2pa.Builder(manifest_of(statement), context=context) as builder,
        ):
            builder.sign(pen, statement.film.media.media_type, io.BytesIO(film), copy)
    except c2pa.C2paError as error:
        raise CannotSign("signing-failed", f"The film cannot be signed: {error}.") from error
    return copy.getvalue()


def manifest_of(statement: Statement) -> dict[str, Any]:
    """Return the manifest in the library's format: standard actions and ingredients, and the statement under LABEL."""
    name, _, version = statement.software.partition(" ")
    given = [work for work in statement.works if work.agent == "upload"]
    part = {work.id: _part(statement, work) for work in given}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": list(_actions(part))}}
    return {
        "claim_generator_info": [{"name": name, "version": version}],
        "title": f"{statement.film.id}{ENDINGS[statement.film.media.media_type]}",
        "format": statement.film.media.media_type,
        "ingredients": [
            {
                "label": work.id,
                "title": work.id,
                "format": work.media.media_type,
                "instance_id": f"xmp:iid:{work.sha256}",
                "relationship": part[work.id],
            }
            for work in given
        ],
        "assertions": [actions, {"label": LABEL, "data": _packed(statement), "created": True}],
    }


def _packed(statement: Statement) -> dict[str, Any]:
    """Return the statement as stored in the manifest.

    Specs are stored as JSON strings, since the library turns lists of small integers into bytes.
    """
    packed = statement.model_dump(mode="json")
    for work in packed["works"]:
        work["spec"] = json.dumps(work["spec"], sort_keys=True, ensure_ascii=False)
    return packed


def _unpacked(packed: Any) -> Statement:
    """Undo `_packed`. Raises ValueError (including ValidationError), TypeError or LookupError for anything else."""
    works = [{**work, "spec": json.loads(work["spec"])} for work in packed["works"]]
    return Statement.model_validate({**packed, "works": works})


def _part(statement: Statement, given: Work) -> str:
    """Return C2PA's relationship of an upload to the film: edited into it, shown in it, or input to an agent."""
    if statement.task == "edit" and given.media.kind != "image":
        return "parentOf"
    works = {work.id: work for work in statement.works}
    ahead, shown = [statement.film.id], set[str]()
    while ahead:
        work = works.get(ahead.pop())
        if work is not None and work.agent in SHOWING:
            ahead += set(work.parents) - shown
            shown.update(work.parents)
    return "componentOf" if given.id in shown else "inputTo"


def _actions(part: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield C2PA actions; the first states the origin of the film."""
    named = {kind: [id for id, one in part.items() if one == kind] for kind in ("parentOf", "componentOf", "inputTo")}
    if named["parentOf"]:
        yield {"action": "c2pa.opened", "parameters": {"ingredientIds": named["parentOf"][:1]}}
        yield {"action": "c2pa.edited", "digitalSourceType": GENERATED}
        return
    looked_at = {"parameters": {"ingredientIds": named["inputTo"]}} if named["inputTo"] else {}
    source = COMPOSED if named["componentOf"] else GENERATED
    yield {"action": "c2pa.created", "digitalSourceType": source, **looked_at}
    if named["componentOf"]:
        yield {"action": "c2pa.placed", "parameters": {"ingredientIds": named["componentOf"]}}


def read(path: Path, authorities: Mapping[str, str] | None = None) -> Reading:
    """Read and validate the manifest of a film. authorities: certificates as PEM, by the name of their owner.

    Raises BadInput for a file that is not a film, CannotSign if the library does not load.
    """
    data = film_bytes(path)
    report = _report(data)
    if isinstance(report, str):
        return Reading(report)
    if (fault := _fault(report)) is not None:
        return Reading(fault)
    manifest = report["manifests"][report["active_manifest"]]
    signed = manifest["signature_info"]
    known = next((name for name, pem in (authorities or {}).items() if pem and _is_by(data, pem)), None)
    who = Reading(signer=signed.get("common_name"), issuer=signed.get("issuer"), known_as=known)
    packed = next((one["data"] for one in manifest["assertions"] if one["label"] == LABEL), None)
    if packed is None:
        return replace(who, fault="foreign")
    try:
        statement = _unpacked(packed)
    except (ValueError, TypeError, LookupError, RecursionError):
        return replace(who, fault="newer")
    same = _unsigned_sha256(data) == statement.film.sha256
    return replace(who, fault=None if same else "another", statement=statement)


def _unsigned_sha256(copy: bytes) -> str | None:
    """Return the sha256 of the file that was signed, 64 hex digits; None if `copy` is not a signed copy."""
    without = gif_blocks.unsigned if media_type_of(copy[:8]) == GIF else mp4_boxes.unsigned
    try:
        return hashlib.sha256(without(copy)).hexdigest()
    except (struct.error, ValueError, IndexError):
        return None


def _report(data: bytes, authorities: str = "") -> dict[str, Any] | Fault:
    """Return the library's report on a file, or the fault that prevents one."""
    c2pa = _library()
    try:
        with (
            _context(authorities) as context,
            c2pa.Reader(media_type_of(data[:8]) or MP4, io.BytesIO(data), context=context) as reader,
        ):
            report: dict[str, Any] = json.loads(reader.json())
            return report
    except c2pa.C2paError.ManifestNotFound:
        return "absent"
    except RecursionError:
        return "damaged"
    except c2pa.C2paError as error:
        return "elsewhere" if "remote manifest" in str(error) else "damaged"


def _fault(report: dict[str, Any]) -> Fault | None:
    if report["validation_state"] in ("Valid", "Trusted"):
        return None
    failed = {one["code"] for one in report["validation_results"]["activeManifest"]["failure"]} - {UNTRUSTED}
    return "expired" if failed and failed <= EXPIRED else "altered"


def _is_by(data: bytes, authorities: str) -> bool:
    report = _report(data, authorities)
    return not isinstance(report, str) and report["validation_state"] == "Trusted"


def _context(authorities: str = "") -> "c2pa.Context":
    c2pa = _library()
    trust = {"trust": {"user_anchors": authorities}} if authorities else {}
    return c2pa.Context(settings=c2pa.Settings.from_dict({**OFFLINE, **trust}))


def _library() -> Any:
    try:
        import c2pa
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise CannotSign(
            "signing-library-missing", f"Films cannot be signed here: the library c2pa-python does not load ({error})."
        ) from error
    return c2pa
