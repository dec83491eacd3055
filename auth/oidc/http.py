"""Calls to an identity provider: bounded in time, in size, and never led elsewhere."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any

import requests
import urllib3
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from auth.oidc.errors import TEMPORARY_ERRORS, ProviderUnavailable, SignInFailed, SignInRefused
from auth.oidc.provider import Provider
from portal.gateways.confined import confine

# The largest honest answer is a Pro Santé Connect userinfo with some twenty places of work: 40 kB.
MAX_RESPONSE_BYTES = 512 * 1024
CHUNK_BYTES = 16 * 1024

# What the token endpoint answers (RFC 6749 section 5.2): whose fault it is, in our words.
TOKEN_ERRORS = {
    "invalid_grant": "code_refused",
    "invalid_client": "client_refused",
    "unauthorized_client": "client_refused",
}


class ProviderSession(OAuth2Session):  # type: ignore[misc]  # Authlib has no types
    """Authlib's OAuth 2 client, with the limits that neither it nor requests sets.

    One is opened for each exchange and holds that exchange's token: never shared by two threads.
    `answered_at` is what the provider's clock said in its last answer.
    """

    def __init__(self, provider: Provider) -> None:
        super().__init__(
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            token_endpoint_auth_method=provider.token_auth_method,
            scope=" ".join(provider.scopes),
            redirect_uri=provider.redirect_uri,
            code_challenge_method="S256",
            # Authlib's 60 s of leeway is the whole life of a FranceConnect access token.
            leeway=0,
        )
        self._limit_seconds = provider.timeout
        if provider.is_confined:
            confine(self)
        self.answered_at: datetime | None = None
        self.headers["Accept-Encoding"] = "identity"

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """As requests does, but whole, capped, on time, and following no redirection.

        A provider that redirects a machine is misconfigured or captured; our secret or our
        access token must not follow.
        """
        deadline = time.monotonic() + self._limit_seconds
        options.update(allow_redirects=False, stream=True, timeout=self._limit_seconds)
        response: requests.Response = super().request(method, url, **options)
        with response:
            body = _read(response, deadline)
        response.raw = BytesIO(body)
        self.answered_at = _moment(response.headers.get("Date", ""))
        return response

    def get_json(self, url: str) -> dict[str, Any]:
        """The JSON object published at `url`, asked without any token."""
        with provider_errors():
            response = self.request("GET", url, withhold_token=True)
            return json_object(successful(response).content)


def _moment(date: str) -> datetime | None:
    """The provider's clock when it answered (RFC 9110 section 6.6.1), to the second."""
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        return None


def _read(response: requests.Response, deadline: float) -> bytes:
    """The body. requests' timeout is for each read: a slow drip would hold us for ever."""
    body = bytearray()
    while chunk := response.raw.read1(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise ProviderUnavailable("answer_too_large")
        if time.monotonic() > deadline:
            raise ProviderUnavailable("timeout")
    return bytes(body)


def successful(response: requests.Response) -> requests.Response:
    """The same response if it is a 200; raises `ProviderUnavailable` otherwise."""
    if response.status_code != requests.codes.ok:
        raise ProviderUnavailable("answer_not_ok")
    return response


def json_object(body: bytes) -> dict[str, Any]:
    """`body` as a JSON object; raises `ProviderUnavailable` on anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailable("answer_unreadable") from error
    if not isinstance(content, dict):
        raise ProviderUnavailable("answer_unreadable")
    return content


@contextmanager
def provider_errors() -> Iterator[None]:
    """Turns what four libraries raise during a call into our own facts."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise ProviderUnavailable("timeout") from error
    except requests.HTTPError as error:
        raise ProviderUnavailable("answer_not_ok") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise ProviderUnavailable("unreachable") from error
    except AuthlibBaseError as error:
        raise _token_error(str(error.error)) from error
    except (ValueError, TypeError) as error:
        raise ProviderUnavailable("answer_unreadable") from error


def _token_error(error: str) -> SignInFailed:
    if error in TEMPORARY_ERRORS:
        return ProviderUnavailable(error)
    return SignInRefused(TOKEN_ERRORS.get(error, "provider_error"))
