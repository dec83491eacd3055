"""What an operator declares about one identity provider."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from auth.oidc.encryption import EncryptionKeys

# Asymmetric only. With HS256 the client secret would sign identities, and the public key could be
# passed off as the secret; "none" is no signature at all.
SIGNING_ALGS = frozenset({"ES256", "RS256"})

UserinfoMode = Literal["json", "jwt", "jwe", "none"]
"""How the userinfo comes: plain, signed, signed then sealed for us (the id_token too), or not at all."""
ProofClaim = Literal["acr", "amr"]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One identity provider, as configured; refuses to exist with a dangerous setting.

    `discovery_url` is not derived from `issuer`: Pro Santé Connect publishes the right document
    under another name. `timeout` is in seconds, for each call. `is_confined`: people typed its addresses, so
    that they, and those it publishes, lead only where `portal.gateways.reach` lets.
    """

    name: str
    discovery_url: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    post_logout_redirect_uri: str
    signing_alg: str
    scopes: tuple[str, ...]
    acr_values: str
    acr_accepted: tuple[str, ...]
    userinfo_mode: UserinfoMode
    mandatory_claims: tuple[str, ...] = ()
    authorization_params: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = False
    callback_iss_required: bool = False
    token_auth_method: str = "client_secret_post"  # noqa: S105 (a method, not a secret)
    encryption_keys: EncryptionKeys | None = None
    proof_claim: ProofClaim = "acr"
    id_token_identifies: bool = False
    timeout: float = 5.0
    allow_loopback_http: bool = False
    is_confined: bool = False

    def __post_init__(self) -> None:
        if self.signing_alg not in SIGNING_ALGS:
            raise ValueError(f"{self.name}: signing algorithm must be one of {sorted(SIGNING_ALGS)}")
        if not self.acr_accepted:
            raise ValueError(f"{self.name}: at least one accepted assurance level (acr) is needed")
        if "openid" not in self.scopes:
            raise ValueError(f"{self.name}: the scope openid is needed")
        if not (self.issuer and self.client_id and self.client_secret):
            raise ValueError(f"{self.name}: issuer, client id and client secret are needed")
        if self.userinfo_mode == "jwe" and not self.encryption_keys:
            raise ValueError(f"{self.name}: encryption keys are needed, the provider seals its answers for them")
        if not self.trusts_url(self.discovery_url):
            raise ValueError(f"{self.name}: the discovery URL must be https")

    def trusts_url(self, url: object) -> bool:
        """Whether we may call `url`: https to another machine, or anything to this very one where allowed."""
        try:
            parts = urlsplit(url) if isinstance(url, str) else None
        except ValueError:
            return False
        if parts is None or not parts.hostname or parts.scheme not in ("https", "http"):
            return False
        if is_this_machine(parts.hostname):
            return self.allow_loopback_http
        return parts.scheme == "https"


def is_this_machine(hostname: str) -> bool:
    """Whether `hostname` can only be this machine, or what its cloud says to it (no DNS question is asked)."""
    try:
        address = ipaddress.ip_address(hostname)
    except ValueError:
        last = hostname.rstrip(".").rpartition(".")[2].lower()
        # Resolvers read other spellings of IPv4 addresses: 127.1, 2130706433, 0x7f000001.
        return last == "localhost" or last.isdecimal() or last.startswith("0x")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified


def configure(defaults: Mapping[str, Any], configured: Mapping[str, Any]) -> Provider:
    """A `Provider` from our defaults and the operator's settings; an empty setting keeps ours."""
    settings = {name: value for name, value in configured.items() if value not in (None, "", ())}
    return Provider(**{**defaults, **settings})
