"""Why a sign-in gave nobody, in families that call for the same words and the same way on."""

from dataclasses import dataclass

from auth.oidc import ProviderUnavailable, SignInCancelled, SignInFailed


@dataclass(frozen=True)
class Family:
    """What the page says (`code`), its HTTP status, and whether the mistake is in our own settings."""

    code: str
    status: int = 400
    is_ours: bool = False


# Our registration at the provider is wrong: nobody can sign in until an operator has looked (FranceConnect's guide
# asks for an alert).
_OURS = Family("misconfigured", is_ours=True)
_BY_REASON = {
    "not_invited": Family("not_invited", 403),
    "invitation_refused": Family("invitation_refused", 403),
    "account_closed": Family("closed", 403),
    "other_hospitals": Family("other_hospitals", 403),
    "identity_conflict": Family("conflict"),
    "acr_not_accepted": Family("too_weak"),
    "state_unknown": Family("old"),
    "doubled_parameter": Family("old"),
    "code_refused": Family("old"),
    **dict.fromkeys(
        ("invalid_scope", "invalid_request", "unauthorized_client", "unsupported_response_type", "client_refused"),
        _OURS,
    ),
}


def family(failure: SignInFailed) -> Family:
    """The family of this failure."""
    if isinstance(failure, SignInCancelled):
        return Family("cancelled", 200)
    if isinstance(failure, ProviderUnavailable):
        return Family("unavailable", 503)
    return _BY_REASON.get(failure.reason, Family("refused"))
