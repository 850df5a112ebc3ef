"""Signing and reading by the real library: what holds, what does not, and who signs."""

import datetime
import io
import json
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from memory.records import Media, Request
from tools.errors import BadInput, CannotSign
from tools.media.codecs import encode_film
from tools.provenance import signer
from tools.provenance.manifest import LABEL, OFFLINE, Approval, Statement, Work, manifest_of, read, sign
from tools.provenance.mp4_boxes import _boxes, unsigned
from tools.provenance.signer import configured_authorities, configured_signer, generated_authorities, generated_signer

REPOSITORY = Path(__file__).parents[3]
FILM = Media(kind="film", media_type="video/mp4", width=64, height=64, num_frames=6, fps=8.0)
CLIP = Media(kind="clip", media_type="video/x-matroska", width=64, height=64, num_frames=6, fps=8.0)
PICTURE = Media(kind="image", media_type="image/png", width=64, height=64)


@pytest.fixture(scope="module")
def film() -> bytes:
    frames = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), dtype=np.uint8)
    out = io.BytesIO()
    encode_film(frames, out, width=64, height=64, fps=8)
    return out.getvalue()


def stated(film: bytes, *before: Work, task: str = "text-to-video", **said: Any) -> Statement:
    import hashlib

    made = Work(id="film-" + "0" * 16, sha256=hashlib.sha256(film).hexdigest(), media=FILM, agent="assemble_film",
                parents=tuple(work.id for work in before if work.media.kind == "clip"))  # fmt: skip
    return Statement(
        **{
            "software": "Mora 0.1.0", "run": "0" * 26, "task": task, "request": Request(prompt="a red ball ä 雪 [b]"),
            "planner": "embedded", "prompts": "p" * 64, "works": (*before, made), "begun": "2026-01-01T00:00:00",
            "ended": "2026-01-01T00:00:09", **said,
        }
    )  # fmt: skip


def given(media: Media) -> Work:
    return Work(id=f"{media.kind}-{'1' * 16}", sha256="1" * 64, media=media, agent="upload")


def house(tmp_path: Path) -> Path:
    return tmp_path / "home" / "signing"


def copy_of(film: bytes, tmp_path: Path, statement: Statement | None = None) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(sign(film, statement or stated(film), generated_signer(house(tmp_path))))
    return path


def test_what_was_stated_is_read_and_the_film_is_in_it_byte_for_byte(film: bytes, tmp_path: Path) -> None:
    said = stated(film, given(PICTURE), said=("now blue",), shots=({"motion": "it rolls", "seconds": None},))
    path = copy_of(film, tmp_path, said)
    reading = read(path, {"this house": generated_authorities(house(tmp_path))})
    assert (reading.fault, reading.known_as, reading.issuer) == (None, "this house", "Mora")
    assert reading.statement == said
    assert reading.signer is not None
    assert reading.signer.startswith("Mora local signer")
    assert path.read_bytes() != film
    assert unsigned(path.read_bytes()) == film


def test_seeds_and_numbers_come_back_as_they_were(film: bytes, tmp_path: Path) -> None:
    work = Work(
        id="clip-" + "2" * 16, sha256="2" * 64, media=CLIP, agent="image_to_video", weights="w" * 64,
        spec={"seed": 2**63 - 1, "guidance_scale": 1.5, "num_inference_steps": None, "together": [1, 2]},
        approvals=(Approval(by="person", ok=True),),
    )  # fmt: skip
    reading = read(copy_of(film, tmp_path, stated(film, work)))
    assert reading.statement is not None
    assert reading.statement.works[0] == work


def test_a_signer_that_nobody_knows_is_said_to_be_unknown(film: bytes, tmp_path: Path) -> None:
    path = copy_of(film, tmp_path)
    generated_signer(tmp_path / "another")
    reading = read(path, {"this house": generated_authorities(tmp_path / "another"), "you": ""})
    assert (reading.fault, reading.known_as) == (None, None)


def boxes(data: bytes) -> dict[bytes, tuple[int, int]]:
    return {box.name: (box.begin, box.end) for box in _boxes(data, 0, len(data))}


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


