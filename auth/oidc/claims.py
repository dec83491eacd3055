"""What an id_token and a userinfo must say (OpenID Connect Core 3.1.3.7 and 5.3.2), and no less.

Pure functions: claims already verified in signature come in, `SignInRefused` comes out or nothing.
"""

import base64
import hashlib
from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeGuard

from auth.oidc.errors import SignInRefused
from auth.oidc.provider import Provider

# Clocks of two serious machines differ by less; FranceConnect's tokens live 60 s in all.
LEEWAY_SECONDS = 10
# OpenID Connect Core section 2: "MUST NOT exceed 255 ASCII characters in length".
MAX_SUBJECT_LENGTH = 255

Claims = Mapping[str, Any]


def check_id_token(claims: Claims, provider: Provider, nonce: str, access_token: str, now: float) -> None:
    """Raises `SignInRefused("id_token_…")` unless this token is for us, now, for this attempt."""
    _check_recipient(claims, provider, "id_token")
    _check_subject(claims, "id_token")
    _check_moment(claims, "id_token", now)
    if "iat" not in claims:
        raise SignInRefused("id_token_iat")
    if claims.get("nonce") != nonce:
        raise SignInRefused("id_token_nonce")
    if claims.get("at_hash", at_hash(access_token)) != at_hash(access_token):
        raise SignInRefused("id_token_at_hash")
    if not _proofs(claims, provider) & set(provider.acr_accepted):
        raise SignInRefused("acr_not_accepted")


def check_userinfo(claims: Claims, provider: Provider, subject: str, now: float) -> None:
    """Raises `SignInRefused` unless the userinfo is about the person of the id_token."""
    if provider.userinfo_mode in ("jwt", "jwe"):
        _check_recipient(claims, provider, "userinfo")
        _check_moment(claims, "userinfo", now)
    if claims.get("sub") != subject:
        raise SignInRefused("userinfo_subject")


def check_identity(claims: Claims, provider: Provider) -> None:
    """Raises `SignInRefused("claim_missing")` unless everything we cannot do without is there."""
    if not all(_is_filled(claims.get(name)) for name in provider.mandatory_claims):
        raise SignInRefused("claim_missing")


def at_hash(access_token: str) -> str:
    """The hash that ties an access token to its id_token (both our algorithms use SHA-256)."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def text_claim(claims: Claims, name: str) -> str | None:
    """A claim as verbatim text, None when absent or ""; raises `SignInRefused("claim_malformed")`."""
    value = claims.get(name)
    if value is None or value == "":
        return None
    # PostgreSQL cannot store U+0000; nobody's name holds one.
    if not isinstance(value, str) or "\x00" in value:
        raise SignInRefused("claim_malformed")
    return value


def needed_claim(claims: Claims, name: str) -> str:
    """The same for a claim that must be there."""
    value = text_claim(claims, name)
    if value is None:
        raise SignInRefused("claim_malformed")
    return value


def _proofs(claims: Claims, provider: Provider) -> set[str]:
    """How the person proved themselves: acr is one text; amr is a list, or one text at ADFS."""
    told = claims.get(provider.proof_claim)
    if isinstance(told, list) and provider.proof_claim == "amr":
        return {method for method in told if isinstance(method, str)}
    return {told} if isinstance(told, str) else set()


def _check_recipient(claims: Claims, provider: Provider, what: str) -> None:
    if claims.get("iss") != provider.issuer:
        raise SignInRefused(f"{what}_issuer")
    # A list that also names someone else is a token someone else could have obtained.
    if claims.get("aud") not in (provider.client_id, [provider.client_id]):
        raise SignInRefused(f"{what}_audience")
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise SignInRefused(f"{what}_authorized_party")


def _check_subject(claims: Claims, what: str) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise SignInRefused(f"{what}_subject")
    if not (subject.isascii() and subject.isprintable()):
        raise SignInRefused(f"{what}_subject")


def _check_moment(claims: Claims, what: str, now: float) -> None:
    expires_at, issued_at = claims.get("exp"), claims.get("iat", now)
    if not _is_moment(expires_at) or expires_at <= now - LEEWAY_SECONDS:
        raise SignInRefused(f"{what}_expired")
    if not _is_moment(issued_at) or issued_at > now + LEEWAY_SECONDS:
        raise SignInRefused(f"{what}_iat")
    not_before = claims.get("nbf", now)
    if not _is_moment(not_before) or not_before > now + LEEWAY_SECONDS:
        raise SignInRefused(f"{what}_not_yet_valid")


def _is_moment(value: object) -> TypeGuard[int | float]:
    # NaN is never smaller than anything: an "exp" of NaN would never expire.
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
