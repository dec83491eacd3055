"""Accessibility in figures: the statement that was in force on the last day, and nothing guessed before it."""

from datetime import UTC, date, datetime
from uuid import uuid4

from flask import Flask

from portal import db, kpi
from portal.catalog.legal import actions as legal
from portal.catalog.legal.content import Accessibility, plain
from portal.catalog.legal.models import LegalPage
from portal.kpi import Figure, KpiEvent, Period
from tests.ground import prepared, rows


def published(version: int, day: date, rate: int | None, *defects: str) -> None:
    said = Accessibility(rate_permille=rate, non_compliances="\n".join(defects))
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    with prepared():
        db.session.add(
            LegalPage(id=uuid4(), page="accessibility", version=version, content=plain(said), published_at=moment)
        )


def figure(code: str, last: date) -> Figure:
    with prepared():
        return kpi.definition(code).compute(Period(last.replace(day=1), last))


def test_the_statement_in_force_on_the_last_day(app: Flask) -> None:
    published(1, date(2026, 1, 10), None)
    published(2, date(2026, 3, 10), 620, "Contrastes", "", "Titres", "Tableaux")
    published(3, date(2026, 6, 1), 910, "Titres")
    assert not figure("A1", date(2025, 12, 31)).fed
    assert not figure("A1", date(2026, 2, 28)).fed
    assert figure("A1", date(2026, 3, 31)).value == 0.62
    assert figure("A1a", date(2026, 5, 31)).value == 3
    assert (figure("A1", date(2026, 6, 30)).value, figure("A1a", date(2026, 6, 30)).value) == (0.91, 1)


def test_a_report_is_counted_without_whoever_made_it(app: Flask) -> None:
    with prepared():
        legal.report("/rendez-vous", "Rien ne répond", "a@example.org")
    (event,) = [each for each in rows(KpiEvent) if each.event == "accessibility_reported"]
    assert (event.pseudonym, event.dimension) == ("", "")