FREE_BOX = (16).to_bytes(4, "big") + b"free" + b"whatever"
DAMAGE: dict[str, tuple[Callable[[bytes], bytes], set[str]]] = {
    "a pixel": (lambda d: flipped(d, len(d) - 50), {"altered"}),
    "the index": (lambda d: flipped(d, boxes(d)[b"moov"][0] + 60), {"altered"}),
    "the brand, which C2PA leaves out": (lambda d: flipped(d, 20), {"another"}),
    "a box more, which C2PA leaves out": (lambda d: d + FREE_BOX, {"another"}),
    "the words": (lambda d: d.replace(b"a red ball", b"a red bell"), {"altered"}),
    "the claim": (lambda d: d.replace(b"claim_generator", b"claim_denerator"), {"altered", "damaged"}),
    "cut at the end": (lambda d: d[:-10], {"altered"}),
    "cut in the manifest": (lambda d: d[:2000], {"damaged"}),
    "almost nothing left": (lambda d: d[:9], {"damaged"}),
    "the manifest taken out": (unsigned, {"absent"}),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_was_done_to_a_copy_is_found(what: str, film: bytes, tmp_path: Path) -> None:
    path = copy_of(film, tmp_path)
    damage, faults = DAMAGE[what]
    path.write_bytes(damage(path.read_bytes()))
    assert read(path).fault in faults


def test_no_damage_is_an_error_of_ours(film: bytes, tmp_path: Path) -> None:
    path = copy_of(film, tmp_path)
    whole, chance = path.read_bytes(), np.random.default_rng(1)
    for _ in range(150):
        data = bytearray(whole)
        for place in chance.integers(8, len(data), 4):
            data[place] = chance.integers(256)
        path.write_bytes(bytes(data))
        reading = read(path)
        assert reading.fault is not None or unsigned(bytes(data)) == film


def test_the_manifest_of_one_film_does_not_fit_another(film: bytes, tmp_path: Path) -> None:
    other = flipped(film, len(film) - 50)
    assert read(copy_of(other, tmp_path, stated(film))).fault == "another"


@pytest.mark.parametrize(("label", "fault"), [("com.example.other", "foreign"), (LABEL, "newer")])
def test_other_manifests_are_told_apart(label: str, fault: str, film: bytes, tmp_path: Path) -> None:
    manifest = manifest_of(stated(film))
    manifest["assertions"][1] = {"label": label, "data": {"version": 2}}
    path = tmp_path / "film.mp4"
    path.write_bytes(_signed(film, manifest, generated_signer(house(tmp_path))))
    assert read(path).fault == fault


def _signed(film: bytes, manifest: dict[str, Any], by: signer.Signer, remote: str | None = None) -> bytes:
    out = io.BytesIO()
    info = c2pa.C2paSignerInfo(by.algorithm.encode(), by.chain.encode(), by.key.encode(), None)
    builder = c2pa.Builder(manifest, context=c2pa.Context(settings=c2pa.Settings.from_dict(OFFLINE)))
    if remote is not None:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    builder.sign(c2pa.Signer.from_info(info), "video/mp4", io.BytesIO(film), out)
    return out.getvalue()


def test_a_manifest_that_lies_elsewhere_is_not_fetched(film: bytes, tmp_path: Path) -> None:
    visitors: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def wait() -> None:
            try:
                visitors.append(server.accept())
            except OSError:
                return

        threading.Thread(target=wait, daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"
        path = tmp_path / "film.mp4"
        path.write_bytes(_signed(film, manifest_of(stated(film)), generated_signer(house(tmp_path)), address))
        assert read(path).fault == "elsewhere"
    assert visitors == []


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.txt", b"hello world, this is text", "not an MP4"),
        ("empty.mp4", b"", "not an MP4"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "not an MP4"),
    ],
)
def test_what_is_no_film_is_refused_in_one_sentence(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    for path in (tmp_path / name, tmp_path, tmp_path / "missing.mp4"):
        with pytest.raises(BadInput) as refused:
            read(path)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
        assert path.name != name or words in str(refused.value)


def test_the_actions_say_what_became_of_given_files(film: bytes, tmp_path: Path) -> None:
    tries = [
        (stated(film), ["c2pa.created"], []),
        (stated(film, given(PICTURE)), ["c2pa.created"], ["inputTo"]),
        (stated(film, given(CLIP), task="extend"), ["c2pa.created", "c2pa.placed"], ["componentOf"]),
        (stated(film, given(CLIP), task="edit"), ["c2pa.opened", "c2pa.edited"], ["parentOf"]),
    ]
    for statement, actions, parts in tries:
        manifest = manifest_of(statement)
        (told,) = (one["data"]["actions"] for one in manifest["assertions"] if one["label"] == "c2pa.actions.v2")
        assert [one["action"] for one in told] == actions
        assert [one["relationship"] for one in manifest["ingredients"]] == parts
        assert any("rainedAlgorithmicMedia" in one.get("digitalSourceType", "") for one in told)
        assert read(copy_of(film, tmp_path, statement)).statement == statement


def test_a_given_clip_that_is_shown_through_another_film_is_a_component(film: bytes) -> None:
    clip, picture = given(CLIP), given(PICTURE)
    drawn = Work(id="clip-" + "3" * 16, sha256="3" * 64, media=CLIP, agent="image_to_video", parents=(picture.id,))
    joined = Work(
        id="film-" + "2" * 16, sha256="2" * 64, media=FILM, agent="assemble_film", parents=(clip.id, drawn.id)
    )
    cut = Work(id="film-" + "4" * 16, sha256="4" * 64, media=FILM, agent="cut_film", parents=(joined.id,))
    said = stated(film).model_copy(update={"works": (clip, picture, drawn, joined, cut)})
    parts = {part["label"]: part["relationship"] for part in manifest_of(said)["ingredients"]}
    assert parts == {clip.id: "componentOf", picture.id: "inputTo"}


def test_the_house_makes_its_signer_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        signers = set(pool.map(lambda _: generated_signer(house(tmp_path)), range(16)))
    assert len(signers) == 1
    (file,) = house(tmp_path).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(house(tmp_path).stat().st_mode) == 0o700
    assert stat.S_IMODE(house(tmp_path).parent.stat().st_mode) == 0o700
    assert "PRIVATE" not in repr(signers)


def test_two_processes_that_begin_at_once_have_one_signer(tmp_path: Path) -> None:
    code = """
import pathlib, sys
from tools.provenance.signer import generated_signer
print(generated_signer(pathlib.Path(sys.argv[1])))
"""
    words = [sys.executable, "-c", code, str(house(tmp_path))]
    children = [subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = {child.communicate(timeout=120)[0] for child in children}
    assert len(told) == 1
    assert [file.name for file in house(tmp_path).iterdir()] == ["signer-0001.pem"]


def test_a_signer_that_ran_out_is_followed_by_a_new_one_and_stays_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(signer, "VALID_FOR", datetime.timedelta(seconds=-1))
        with pytest.raises(CannotSign, match="the clock"):
            generated_signer(house(tmp_path))
    before = generated_authorities(house(tmp_path))
    assert before.count("BEGIN CERTIFICATE") == signer.TRIES
    (house(tmp_path) / "signer-0004.pem").write_text("damaged")
    now = generated_signer(house(tmp_path))
    assert max(file.name for file in house(tmp_path).iterdir()) == "signer-0005.pem"
    assert generated_signer(house(tmp_path)) == now
    assert generated_authorities(house(tmp_path)) == before + now.chain.partition("-----END CERTIFICATE-----\n")[2]


def test_a_certificate_that_ran_out_since_is_told() -> None:
    """The file was signed on 2026-11-22 with a certificate of three seconds."""
    reading = read(Path(__file__).parents[1] / "data" / "expired.mp4")
    assert (reading.fault, reading.statement) == ("expired", None)


Key = Any


def a_certificate(
    tmp_path: Path, key: Key, *, purpose: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    days: tuple[int, int] = (-1, 30), own: bool = False, password: bytes | None = None,
) -> tuple[Path, Path]:  # fmt: skip
    """The files of a person's certificate and key, issued by an authority, or (own) by itself."""
    root_key = key if own else ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)

    def name(common: str) -> x509.Name:
        said = {NameOID.ORGANIZATION_NAME: "A Studio", NameOID.COMMON_NAME: common}
        return x509.Name([x509.NameAttribute(kind, value) for kind, value in said.items()])

    def builder(subject: str, of: Key, begin: int, end: int, *, ca: bool) -> x509.CertificateBuilder:
        issuer = name(subject if own else "A Studio's authority")
        return (
            x509.CertificateBuilder(issuer, name(subject), of.public_key(), x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=begin))
            .not_valid_after(now + datetime.timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(signer._key_usage("key_cert_sign" if ca else "digital_signature"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(of.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )

    leaf = builder("A person", key, *days, ca=False)
    if purpose is not None:
        leaf = leaf.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    chain = [leaf.sign(root_key, hashes.SHA256() if not isinstance(root_key, ed25519.Ed25519PrivateKey) else None)]
    if not own:
        chain.append(builder("A Studio's authority", root_key, -9, 99, ca=True).sign(root_key, hashes.SHA256()))
    locked = NoEncryption() if password is None else BestAvailableEncryption(password)
    (tmp_path / "own.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    (tmp_path / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return tmp_path / "own.pem", tmp_path / "own.key"


KEYS: dict[str, Callable[[], Key]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_person_may_sign_with_a_key_of_any_usual_kind(kind: str, film: bytes, tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path, KEYS[kind]())
    path = tmp_path / "film.mp4"
    path.write_bytes(sign(film, stated(film), configured_signer(certificate, key)))
    reading = read(path, {"this house": "", "you": configured_authorities(certificate)})
    assert (reading.fault, reading.known_as, reading.signer) == (None, "you", "A person")


def p256() -> Key:
    return KEYS["P-256"]()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ran out": ({"days": (-9, -2)}, "is valid from"),
    "not yet": ({"days": (2, 9)}, "is valid from"),
    "for servers": ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "may not sign films"),
    "for nothing": ({"purpose": None}, "may not sign films"),
    "of nobody's": ({"own": True}, "may not sign films"),
    "locked": ({"password": b"secret"}, "locked with a password"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_certificate_that_may_not_sign_is_refused(what: str, tmp_path: Path) -> None:
    asked, words = REFUSED[what]
    with pytest.raises(BadInput, match=words):
        configured_signer(*a_certificate(tmp_path, p256(), **asked))


def test_files_that_are_no_signer_are_refused(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path, p256())
    for kind, words in ((rsa.generate_private_key(65537, 1024), "kind of key"), (p256(), "is not the key")):
        (tmp_path / "folder").mkdir(exist_ok=True)
        other, wrong = a_certificate(tmp_path / "folder", kind)
        with pytest.raises(BadInput, match=words):
            configured_signer(certificate if "not the key" in words else other, wrong)
    for paths, words in (
        ((key, key), "holds no certificate"),
        ((certificate, certificate), "holds no private key"),
        ((tmp_path / "missing", key), "cannot be read"),
        ((certificate, tmp_path), "cannot be read"),
    ):
        with pytest.raises(BadInput, match=words):
            configured_signer(*paths)
    key.write_bytes(bytes(2**20 + 1))
    with pytest.raises(BadInput, match="too large"):
        configured_signer(certificate, key)


def test_a_library_that_does_not_load_is_told_in_one_sentence(
    film: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = generated_signer(house(tmp_path))
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(CannotSign, match="c2pa-python does not load"):
        sign(film, stated(film), by)


def test_a_key_that_does_not_fit_is_our_machines_trouble(film: bytes, tmp_path: Path) -> None:
    by, other = generated_signer(house(tmp_path)), generated_signer(tmp_path / "other")
    with pytest.raises(CannotSign, match="cannot be signed"):
        sign(film, stated(film), signer.Signer(by.chain, other.key, by.algorithm))


def test_a_statement_survives_json() -> None:
    said = stated(b"film", given(CLIP))
    assert Statement.model_validate(json.loads(said.model_dump_json())) == said
