"""What agents do with threads besides writing: who has them in charge, how urgent they are, whose they are."""

from dataclasses import dataclass
from uuid import UUID

from portal import audit, calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.documents.actions.filing import check_known
from services.documents.exchanges.actions import threads
from services.documents.exchanges.models import Exchange, UnitDesk
from services.documents.inbox import queries as absences
from services.documents.states import NotPossibleNow


def assign(exchange: Exchange, account_id: UUID, name: str) -> None:
    """An agent takes a thread in charge, or gives it to a colleague. Raises NotPossibleNow when it is closed."""
    _lock(exchange)
    if exchange.state == "closed":
        raise NotPossibleNow(exchange.state)
    exchange.assigned_id, exchange.assigned_name = account_id, name
    _record("exchange.assigned", exchange, to=str(account_id))


def take(exchange: Exchange) -> None:
    """Whoever acts takes a thread in charge. Raises NotPossibleNow when it is closed."""
    actor = db.current_actor()
    assert actor.account_id is not None, "agents have accounts"
    assign(exchange, actor.account_id, actor.name)


def stand_in(exchange: Exchange) -> None:
    """What is answered to somebody who is away goes to whoever stands in for them."""
    if exchange.assigned_id is None or exchange.state != "received":
        return
    place = session.get_one(Establishment, exchange.establishment_id)
    away = absences.deputy(place.id, exchange.assigned_id, calendar.civil_day(db.now(), place.tz))
    if away:
        assign(exchange, away.deputy_id, away.deputy_name)


def prioritise(exchange: Exchange, priority: str) -> None:
    """Say how urgent a thread is. priority: normal | urgent."""
    _lock(exchange)
    exchange.priority = priority
    _record("exchange.prioritised", exchange, priority=priority)


def hand_to_unit(exchange: Exchange, unit: Unit) -> None:
    """Say which unit of the same hospital answers; nobody has it in charge then."""
    assert unit.establishment_id == exchange.establishment_id, "a thread stays in its hospital"
    _lock(exchange)
    exchange.unit_id, exchange.assigned_id, exchange.assigned_name = unit.id, None, ""
    _record("exchange.handed_over", exchange, unit_id=str(unit.id))


def give_back(exchange: Exchange, text: str) -> None:
    """The unit closes and no other one answers: whoever waits for its words is told so, and the thread ends. Raises
    NotPossibleNow when it is closed."""
    _lock(exchange)
    if exchange.state in ("received", "opened"):
        threads.answer(exchange, threads.Words(text))
    threads.close(exchange)


@dataclass(frozen=True)
class Desk:
    """What a unit says to those who write to it: see `UnitDesk`."""

    is_open: bool
    answer_days: int
    note: str = ""
    signature: str = ""


def open_desk(unit: Unit, said: Desk) -> None:
    """Say whether a unit takes messages of patients, within how many business days it answers, and how it signs."""
    desk = session.get(UnitDesk, unit.id) or UnitDesk(unit_id=unit.id, establishment_id=unit.establishment_id)
    desk.is_open, desk.answer_days = said.is_open, said.answer_days
    desk.note, desk.signature = said.note.strip(), said.signature.strip()
    session.add(desk)
    audit.record(
        "unit_desk.changed",
        establishment_id=unit.establishment_id,
        object_kind="unit",
        object_id=unit.id,
        is_open=said.is_open,
        answer_days=said.answer_days,
    )


def recognise(exchange: Exchange, patient_id: UUID) -> None:
    """An agent says which of the hospital's patients a thread is about. Raises PatientNotKnown."""
    check_known(patient_id, exchange.establishment_id)
    _lock(exchange)
    exchange.about_id = patient_id
    _record("exchange.recognised", exchange)


def _lock(exchange: Exchange) -> None:
    session.refresh(exchange, with_for_update={"of": Exchange, "key_share": True})


def _record(action: str, exchange: Exchange, **details: str) -> None:
    audit.record(
        action,
        patient_id=exchange.about_id or exchange.patient_id,
        establishment_id=exchange.establishment_id,
        object_kind="exchange",
        object_id=exchange.id,
        **details,
    )
