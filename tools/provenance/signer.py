"""Provide the signer of films: a certificate generated for this installation, or the user's own.

The generated authority issues one certificate and its key is discarded at once, so that nothing else can ever be issued
in its name. Without a timestamp authority, a signature cannot be validated once its certificate has expired; generated
ones are therefore valid for `VALID_FOR`. Knows no film and no manifest.
"""

import datetime
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from memory.products.files import disk_words
from memory.whole_files import whole
from tools.errors import BadInput, CannotSign

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

VALID_FOR = datetime.timedelta(days=30 * 365)
CLOCK_MAY_BE_OFF = datetime.timedelta(days=1)
MAX_FILE = 2**20
"""Maximum size in bytes of a certificate or key file; real ones have a few thousand."""

NAMED = "signer-{:04d}.pem"
"""Files of generated signers by number, each with key, certificate and authority; the last one is in use."""

TRIES = 3
"""Attempts: if two processes generate a signer at once, the later one retries and finds the other's."""

PURPOSES = {"1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1"}
"""Extended key usages, one of which C2PA requires: emailProtection, documentSigning, C2PA claim signing."""
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
LEAST_RSA_BITS = 2048


@dataclass(frozen=True)
class Signer:
    """chain: certificates as PEM, the signing one first. key: PKCS#8 as PEM. algorithm: C2PA's name of it."""

    chain: str
    key: str = field(repr=False)
    algorithm: str


def generated_signer(folder: Path) -> Signer:
    """Return the generated signer in `folder`, creating it (0700, its file 0600) if none is valid today.

    Safe to call from several processes at once: all get the same signer. Raises DiskTrouble, CannotSign.
    """
    with disk_words(folder):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # `mode` applies to the last folder only
        folder.mkdir(mode=0o700, exist_ok=True)
        for _ in range(TRIES):
            known = _files(folder)
            if known and (signer := _usable(known[-1])) is not None:
                return signer
            _keep(_made(), folder / NAMED.format(_number(known[-1]) + 1 if known else 1))
    raise CannotSign(
        "certificate-not-made",
        f"No certificate could be made in {folder}; look at the rights of its files and at the clock.",
        path=str(folder),
    )


def generated_authorities(folder: Path) -> str:
    """Return the authorities of all generated signers, including former ones, as PEM; "" for none."""
    with disk_words(folder):
        files = [_certificates(file.read_text("ascii", errors="replace"))[1:] for file in _files(folder)]
    return "".join(one for certificates in files for one in certificates)


def configured_signer(certificate: Path, key: Path) -> Signer:
    """Return the user's signer from PEM files of the certificate, followed by its issuers, and of its key.

    Raises BadInput for files that cannot be read, do not match, or may not sign now.
    """
    from cryptography import x509

    try:
        chain = x509.load_pem_x509_certificates(_read(certificate, "certificate"))
    except ValueError as error:
        raise BadInput(
            "certificate-unreadable",
            f"{certificate} holds no certificate as PEM; set MORA_SIGNING_CERT to one.",
            path=str(certificate),
        ) from error
    private = _private_key(key)
    _check_dates(chain[0], certificate)
    _check_purpose(chain[0], certificate)
    if chain[0].public_key() != private.public_key():
        raise BadInput(
            "key-of-other-certificate",
            f"{key} is not the key of the certificate in {certificate}; set the two that belong together.",
            certificate=str(certificate),
            key=str(key),
        )
    return _signer(chain, private, _algorithm(private, key))


def configured_authorities(certificate: Path) -> str:
    """Return the issuers of the first certificate in the user's file, as PEM; "" for none. Raises BadInput."""
    return "".join(_certificates(_read(certificate, "certificate").decode("ascii", errors="replace"))[1:])


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise BadInput(
            "pem-unreadable", f"The {what} {path} cannot be read ({error.strerror}); name a PEM file.", path=str(path)
        ) from error
    if len(data) > MAX_FILE:
        raise BadInput("pem-too-large", f"{path} is too large for a {what}; name a PEM file.", path=str(path))
    return data


