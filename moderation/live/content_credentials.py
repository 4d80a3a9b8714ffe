"""Content credentials inside a text: a signed C2PA manifest in characters that do not show.

C2PA 2.4, Annex A.8 (manifests in unstructured text), written and read by `c2patxt`. The manifest is 2 KB; a channel
that counts characters, or strips variation selectors, does not keep it. A key signed by itself proves that we said it,
not who we are: for that, give a certificate of an authority in `AI_MARK_KEY_FILE`.
"""

from __future__ import annotations

import base64
import datetime as dt
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import c2patxt
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from audit import secrets
from core.hashing import canonical_json

if TYPE_CHECKING:
    from pathlib import Path

YEARS = 10
NOT_USED = dict.fromkeys(
    (
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


def manifest_for(text: str, *, model: str = "") -> str:
    """Return the characters that, put behind `text`, carry the signed statement that a model wrote it."""
    disclosure = c2patxt.Disclosure("text/plain", c2patxt.ModelType.GENERIC, model_name=model or None)
    plain = unicodedata.normalize("NFC", text)
    return c2patxt.embed(plain, _signer(settings.AI_MARK.key_file), disclosure).removeprefix(plain)


def marked(text: str, manifest: str) -> str:
    """Return `text` with `manifest` behind it, in the form that was signed (Unicode NFC)."""
    return unicodedata.normalize("NFC", text) + manifest if manifest else text


def state_of(text: str) -> str:
    """Return what the manifest in `text` says: `valid` (or `trusted`), `invalid` (the text was changed), `unmarked`."""
    return str(c2patxt.verify(text).state.value)


def sign(statement: Mapping[str, Any]) -> str:
    """Return the Ed25519 signature of a JSON object by the key of the AI mark, in base64."""
    signature = _signer(settings.AI_MARK.key_file).private_key.sign(canonical_json(statement).encode())
    return base64.b64encode(signature).decode()


def is_signed(statement: Mapping[str, Any], signature: str) -> bool:
    """Whether `signature` is that of `statement` by our key."""
    key: Ed25519PublicKey = _signer(settings.AI_MARK.key_file).private_key.public_key()
    try:
        key.verify(base64.b64decode(signature, validate=True), canonical_json(statement).encode())
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=4)
def _signer(path: Path) -> c2patxt.Signer:
    """Return who signs, by key and certificates in `path`. Raises `ImproperlyConfigured` for another kind of file."""
    content = secrets.secret(given="", path=path, make=_self_signed, name="The key of the AI mark").encode()
    try:
        key = serialization.load_pem_private_key(content, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the key is no Ed25519 key")
        return c2patxt.Signer(key, tuple(x509.load_pem_x509_certificates(content)))
    except (ValueError, TypeError, c2patxt.C2paTextError) as exc:
        raise ImproperlyConfigured(f"AI_MARK_KEY_FILE {path.name} cannot sign: {exc}") from exc


def _self_signed() -> str:
    """Make a key and its certificate, after C2PA 2.4, 14.5.1.1 (what a signing certificate must say)."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, settings.AI_MARK.producer[:64])])
    now = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **NOT_USED), critical=True)
        .add_extension(x509.ExtendedKeyUsage([c2patxt.C2PA_CLAIM_SIGNING_EKU]), critical=False)
        .sign(key, None)
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (private + certificate.public_bytes(pem)).decode().strip()
