"""Each month, once: a report that is made, kept as it was, and told by a mail without any number."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from auth.figure_reports import actions, contents, jobs, queries
from auth.figure_reports.models import FigureReport, FigureReportReader, FigureReportTold
from auth.models import Account
from portal import db
from portal.establishments import Establishment
from portal.kpi.disclosure import Hidden
from portal.notifications import Notification
from tests.admin.conftest import Group
from tests.admin.test_dashboard import happens
from tests.english import in_english as in_english
from tests.ground import audited, prepared, rows

SignIn = Callable[[Account], FlaskClient]
PAGE = "/admin/chiffres/rapports"
OCTOBER = date(2026, 10, 1)


def october(day: int) -> datetime:
    return datetime(2026, 10, day, 12, tzinfo=UTC)


def told(group: Group) -> FigureReport:
    with prepared():
        hospital = db.session.get_one(Establishment, group.north.id)
        report = actions.make(hospital, OCTOBER)
        for account in queries.untold(hospital.id, OCTOBER):
            actions.tell(report, hospital, account)
        db.session.expunge_all()
    return report


def asks(group: Group, sign_in: SignIn) -> FlaskClient:
    browser = sign_in(group.administrator)
    assert browser.post(f"{PAGE}/{group.north.finess}/demander").status_code == 303
    return browser


@pytest.mark.parametrize(
    ("moment", "zone", "month"),
    [
        ("2026-11-02T07:30", "Europe/Paris", OCTOBER),  # a Monday after a Sunday
        ("2026-11-01T10:00", "Europe/Paris", None),  # All Saints' Day, a Sunday
        ("2026-11-02T06:59", "Europe/Paris", None),
        ("2026-11-02T19:00", "Europe/Paris", None),
        ("2026-11-23T12:00", "Europe/Paris", OCTOBER),  # somebody who asks late is told at once
        ("2026-01-02T08:00", "Indian/Reunion", date(2025, 12, 1)),
    ],
)
def test_it_is_told_from_the_first_business_day_by_the_hospitals_clock(
    moment: str, zone: str, month: date | None
) -> None:
    hospital = Establishment(finess="990000017", name="H", time_zone=zone)
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))

    assert jobs.month_to_tell(at, hospital) == month


def test_who_asked_is_told_once_by_a_mail_without_numbers(group: Group, sign_in: SignIn) -> None:
    happens("preadmission_submitted", 37, establishment_id=group.north.id, at=october(5))
    asks(group, sign_in)

    report = told(group)
    told(group)

    [mail] = [each for each in rows(Notification) if f"{PAGE}/{report.id}" in each.body]
    assert mail.recipient == group.administrator.email
    assert "37" not in mail.body.replace(str(report.id), "")
    assert [each.account_id for each in rows(FigureReportTold)] == [group.administrator.id]
    assert {"figure_report.asked", "figure_report.made"} <= set(audited())


def test_the_report_is_masked_and_stays_as_it_was(group: Group, sign_in: SignIn) -> None:
    happens("preadmission_submitted", 37, establishment_id=group.north.id, at=october(5))
    happens("preadmission_submitted", 7, establishment_id=group.north.id, at=october(5) - timedelta(days=30))
    browser = asks(group, sign_in)
    report = told(group)
    happens("preadmission_submitted", 40, establishment_id=group.north.id, at=october(6))

    again = told(group)

    assert (again.id, bytes(again.digest), again.content) == (report.id, bytes(report.digest), report.content)
    assert contents.digest(again.content) == bytes(report.digest)
    figures = {each.definition.code: each for each, _version in contents.read(again.content, group.north.id, "en")}
    cells = list(figures["P1"].cells.values())
    assert len(cells) == contents.MONTHS
    assert cells[-2] is Hidden.FEW
    assert getattr(cells[-1], "numerator", None) == 37
    page = browser.get(f"{PAGE}/{report.id}").text
    assert "Figures of October 2026" in page
    assert "&lt; 11" in page
    for kind in ("csv", "xlsx"):
        assert browser.get(f"{PAGE}/{report.id}/{kind}").status_code == 200
    assert "figure_report.exported" in audited()


def test_who_stopped_or_lost_the_right_is_not_told(group: Group, sign_in: SignIn) -> None:
    browser = asks(group, sign_in)
    assert "You are told" in browser.get(PAGE).text
    browser.post(f"{PAGE}/{group.north.finess}/arreter")

    told(group)

    assert rows(FigureReportTold) == []
    [reader] = rows(FigureReportReader)
    assert reader.stopped_at is not None


def test_asking_twice_is_asking_once(group: Group, sign_in: SignIn) -> None:
    asks(group, sign_in)
    asks(group, sign_in)

    assert len(rows(FigureReportReader)) == 1


def test_another_hospital_is_not_found(group: Group, sign_in: SignIn) -> None:
    with prepared():
        hospital = db.session.get_one(Establishment, group.south.id)
        report_id = actions.make(hospital, OCTOBER).id
    browser = sign_in(group.administrator)

    for path in (f"{PAGE}/{report_id}", f"{PAGE}/{report_id}/csv", f"{PAGE}/{uuid4()}"):
        assert browser.get(path).status_code == 404
    for gesture in ("demander", "arreter"):
        assert browser.post(f"{PAGE}/{group.south.finess}/{gesture}").status_code == 404
    assert sign_in(group.clerk).get(PAGE).status_code == 403


def test_the_database_shows_reports_to_those_who_administer_the_hospital_alone(
    app: Flask,
    group: Group,
    sign_in: SignIn,
) -> None:
    asks(group, sign_in)
    told(group)
    stranger = db.Actor("staff", account_id=uuid4(), rights={"administration": frozenset({group.south.id})})

    with db.transaction(stranger) as session:
        for model in (FigureReport, FigureReportReader, FigureReportTold):
            assert session.query(model).count() == 0


def test_nobody_writes_a_report_again(group: Group, sign_in: SignIn) -> None:
    told(group)
    with prepared():
        changed = db.session.execute(update(FigureReport).values(month=date(2020, 1, 1)))

    assert changed.rowcount == 0
    assert [each.month for each in rows(FigureReport)] == [OCTOBER]
