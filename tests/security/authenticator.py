"""A passkey in software: it makes and signs what a browser would send, right or wrong in whatever way a test wants."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One device with one key, for the site `rp_id` at `origin`."""

    origin: str = "http://localhost"
    rp_id: str = "localhost"
    is_verified: bool = True
    counter: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    handle: bytes = b""

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _flags(self, more: int = 0) -> int:
        return PRESENT | (VERIFIED if self.is_verified else 0) | more

    def make(self, options: dict[str, Any]) -> str:
        """Answer what `navigator.credentials.create` would."""
        asked = options["publicKey"]
        self.handle = base64.urlsafe_b64decode(asked["user"]["id"] + "==")
        made = AttestedCredentialData.create(
            b"\0" * 16, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(self._rp_hash, self._flags(WITH_KEY), self.counter, bytes(made))
        response = {
            "clientDataJSON": _text(self._client_data("webauthn.create", asked["challenge"])),
            "attestationObject": _text(bytes(AttestationObject.create("none", data, {}))),
        }
        return self._answer(response)

    def sign(self, options: dict[str, Any], *, challenge: str = "") -> str:
        """Answer what `navigator.credentials.get` would."""
        client_data = self._client_data("webauthn.get", challenge or options["publicKey"]["challenge"])
        data = bytes(AuthenticatorData.create(self._rp_hash, self._flags(), self.counter))
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": _text(client_data),
            "authenticatorData": _text(data),
            "signature": _text(signature),
            "userHandle": _text(self.handle),
        }
        return self._answer(response)

    @property
    def _rp_hash(self) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest()

    def _answer(self, response: dict[str, str]) -> str:
        name = _text(self.credential_id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": response}
        )
