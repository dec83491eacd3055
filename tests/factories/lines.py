"""Direct lines, who is on duty, and practitioners who wait for a call."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from auth.models import Professional
from portal import calendar, db
from portal.db import session
from portal.establishments import Unit
from services.lines import actions, roster
from services.lines.actions import Asked, Described, Wanted
from services.lines.models import Callback, Duty, Line
from tests.factories import people

if TYPE_CHECKING:
    from tests.factories.demonstration import World

ALWAYS = ("00:00-24:00",) * 7
WORKING_DAYS = (*("08:30-18:30",) * 5, "", "")
NEVER = ("",) * 7


def line(unit: Unit, **facts: Any) -> Line:
    """A line that answers day and night, unless the facts say otherwise."""
    told: dict[str, Any] = {
        "speciality": "Cardiologie", "label": "Avis cardiologique", "number": "0199001211", "answers": "senior",
        "week": ALWAYS, "holidays": "usual",
    }  # fmt: skip
    return actions.add_line(unit, Described(**told | facts))


def duty(unit: Unit, from_at: datetime, hours: float = 12, of: Line | None = None, **facts: Any) -> Duty:
    told: dict[str, Any] = {"name": "Dre Hélène MERCIER", **facts}
    until = from_at + timedelta(hours=hours)
    return actions.enter(
        Wanted(unit.establishment_id, unit.id, of.id if of else None, from_at=from_at, until_at=until, **told)
    )


def callback(of: Line, asker: Professional, now: datetime | None = None, **facts: Any) -> Callback:
    """Asked now, useful for two days."""
    now = now or db.now()
    told: dict[str, Any] = {
        "about": "Avis sur un traitement anticoagulant", "number": "0612345678",
        "useful_until": now + timedelta(days=2), **facts,
    }  # fmt: skip
    return actions.ask(of, asker, Asked(**told), now)


_LINES = (
    ("Cardiologie", "Cardiologie", "Avis cardiologique", "01 99 00 12 11", "senior", WORKING_DAYS,
     "Douleur thoracique chronique, anticoagulants, insuffisance cardiaque suivie", "Douleur thoracique aiguë : le 15"),
    ("Cardiologie", "Cardiologie", "Rythmologie et stimulateurs", "01 99 00 12 12", "nurse",
     (*("09:00-12:30, 14:00-17:00",) * 4, "09:00-12:30", "", ""), "Alerte de télésuivi, rendez-vous de contrôle", ""),
    ("Ophtalmologie", "Ophtalmologie", "Urgences ophtalmologiques", "01 99 00 12 05", "intern", ALWAYS,
     "Baisse de vision brutale, œil rouge douloureux, corps étranger", "Renouvellement de lunettes"),
    ("Chirurgie ambulatoire", "Chirurgie viscérale", "Avis chirurgical", "01 99 00 13 11", "senior",
     (*("08:00-20:00",) * 5, "09:00-13:00", ""), "Hernie, lithiase, suites opératoires", ""),
)  # fmt: skip


def demonstrate(world: "World") -> None:
    """Four lines at Arceau, the duties of this week and some calls that wait."""
    units = {
        each.name: each
        for each in session.scalars(select(Unit).where(Unit.establishment_id == world.north.establishment.id))
    }
    made = [_described(units[place], *told) for place, *told in _LINES if place in units]
    if not made:
        return
    actions.close_line(made[-1], "Pas d’avis par téléphone cette semaine : bloc fermé pour travaux.")
    _demonstrate_duties(made[0])
    _demonstrate_callbacks(world, made)


def _described(unit: Unit, speciality: str, label: str, number: str, answers: str, week: tuple[str, ...],
               for_what: str, not_for: str) -> Line:  # fmt: skip
    return line(
        unit, speciality=speciality, label=label, number=number.replace(" ", ""), answers=answers, week=week,
        for_what=for_what, not_for=not_for, holidays="closed" if week != ALWAYS else "usual",
    )  # fmt: skip


def _demonstrate_duties(line: Line) -> None:
    """The whole unit has somebody each night; the line has somebody each day but Thursday."""
    tz = line.establishment.tz
    monday = roster.monday(calendar.civil_day(db.now(), tz))
    names = ("Dre Hélène MERCIER", "Dr Antoine LEFÈVRE", "Dre Inès OUAHABI")
    for day in range(5):
        if day != 3:
            at = _at(monday + timedelta(days=day), 8, tz)
            duty(line.unit, at, 12, line, name=names[day % 3])
    for day in range(7):
        at = _at(monday + timedelta(days=day), 20, tz)
        duty(line.unit, at, 12, name=names[(day + 1) % 3], phone="0699001234" if day == 5 else "")


def _at(day: date, hour: int, tz: Any) -> datetime:
    return calendar.to_utc_or_after(day, time(hour), tz)


def _demonstrate_callbacks(world: "World", lines: list[Line]) -> None:
    system, now = db.current_actor(), db.now()
    asked = (
        ("roumillac", 0, "Conduite à tenir devant un INR à 5 sans saignement", timedelta(hours=1)),
        ("roumillac", 2, "Œil rouge sous lentilles, urgence de la consultation ?", timedelta(hours=5)),
        ("nevelet", 0, "Reprise des anticoagulants après extraction dentaire", timedelta(hours=30)),
    )
    for name, rank, about, ago in asked:
        asker = world.professionals[name]
        db.act_as(people.as_professional(asker))
        made = callback(
            session.get_one(Line, lines[rank].id), session.get_one(Professional, asker.id), now - ago, about=about,
            useful_until=now + timedelta(days=4),
        )  # fmt: skip
        db.act_as(system)
        if ago > timedelta(days=1):
            actions.answer(made.id, reached=True)
