"""The provider's public keys, and the only way a signed answer of its becomes claims."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import BadSignatureError, JoseError

from auth.oidc.errors import SignInRefused
from auth.oidc.remembered import Remembered

MIN_RSA_BITS = 2048

Keys = dict[str, jwk.Key]


def usable_keys(document: Mapping[str, Any], alg: str) -> Keys:
    """The keys of a JWKS by kid, for `alg` alone; those we cannot use are left aside.

    Never "the first key": FranceConnect publishes an EC and an RSA key side by side.
    """
    published = document.get("keys")
    entries = published if isinstance(published, list) else []
    return {key.kid: key for key in _readable(entries) if key.kid and _fits(key, alg)}


def _readable(entries: list[Any]) -> Iterator[jwk.Key]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        try:
            yield jwk.import_key(entry)
        except (JoseError, ValueError, TypeError, KeyError):
            # RFC 7517 section 5: a key that is not understood is ignored, not fatal.
            continue


def _fits(key: jwk.Key, alg: str) -> bool:
    if key.get("use", "sig") != "sig" or key.get("alg", alg) != alg:
        return False
    if alg == "RS256":
        return isinstance(key, jwk.RSAKey) and key.raw_value.key_size >= MIN_RSA_BITS
    return isinstance(key, jwk.ECKey) and key.get("crv") == "P-256"


class KeyRing:
    """Verifies what one provider signs, with one algorithm: ours, never the token's choice."""

    def __init__(self, fetch: Callable[[], Keys], alg: str, now: Callable[[], float]) -> None:
        self._keys = Remembered(fetch, now)
        self._alg = alg

    def verify(self, token: object, what: str) -> dict[str, Any]:
        """The claims of a compact JWS; raises `SignInRefused("<what>_…")`.

        `what` is "id_token" or "userinfo" and only serves to name the fault.
        """
        try:
            signed = jws.extract_compact(str(token).encode())
            key = self._key(signed.headers(), what)
            if not jws.validate_compact(signed, key, [self._alg]):
                raise BadSignatureError()
            claims = json.loads(signed.payload)
        except BadSignatureError as error:
            raise SignInRefused(f"{what}_signature") from error
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise SignInRefused(f"{what}_malformed") from error
        if not isinstance(claims, dict):
            raise SignInRefused(f"{what}_malformed")
        return claims

    def _key(self, header: Mapping[str, Any], what: str) -> jwk.Key:
        if header.get("alg") != self._alg:
            raise SignInRefused(f"{what}_alg")
        if "crit" in header:
            # RFC 7515 section 4.1.11: an extension we do not implement must be refused.
            raise SignInRefused(f"{what}_malformed")
        kid = str(header.get("kid"))
        # A kid never seen means that the provider has changed its keys: look once more.
        key = self._keys.read().get(kid) or self._keys.read_again().get(kid)
        if key is None:
            raise SignInRefused(f"{what}_key_unknown")
        return key
