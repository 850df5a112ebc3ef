"""A film's manifest (C2PA): what is stated of a film goes into its copy and is read from it. Knows no run and no store.

The copy is the film with one box more, so that `unsigned` gives the film back, byte for byte. Nothing is ever fetched:
no timestamp, no revocation list, no manifest that lies elsewhere. A given file is named by its digests; a manifest that
it carried itself is not taken over, since agents work on its pixels alone.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue

from memory.records import Media, Record, Request
from tools.errors import CannotSign
from tools.media.codecs import MP4
from tools.provenance.film_file import film_bytes
from tools.provenance.mp4_boxes import unsigned_sha256
from tools.provenance.signer import Signer

if TYPE_CHECKING:
    import c2pa


LABEL = "org.mora.run"
"""Of our assertion; the others are C2PA's."""


VERSION = 1


SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


GENERATED = f"{SOURCES}trainedAlgorithmicMedia"


COMPOSED = f"{SOURCES}compositeWithTrainedAlgorithmicMedia"


OFFLINE: dict[str, Any] = {
    "verify": {"ocsp_fetch": False, "remote_manifest_fetch": False},
    "core": {"allowed_network_hosts": []},
    "builder": {"thumbnail": {"enabled": False}},
}


Fault = Literal["absent", "elsewhere", "damaged", "altered", "expired", "foreign", "newer", "another"]


FAULTS: dict[Fault, str] = {
    "absent": "carries no manifest: nothing says who made it (it was handed out without one, or it was taken away).",
    "elsewhere": "carries only the address of a manifest, and nothing is fetched; ask for a copy that holds it.",
    "damaged": "is damaged or cut off, so that its manifest cannot be read; get a whole copy.",
    "altered": "was changed after it was signed: its bytes are not those that the signature is for.",
    "expired": "was signed with a certificate that is not valid today, so nobody can tell when; ask for a new copy.",
    "foreign": "carries a sound manifest, but not one of Mora: how it was made is not said.",
    "newer": "carries a statement that this version of Mora does not understand; verify it with the one that made it.",
    "another": "is not the film that its manifest speaks of, though the signature fits; do not trust it.",
}
"""Why a file's manifest does not say who made the file."""


EXPIRED = {"signingCredential.expired", "claimSignature.outsideValidity"}


UNTRUSTED = "signingCredential.untrusted"


class Approval(Record):
    """What was said of a product. by: `inspection`, the house's own; or `person`, who chose it."""

    by: str
    ok: bool
    reason: str = ""