def _private_key(path: Path) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(_read(path, "key"), None)
    except TypeError as error:
        raise BadInput(
            "key-locked", f"The key {path} is locked with a password; give one that is not.", path=str(path)
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(
            "key-unreadable", f"{path} holds no private key as PEM; set MORA_SIGNING_KEY to one.", path=str(path)
        ) from error


def _check_dates(certificate: "x509.Certificate", path: Path) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= datetime.datetime.now(datetime.UTC) <= end:
        raise BadInput(
            "certificate-expired",
            f"The certificate {path} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}; use one of today.",
            path=str(path),
        )


def _check_purpose(certificate: "x509.Certificate", path: Path) -> None:
    from cryptography import x509

    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        purposes = x509.ExtendedKeyUsage([])
    found = {purpose.dotted_string for purpose in purposes}
    if not found & PURPOSES or certificate.issuer == certificate.subject:
        raise BadInput(
            "certificate-may-not-sign",
            f"The certificate {path} may not sign films: C2PA asks for one that an authority issued for e-mail "
            "protection or document signing.",
            path=str(path),
        )


def _algorithm(key: "PrivateKeyTypes", path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise BadInput(
        "key-kind-unusable",
        f"Films cannot be signed with the kind of key in {path}; use P-256, P-384, P-521, Ed25519 or RSA of at least "
        f"{LEAST_RSA_BITS} bits.",
        path=str(path),
    )


def _signer(chain: "list[x509.Certificate]", key: "PrivateKeyTypes", algorithm: str) -> Signer:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    certificates = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Signer(certificates, private, algorithm)


def _made() -> Signer:
    """Generate an authority and the one certificate it issues."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    tag = secrets.token_hex(4)  # distinguishes installations without naming a machine or a person
    issuer = _name(f"Mora local authority {tag}")
    root = _certificate(issuer, issuer, authority, authority, may_issue=True).sign(authority, hashes.SHA256())
    leaf = _certificate(_name(f"Mora local signer {tag}"), issuer, own, authority).sign(authority, hashes.SHA256())
    return _signer([leaf, root], own, "es256")


def _certificate(
    subject: "x509.Name",
    issuer: "x509.Name",
    key: "EllipticCurvePrivateKey",
    authority: "EllipticCurvePrivateKey",
    *,
    may_issue: bool = False,
) -> "x509.CertificateBuilder":
    """Build a certificate by C2PA's profile: a signer is not an authority and has an extended key usage."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    now, uses = datetime.datetime.now(datetime.UTC), "key_cert_sign" if may_issue else "digital_signature"
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - CLOCK_MAY_BE_OFF)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=may_issue, path_length=0 if may_issue else None), critical=True)
        .add_extension(_key_usage(uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
    )
    if may_issue:
        return builder
    return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)


def _name(common: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    attributes = {NameOID.ORGANIZATION_NAME: "Mora", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes.items()])


def _key_usage(use: str) -> "x509.KeyUsage":
    from cryptography import x509

    uses = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{one: one == use for one in uses})


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("signer-*.pem"), key=_number)


def _number(file: Path) -> int:
    digits = file.stem.removeprefix("signer-")
    return int(digits) if digits.isdecimal() else 0


def _certificates(pem: str) -> list[str]:
    """Return the PEM blocks of certificates, in order."""
    end = "-----END CERTIFICATE-----\n"
    blocks = pem.replace("\r\n", "\n").split(end)[:-1]
    return [f"-----BEGIN CERTIFICATE-----{block.partition('-----BEGIN CERTIFICATE-----')[2]}{end}" for block in blocks]


def _usable(file: Path) -> Signer | None:
    """Return the generated signer in a file; None if it has expired or is damaged."""
    try:
        return configured_signer(file, file)
    except BadInput:
        return None


def _keep(signer: Signer, target: Path) -> None:
    """Write the signer to a file readable by its owner only; keep the existing file if another process was first."""
    with suppress(FileExistsError), whole(target, replace=False) as file:
        file.write((signer.key + signer.chain).encode())
