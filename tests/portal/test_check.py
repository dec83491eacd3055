"""What `parvis check` says of doors that a laptop may do without."""

from flask import Flask

from portal import check
from portal.config import Settings


def troubles(app: Flask, settings: Settings) -> set[str]:
    return {finding.what for finding in check.findings(app, settings) if finding.trouble}


UNSCANNED = {"antivirus_url": "none:"}


def test_production_is_told_that_nothing_is_scanned_and_that_mails_go_nowhere(app: Flask, settings: Settings) -> None:
    production = settings.model_copy(update=UNSCANNED | {"env": "production"})
    assert troubles(app, production) == {"PORTAL_ANTIVIRUS_URL", "PORTAL_MAIL_URL"}


def test_a_laptop_is_left_alone(app: Flask, settings: Settings) -> None:
    assert troubles(app, settings.model_copy(update=UNSCANNED | {"env": "development"})) == set()