class Work(Record):
    """A product on the way to the film, as its recipe says (`memory.records.Recipe`). parents: ids of products."""

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
    """What Mora states of a film it made.

    said: what the person said after the first wish, which is in the request. planner: who planned, by name. prompts:
    digest of the planner's standing words. shots: A1's words for each shot. works: what the film was made of, parents
    first, the film last; `left_out` of them found no room. begun, ended: when the run was, ISO 8601.
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
        """The film itself; its digest is that of the unsigned bytes."""
        return self.works[-1]


@dataclass(frozen=True)
class Reading:
    """What the manifest of a file says. fault: why it does not hold; None if signature, bytes and statement do.

    signer, issuer: names in the certificate. known_as: whose it is of the authorities that were given; None: nobody's.
    """

    fault: Fault | None = None
    signer: str | None = None
    issuer: str | None = None
    known_as: str | None = None
    statement: Statement | None = None


def check_signing() -> None:
    """Raises CannotSign if the library that signs does not load on this machine."""
    _library()


def sign(film: bytes, statement: Statement, signer: Signer) -> bytes:
    """The film (MP4) with the statement in a signed manifest. Raises CannotSign."""
    c2pa = _library()
    info = c2pa.C2paSignerInfo(signer.algorithm.encode(), signer.chain.encode(), signer.key.encode(), None)
    copy = io.BytesIO()
    try:
        with (
            _context() as context,
            c2pa.Signer.from_info(info) as pen,
            c2pa.Builder(manifest_of(statement), context=context) as builder,
        ):
            builder.sign(pen, MP4, io.BytesIO(film), copy)
    except c2pa.C2paError as error:
        raise CannotSign("signing-failed", f"The film cannot be signed: {error}.") from error
    return copy.getvalue()


def manifest_of(statement: Statement) -> dict[str, Any]:
    """The manifest as the library takes it: standard actions and ingredients, and the statement under LABEL."""
    name, _, version = statement.software.partition(" ")
    given = [work for work in statement.works if work.agent == "upload"]
    part = {work.id: _part(statement, work) for work in given}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": list(_actions(part))}}
    return {
        "claim_generator_info": [{"name": name, "version": version}],
        "title": f"{statement.film.id}.mp4",
        "format": MP4,
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
    """The statement as it lies in the manifest. Specs are JSON texts, since the library turns a list of small whole
    numbers into bytes."""
    packed = statement.model_dump(mode="json")
    for work in packed["works"]:
        work["spec"] = json.dumps(work["spec"], sort_keys=True, ensure_ascii=False)
    return packed


def _unpacked(packed: Any) -> Statement:
    """Raises ValueError (ValidationError is one), TypeError or LookupError for what `_packed` did not write."""
    works = [{**work, "spec": json.loads(work["spec"])} for work in packed["works"]]
    return Statement.model_validate({**packed, "works": works})


def _part(statement: Statement, given: Work) -> str:
    """What C2PA calls a given file's part in the film: changed into it, shown in it, or looked at by an agent."""
    if statement.task == "edit" and given.media.kind != "image":
        return "parentOf"
    return "componentOf" if given.id in statement.film.parents else "inputTo"


def _actions(part: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """C2PA's own words for what was done; the first says where the film comes from."""
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
    """What the manifest of a film says, and whether it holds. authorities: certificates as PEM, by whose they are.

    Raises BadInput for what is no film file at all, CannotSign if the library does not load.
    """
    data = film_bytes(path)
    told = _told(data)
    if isinstance(told, str):
        return Reading(told)
    if (fault := _fault(told)) is not None:
        return Reading(fault)
    manifest = told["manifests"][told["active_manifest"]]
    signed = manifest["signature_info"]
    known = next((name for name, pem in (authorities or {}).items() if pem and _is_by(data, pem)), None)
    who = Reading(signer=signed.get("common_name"), issuer=signed.get("issuer"), known_as=known)
    said = next((one["data"] for one in manifest["assertions"] if one["label"] == LABEL), None)
    if said is None:
        return replace(who, fault="foreign")
    try:
        statement = _unpacked(said)
    except (ValueError, TypeError, LookupError, RecursionError):
        return replace(who, fault="newer")
    same = unsigned_sha256(data) == statement.film.sha256
    return replace(who, fault=None if same else "another", statement=statement)


def _told(data: bytes, authorities: str = "") -> dict[str, Any] | Fault:
    """What the library says of a file, as it says it."""
    c2pa = _library()
    try:
        with _context(authorities) as context, c2pa.Reader(MP4, io.BytesIO(data), context=context) as reader:
            told: dict[str, Any] = json.loads(reader.json())
            return told
    except c2pa.C2paError.ManifestNotFound:
        return "absent"
    except RecursionError:
        return "damaged"
    except c2pa.C2paError as error:
        return "elsewhere" if "remote manifest" in str(error) else "damaged"


def _fault(told: dict[str, Any]) -> Fault | None:
    if told["validation_state"] in ("Valid", "Trusted"):
        return None
    failed = {one["code"] for one in told["validation_results"]["activeManifest"]["failure"]} - {UNTRUSTED}
    return "expired" if failed and failed <= EXPIRED else "altered"


def _is_by(data: bytes, authorities: str) -> bool:
    told = _told(data, authorities)
    return not isinstance(told, str) and told["validation_state"] == "Trusted"


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
