"""Copies of one's data hold what a link or a junction brought: once that was wrong, none is handed over any more."""

from sqlalchemy import update

from auth.account.models import DataExport
from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal import db
from portal.db import session


def adopt(_move: Move) -> Rows:
    """Copies are the account's, and stay with it."""
    return {}


def release(move: Move, _moved: Rows) -> None:
    """At once for those that are ready (the hourly job deletes their bytes), and for one under way."""
    mine = DataExport.patient_id == move.from_id
    session.execute(update(DataExport).where(mine, DataExport.state == "ready").values(expires_at=db.now()))
    session.execute(update(DataExport).where(mine, DataExport.state == "preparing").values(state="expired"))


register(Belongings("account", adopt, release))
