"""Definitions are kept in versions, and targets with their history."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask_babel import LazyString, get_locale
from sqlalchemy.exc import ProgrammingError

from portal import db, kpi
from portal.kpi import Definition, Figure, KpiTarget, NotATarget, catalogue
from portal.kpi.models import KpiDefinition
from tests.factories import hospitals, people
from tests.ground import audited, count, prepared
from tests.statements import executed


def _said(english: str, french: str) -> LazyString:
    """A text that is said in the reader's language, whatever the catalogues hold."""
    return LazyString(lambda: french if str(get_locale()) == "fr" else english)


VISITS = Definition(
    "T1", _said("Visits", "Passages"), "Visits told", "", lambda _p: Figure(1), events=("visit_started",)
)
RATE = Definition("T2", "Rate", "Some", "All", lambda _p: Figure(1, 2), unit="rate", portal=True)


@pytest.fixture
def offered(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, Definition]:
    """A catalogue of two definitions, to change at will."""
    held = {"T1": VISITS, "T2": RATE}
    monkeypatch.setattr(catalogue, "_definitions", held)
    return held


def store() -> int:
    with db.transaction(db.system("tests")):
        return kpi.store_definitions()


def versions(code: str) -> list[int]:
    with db.transaction(db.ANONYMOUS):
        return [each.version for each in kpi.stored(code)]


class TestVersions:
    def test_storing_again_adds_nothing(self, offered: dict[str, Definition]) -> None:
        assert (store(), store()) == (2, 0)
        assert (versions("T1"), versions("T2")) == ([1], [1])

    @pytest.mark.parametrize(
        "change",
        [
            {"title": "Comings"},
            {"numerator": "Visits of everybody"},
            {"denominator": "All"},
            {"unit": "rate"},
            {"events": ("visit_started", "session_opened")},
            {"revision": 2},
            {"by_month": True},
            {"dimensions": ("channel",)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_changes_a_figure_makes_a_version_and_the_past_stays(
        self, offered: dict[str, Definition], change: dict[str, Any]
    ) -> None:
        store()
        offered["T1"] = replace(VISITS, **change)
        assert store() == 1
        with db.transaction(db.system("tests")):
            last, first = kpi.stored("T1")
            assert (last.version, first.version) == (2, 1)
            assert (first.title, first.numerator, first.unit, first.events) == (
                "Visits", "Visits told", "count", ("visit_started",),
            )  # fmt: skip
            assert first.digest != last.digest
            assert kpi.version_of("T1") == 2
            assert kpi.version_of("T2") == 1

    def test_coming_back_is_a_version_too(self, offered: dict[str, Definition]) -> None:
        store()
        offered["T1"] = replace(VISITS, revision=2)
        store()
        offered["T1"] = VISITS
        store()
        assert versions("T1") == [3, 2, 1]

    def test_what_only_changes_how_it_is_shown_makes_none(self, offered: dict[str, Definition]) -> None:
        store()
        offered["T1"] = replace(VISITS, better="up", service="portal", of_people=True)
        assert store() == 0

    def test_texts_are_kept_in_each_language(self, offered: dict[str, Definition]) -> None:
        store()
        with db.transaction(db.system("tests")):
            assert kpi.stored("T1")[0].title == "Visits"
            assert kpi.stored("T1", "fr")[0].title == "Passages"

    def test_versions_are_read_in_one_statement(self, app: Flask, offered: dict[str, Definition]) -> None:
        store()
        with db.transaction(db.system("tests")):
            db.current_actor()
            with executed(app) as statements:
                assert {kpi.version_of(code) for code in offered} == {1}
            assert len(statements) == 1

    def test_before_they_are_stored_the_declared_version_is_told(self, offered: dict[str, Definition]) -> None:
        with db.transaction(db.system("tests")):
            assert kpi.version_of("T1") == 1

    def test_every_declared_definition_is_stored(self, app: Flask) -> None:
        assert store() == len(kpi.definitions()) == count(KpiDefinition)
        assert store() == 0


@pytest.mark.usefixtures("offered")
class TestTargets:
    def test_the_last_word_that_has_begun_counts(self, app: Flask) -> None:
        with prepared():
            place = hospitals.hospital().establishment.id
            kpi.set_target("T1", place, 100, from_on=date(2026, 1, 1))
            kpi.set_target("T1", place, 120, from_on=date(2026, 6, 1))
            kpi.set_target("T1", None, 900, from_on=date(2026, 1, 1))
        with db.transaction(db.system("tests")):
            places = [place, None]
            assert kpi.targets(["T1", "T2"], places, date(2025, 12, 31)) == {}
            assert kpi.targets(["T1"], places, date(2026, 5, 31)) == {("T1", place): 100, ("T1", None): 900}
            assert kpi.targets(["T1"], [place], date(2026, 6, 1)) == {("T1", place): 120}

    def test_it_is_corrected_withdrawn_and_set_back_and_all_of_it_stays(self, app: Flask) -> None:
        for value in (100.0, 110.0, None, 110.0):
            with prepared():
                kpi.set_target("T1", None, value, from_on=date(2026, 1, 1))
            with db.transaction(db.system("tests")):
                assert kpi.targets(["T1"], [None], date(2026, 2, 1)).get(("T1", None)) == value
        with db.transaction(db.system("tests")):
            assert [each.value for each in kpi.target_history("T1", None)] == [110, None, 110, 100]
        assert audited() == ["figure_target.set"] * 4

    @pytest.mark.parametrize(("code", "value"), [("T2", 1.2), ("T1", -1), ("T1", float("nan")), ("T1", float("inf"))])
    def test_a_number_that_cannot_be_is_refused(self, app: Flask, code: str, value: float) -> None:
        with db.transaction(db.system("tests")), pytest.raises(NotATarget):
            kpi.set_target(code, None, value, from_on=date(2026, 1, 1))

    def test_an_unknown_figure_has_none(self, app: Flask) -> None:
        with db.transaction(db.system("tests")), pytest.raises(KeyError):
            kpi.set_target("Z9", None, 1, from_on=date(2026, 1, 1))

    def test_administrators_set_and_see_those_of_their_hospitals(self, app: Flask) -> None:
        with prepared():
            north, south = (hospitals.hospital(finess).establishment.id for finess in ("990000017", "990000025"))
            agent = people.agent(north, "administration")
            kpi.set_target("T1", south, 5, from_on=date(2026, 1, 1))
        own = people.as_agent(agent, north, "administration")
        with db.transaction(own):
            kpi.set_target("T1", north, 7, from_on=date(2026, 1, 1))
        with db.transaction(own):
            assert kpi.targets(["T1"], [north, south], date(2026, 2, 1)) == {("T1", north): 7}
        for actor, place in ((own, south), (people.as_agent(agent, north, "billing"), north), (db.ANONYMOUS, None)):
            with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(actor):
                kpi.set_target("T1", place, 1, from_on=date(2026, 1, 1))
        assert count(KpiTarget) == 2

    def test_nobody_else_sees_any(self, app: Flask) -> None:
        with prepared():
            place = hospitals.hospital().establishment.id
            kpi.set_target("T1", place, 5, from_on=date(2026, 1, 1))
            kpi.set_target("T1", None, 5, from_on=date(2026, 1, 1))
            agent = people.agent(place, "audit")
        for actor in (db.ANONYMOUS, people.as_agent(agent, place, "audit")):
            with db.transaction(actor):
                assert kpi.targets(["T1"], [place, None, uuid4()], date(2026, 2, 1)) == {}
