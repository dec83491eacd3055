"""Passkeys (W3C Web Authentication, level 3): what we ask of the browser, and whether its answer holds.

User verification is always required: a passkey alone is then two factors, something one holds and a finger, a face or
a code. No attestation: we do not care who made the device. A challenge is drawn with the page, sealed with whom it is
for, and good for five minutes; whoever verifies an answer writes the challenge down, so that it serves once.
"""

import ipaddress
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import options_to_json_dict, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth.factors import sealing
from auth.factors.sealing import Unsealable

CHALLENGE_LIFE_S = 300
_LONGEST_ANSWER = 20_000


class PasskeyRefused(Exception):
    """The browser's answer does not hold; the message is for the log."""


class PasskeyCopied(Exception):
    """The counter of the passkey went back: two devices may hold it."""


@dataclass(frozen=True)
class Site:
    """The portal as browsers know it (the "relying party")."""

    id: str
    name: str
    origin: str

    @classmethod
    def of(cls, base_url: str, name: str) -> "Site":
        return cls(urlsplit(base_url).hostname or "", name, base_url)

    @property
    def has_passkeys(self) -> bool:
        """Browsers bind passkeys to a name: none at a bare address such as the demonstration's 127.0.0.1."""
        try:
            ipaddress.ip_address(self.id)
        except ValueError:
            return bool(self.id)
        return False


@dataclass(frozen=True)
class Registered:
    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class Asked:
    """What the page gives to the browser, and the sealed challenge that comes back with the answer."""

    options: dict[str, Any]
    sealed: str


def ask_to_register(site: Site, bound_to: str, account_id: UUID, name: str, known: list[bytes]) -> Asked:
    """Options of a new passkey for this account. bound_to: the session or the browser that may answer."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=site.name,
        user_id=account_id.bytes,
        user_name=name,
        user_display_name=name,
        challenge=challenge,
        timeout=CHALLENGE_LIFE_S * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
    )
    return Asked(options_to_json_dict(options), _sealed(challenge, bound_to))


def ask_to_sign(site: Site, bound_to: str, known: list[bytes]) -> Asked:
    """Options of a proof by one of these passkeys; by any that the device holds for us when none is named."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_authentication_options(
        rp_id=site.id,
        challenge=challenge,
        timeout=CHALLENGE_LIFE_S * 1000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Asked(options_to_json_dict(options), _sealed(challenge, bound_to))


def challenge_of(sealed: str, bound_to: str) -> bytes:
    """The challenge that was drawn for this session. Raises PasskeyRefused when it is another's, or too old."""
    try:
        opened = sealing.unseal("passkey challenge", sealed, CHALLENGE_LIFE_S)
    except Unsealable as error:
        raise PasskeyRefused("challenge unknown or too old") from error
    if not secrets.compare_digest(str(opened["bound_to"]).encode(), bound_to.encode()):
        raise PasskeyRefused("challenge of another session")
    return bytes.fromhex(opened["challenge"])


def credential_id(answer: str) -> bytes:
    """Which passkey an answer says it comes from. Raises PasskeyRefused."""
    try:
        return parse_authentication_credential_json(_checked(answer)).raw_id
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused("not an answer") from error


def user_handle(answer: str) -> bytes | None:
    """Whose passkey the device says it is, when it says so."""
    return parse_authentication_credential_json(_checked(answer)).response.user_handle


def registered(site: Site, answer: str, challenge: bytes) -> Registered:
    """The new passkey. Raises PasskeyRefused."""
    try:
        verified = webauthn.verify_registration_response(
            credential=_checked(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused(str(error)) from error
    return Registered(verified.credential_id, verified.credential_public_key, verified.sign_count)


def signed(site: Site, answer: str, challenge: bytes, public_key: bytes, sign_count: int) -> int:
    """The passkey's new counter. Raises PasskeyRefused, PasskeyCopied (6.1.1: a counter that does not grow)."""
    try:
        verified = webauthn.verify_authentication_response(
            credential=_checked(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused(str(error)) from error
    if (verified.new_sign_count or sign_count) and verified.new_sign_count <= sign_count:
        raise PasskeyCopied
    return verified.new_sign_count


def _sealed(challenge: bytes, bound_to: str) -> str:
    return sealing.seal("passkey challenge", {"challenge": challenge.hex(), "bound_to": bound_to}).decode()


def _checked(answer: str) -> str:
    if not answer or len(answer) > _LONGEST_ANSWER:
        raise PasskeyRefused("empty or too long")
    return answer
