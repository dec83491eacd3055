"""How a sign-in can fail, as three facts.

Whatever raised underneath (Authlib, joserfc, requests, urllib3: four unrelated families of
exceptions), the callback only ever has to catch `SignInFailed`.
"""

# Errors an identity provider may put on our redirect URI (RFC 6749 section 4.1.2.1 and OpenID
# Connect Core section 3.1.2.6). Anything else is not repeated: it comes from the outside.
KNOWN_CALLBACK_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_response_type",
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
    }
)
TEMPORARY_ERRORS = frozenset({"server_error", "temporarily_unavailable"})


class SignInFailed(Exception):
    """A sign-in that gave nobody. `reason` is a stable code, safe to log, audit and test.

    It never holds a word of the provider's own message, which may name a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SignInRefused(SignInFailed):
    """The provider's answer breaks a rule: nobody may be signed in with it."""


class ProviderUnavailable(SignInFailed):
    """The provider does not answer, or answers nonsense: try later, or by another means."""


class SignInCancelled(SignInFailed):
    """The person gave up, or the provider did not let them through (it does not say which)."""


def callback_error(error: str) -> SignInFailed:
    """The fact behind the `error` parameter of a callback."""
    if error == "access_denied":
        return SignInCancelled(error)
    if error in TEMPORARY_ERRORS:
        return ProviderUnavailable(error)
    return SignInRefused(error if error in KNOWN_CALLBACK_ERRORS else "provider_error")
