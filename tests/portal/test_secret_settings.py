"""Secret settings of a hospital are sealed where they lie, whoever writes them."""

import pytest
from flask import Flask
from sqlalchemy import text

from auth.identity.sealing import CannotBeOpened
from portal import db, establishments
from portal.db import session
from tests.factories import hospitals


def _written(key: str) -> str:
    return str(session.scalar(text("select value from establishment_setting where key = :key"), {"key": key}))


def test_a_secret_setting_is_sealed_and_reads_as_it_was_typed(app: Flask) -> None:
    with db.transaction(db.system("tests")):
        place = hospitals.hospital().establishment
        establishments.change_setting(place.id, "some_key", "the secret", secret=True)
        session.flush()
        assert "the secret" not in _written("some_key")
        assert establishments.setting(place.id, "some_key") == "the secret"


def test_a_setting_that_is_no_secret_stays_readable_in_the_database(app: Flask) -> None:
    with db.transaction(db.system("tests")):
        place = hospitals.hospital().establishment
        establishments.change_setting(place.id, "some_delay", "14")
        session.flush()
        assert _written("some_delay") == "14"


def test_a_secret_written_before_secrets_were_sealed_still_reads(app: Flask) -> None:
    with db.transaction(db.system("tests")):
        place = hospitals.hospital().establishment
        session.execute(
            text("insert into establishment_setting values (:place, 'old', 'in the clear', true)"), {"place": place.id}
        )
        assert establishments.setting(place.id, "old") == "in the clear"


def test_a_sealed_setting_moved_to_another_name_does_not_open(app: Flask) -> None:
    with db.transaction(db.system("tests")):
        place = hospitals.hospital().establishment
        establishments.change_setting(place.id, "some_key", "the secret", secret=True)
        session.flush()
        session.execute(text("update establishment_setting set key = 'another' where key = 'some_key'"))
        session.expire_all()
        with pytest.raises(CannotBeOpened):
            establishments.setting(place.id, "another")
