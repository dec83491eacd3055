"""Whom to tell of a weakness (RFC 9116)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import config, db
from portal.config import ConfigurationError


def fields(client: FlaskClient) -> dict[str, str]:
    answer = client.get("/.well-known/security.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    return dict(line.split(": ", 1) for line in answer.text.splitlines())


def test_it_holds_what_the_specification_wants(client: FlaskClient) -> None:
    told = fields(client)
    assert set(told) == {"Contact", "Expires", "Preferred-Languages", "Canonical"}
    assert told["Canonical"].endswith("/.well-known/security.txt")
    expires = datetime.strptime(told["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=90) < expires - db.now() < timedelta(days=365)


def test_a_hospital_says_whom_to_tell(make_app: Callable[..., Flask]) -> None:
    told = fields(make_app(security_contact="mailto:rssi@hopital.example").test_client())
    assert told["Contact"] == "mailto:rssi@hopital.example"


def test_otherwise_the_legal_notice_says_it(client: FlaskClient) -> None:
    assert fields(client)["Contact"].endswith("/mentions-legales")


def test_an_address_that_nobody_could_use_is_refused() -> None:
    environment = {"PORTAL_ENV": "test", "PORTAL_SECRET_KEY": "x" * 40, "PORTAL_FILE_KEYS": "k:" + "A" * 43 + "=",
                   "PORTAL_DATABASE_URL": "postgresql://x",
                   "PORTAL_SECURITY_CONTACT": "rssi@hopital.example"}  # fmt: skip
    with pytest.raises(ConfigurationError, match="PORTAL_SECURITY_CONTACT"):
        config.load(environment)
