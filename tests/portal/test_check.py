"""What `parvis check` says of doors that a laptop may do without."""

from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from portal import check
from portal.config import Settings


def troubles(app: Flask, settings: Settings) -> set[str]:
    return {finding.what for finding in check.findings(app, settings) if finding.trouble}


UNSCANNED = {"antivirus_url": "none:"}


def test_production_is_told_that_nothing_is_scanned_and_that_mails_go_nowhere(app: Flask, settings: Settings) -> None:
    production = settings.model_copy(update=UNSCANNED | {"env": "production"})
    assert troubles(app, production) == {"PORTAL_ANTIVIRUS_URL", "PORTAL_MAIL_URL"}


LINES = {
    "PORTAL_DATABASE_URL": ("database_url", "postgresql://u:p@127.0.0.1:9,db.exemple.test:9/x?connect_timeout=1"),
    "PORTAL_REDIS_URL": ("redis_url", "redis://cache.exemple.test:6379"),
    "PORTAL_MAIL_URL": ("mail_url", "smtp://relay.exemple.test:25"),
    "PORTAL_ANTIVIRUS_URL": ("antivirus_url", "clamd://scanner.exemple.test:3310"),
    "PORTAL_STORAGE_URL": ("storage_url", "s3+http://s3.exemple.test:9000/files"),
}
GOOD = {
    "database_url": SecretStr("postgresql://u:p@127.0.0.1:9/x?sslmode=verify-full"),
    "redis_url": SecretStr("rediss://cache.exemple.test:6379"),
    "mail_url": SecretStr("smtp://relay.exemple.test:25?starttls=1"),
    "antivirus_url": "clamd:///run/clamav/clamd.ctl",
}


def in_production(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"env": "production", **GOOD, **changes})


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_leaves_the_machine_in_clear_is_told(settings: Settings, name: str) -> None:
    field, url = LINES[name]
    told = in_production(settings, **{field: url if field in ("antivirus_url", "storage_url") else SecretStr(url)})
    assert [finding.what for finding in check._lines_in_clear(told)] == [name]
    assert all(finding.warning and not finding.trouble for finding in check._lines_in_clear(told))


def test_lines_that_are_encrypted_or_stay_here_are_not(settings: Settings) -> None:
    assert list(check._lines_in_clear(in_production(settings))) == []
    asked = {
        "database_url": SecretStr("postgresql://u:p@db.exemple.test/x?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    }
    assert list(check._lines_in_clear(in_production(settings, **asked))) == []
    assert list(check._lines_in_clear(in_production(settings).model_copy(update={"env": "development"}))) == []


def test_a_laptop_is_left_alone(app: Flask, settings: Settings) -> None:
    assert troubles(app, settings.model_copy(update=UNSCANNED | {"env": "development"})) == set()
