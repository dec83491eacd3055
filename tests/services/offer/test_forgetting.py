"""Reports of errors wait for administrators, and are erased in time, with the addresses of their authors."""

from datetime import timedelta
from uuid import uuid4

from auth.digests.sources import sources
from portal import db, retention
from services.offer.models import ErrorReport, ErrorReportChange
from tests.factories import offer
from tests.ground import count, prepared, rows
from tests.services.offer.conftest import Ground


def _answered(ground: Ground, days: int) -> ErrorReport:
    made = offer.report(ground.north.unit, email="a@exemple.test")
    made.state, made.ended_at = "corrected", db.now() - timedelta(days=days)
    db.session.add(
        ErrorReportChange(
            id=uuid4(), report_id=made.id, establishment_id=made.establishment_id, from_state="received",
            to_state="corrected", actor="x",
        )
    )  # fmt: skip
    db.session.flush()
    return made


def test_an_answered_report_is_erased_when_its_time_is_over(ground: Ground) -> None:
    rule, here = retention.rule("offer_report"), ground.north.establishment.id
    with prepared():
        old, recent, waiting = _answered(ground, 181), _answered(ground, 179), offer.report(ground.north.unit)
    before = db.now() - timedelta(days=rule.days)
    with prepared():
        assert [each.id for each in rule.due(here, before, 10)] == [old.id]
        assert rule.due(ground.south.establishment.id, before, 10) == []
        assert rule.purge(old.id, before)
        assert not rule.purge(recent.id, before)
        assert not rule.purge(waiting.id, before)
    assert {each.id for each in rows(ErrorReport)} == {recent.id, waiting.id}
    assert count(ErrorReportChange) == 1


def test_only_what_has_no_answer_waits(ground: Ground) -> None:
    with prepared():
        _answered(ground, 1)
        offer.report(ground.north.unit)
    (source,) = [each for each in sources(["administration"]) if each.code == "offer_reports"]
    with prepared():
        found = db.session.execute(source.rows(db.now())).all()
    assert [(row[0], row[1], row[3]) for row in found] == [(ground.north.establishment.id, None, False)]
