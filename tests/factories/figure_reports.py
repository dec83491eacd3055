"""The report of last month, told to somebody who asked for it. After `history`, whose events it may count."""

from datetime import timedelta
from uuid import uuid4

from auth.figure_reports import actions
from auth.figure_reports.models import FigureReportReader
from portal import db
from portal.calendar import civil_day
from portal.db import session
from tests.factories.demonstration import World


def demonstrate(world: World) -> None:
    """At the hospital of the north, for its first administrator."""
    hospital = world.north.establishment
    account = world.agents["administrator"]
    session.add(FigureReportReader(id=uuid4(), account_id=account.id, establishment_id=hospital.id))
    session.flush()
    last_month = civil_day(db.now(), hospital.tz).replace(day=1) - timedelta(days=1)
    actions.tell(actions.make(hospital, last_month.replace(day=1)), hospital, account)
