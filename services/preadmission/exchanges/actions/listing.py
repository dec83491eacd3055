"""Acknowledgements that a hospital leaves in its folder as CSV: `reference;ipp;visit_number;state;reason`.

Each line is done by itself; the report, written beside the file, says of each what became of it.
"""

import csv
from collections.abc import Iterator
from io import StringIO
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import select, update

from portal import audit, db, kpi
from portal.db import session
from portal.delimited import Delimited, NotSuchAFile, Row
from services.exchanges import states as delivered
from services.exchanges.models import Delivery, Follower
from services.preadmission import actions as files
from services.preadmission.exchanges import states, wording
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused

COLUMNS = ("reference", "ipp", "visit_number", "state", "reason")
DONE, REFUSED, CANCELLED, CLOSED = "integrated", "refused", "cancelled", "closed"
_LONGEST = 500


class LineRefused(Exception):
    """Nothing of this line was done; `reason`: a key of wording.REASONS, or of those below."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_list(establishment_id: UUID, name: str, body: bytes) -> tuple[bytes, bool]:
    """The report of one file, and whether every line of it was done."""
    _ = name
    try:
        rows = list(_rows(body))
    except NotSuchAFile as error:
        return _report([("0", "", str(error))]), False
    told = [(str(row.number), row.cells.get("reference", ""), _take(establishment_id, row)) for row in rows]
    audit.record("his_list.read", establishment_id=establishment_id, lines=len(told))
    kpi.count("his_list_read", establishment_id=establishment_id, channel="folder", quantity=len(told))
    return _report(told), all(outcome == "done" for _number, _reference, outcome in told)


def _rows(body: bytes) -> Iterator[Row]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotSuchAFile("the file is not in UTF-8") from None
    found = Delimited(csv.reader(StringIO(text, newline=""), delimiter=";", strict=True))
    found.need(COLUMNS)
    yield from found


def _report(lines: list[tuple[str, str, str]]) -> bytes:
    out = StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([("line", "reference", "outcome"), *lines])
    return out.getvalue().encode("utf-8-sig")


def _take(establishment_id: UUID, row: Row) -> str:
    """`done`, or why not."""
    if row.wrong:
        return row.wrong
    try:
        with session.begin_nested():
            _do(establishment_id, row.cells)
    except LineRefused as fact:
        with force_locale("fr"):
            return str(wording.REASONS.get(fact.reason, fact.reason))
    except TransitionRefused:
        with force_locale("fr"):
            return str(wording.REASONS["over"])
    return "done"


def _do(establishment_id: UUID, cells: dict[str, str]) -> None:
    file = session.scalar(
        select(Preadmission).where(
            Preadmission.establishment_id == establishment_id, Preadmission.reference == cells["reference"].upper()
        )
    )
    if file is None:
        raise LineRefused("unknown_file")
    state = cells["state"].lower()
    if state == DONE:
        _integrate(file, cells)
    elif state == REFUSED:
        _refuse(file, cells["reason"])
    elif state == CANCELLED:
        files.cancel_there(file, cells["reason"][:_LONGEST])
    elif state == CLOSED:
        files.close(file)
    else:
        raise LineRefused(f"state is {DONE}, {REFUSED}, {CANCELLED} or {CLOSED}")


def _integrate(file: Preadmission, cells: dict[str, str]) -> None:
    if not cells["visit_number"]:
        raise LineRefused("no_number")
    if file.ipp and cells["ipp"] and file.ipp != cells["ipp"]:
        raise LineRefused("another_person")
    if (file.visit_number, file.state) != (cells["visit_number"], "integrated"):
        files.integrate(file, cells["ipp"], cells["visit_number"])


def _refuse(file: Preadmission, reason: str) -> None:
    """The request left in the folder is refused after all: it waits for an agent, with the hospital's words."""
    newest = (
        select(Delivery.id)
        .join(Follower, Follower.id == Delivery.follower_id)
        .where(Delivery.subject_kind == states.SUBJECT, Delivery.subject_id == file.id, Follower.kind == delivered.HIS)
        .where(Delivery.state == delivered.ACCEPTED)
        .order_by(Delivery.changed_at.desc())
        .limit(1)
    )
    refused = session.connection().execute(
        update(Delivery)
        .where(Delivery.id == newest.scalar_subquery())
        .values(state=delivered.REFUSED, answer="AE", told=reason[:_LONGEST], settled_at=db.now())
    )
    if not refused.rowcount:
        raise LineRefused("unknown_file")
    audit.record(
        "exchange.refused",
        patient_id=file.patient_id,
        establishment_id=file.establishment_id,
        object_kind="preadmission",
        object_id=file.id,
    )
