"""Strict OpenID Connect sign-in, the same for every provider: protocol only, no page, no table.

Use `Client`; catch `SignInFailed`. The rules come from OpenID Connect Core 1.0, RFC 9207 and RFC
9700, plus what each French provider adds (see `auth/franceconnect.py` and its neighbours).
"""

from auth.oidc.client import Attempt, Client, Finding, SignIn, new_attempt
from auth.oidc.encryption import EncryptionKeys
from auth.oidc.errors import ProviderUnavailable, SignInCancelled, SignInFailed, SignInRefused
from auth.oidc.provider import Provider, configure

__all__ = [
    "Attempt",
    "Client",
    "EncryptionKeys",
    "Finding",
    "Provider",
    "ProviderUnavailable",
    "SignIn",
    "SignInCancelled",
    "SignInFailed",
    "SignInRefused",
    "configure",
    "new_attempt",
]
