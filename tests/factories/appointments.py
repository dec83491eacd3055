"""Fictional reasons for consultation, consultation sessions and appointments."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.models import Account, Patient, PatientAccess
from portal import calendar, db
from portal.db import Actor, session
from portal.establishments import Practitioner, Unit
from services.appointments import actions, queries, slots
from services.appointments.models import Appointment, AppointmentChange, ConsultationSession, Reason, new_reference
from services.appointments.slots import Slot
from tests.factories import agendas, people
from tests.factories.hospitals import Hospital

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def reason(unit: Unit, name: str = "Consultation de suivi", duration_min: int = 30, **facts: Any) -> Reason:
    """A reason open online, to new patients too, without any delay to respect."""
    made = Reason(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        unit_id=unit.id,
        name=name,
        duration_min=duration_min,
        **{"min_delay_hours": 0, "max_delay_days": 365, "cancel_cutoff_hours": 24, "max_to_come": 0} | facts,
    )
    session.add(made)
    session.flush()
    return made


def consultation(
    where: Hospital,
    reasons: Sequence[Reason],
    day: date | None = None,
    opens: time = time(9),
    closes: time = time(12),
    *,
    step_min: int = 15,
    practitioner: Practitioner | None = None,
    capacity: int = 1,
) -> ConsultationSession:
    """A morning of the hospital's practitioner, in a week unless a day is given."""
    day = day or db.now().astimezone(where.establishment.tz).date() + timedelta(days=7)
    unit = session.get_one(Unit, where.unit.id)
    return actions.open_session(
        practitioner or where.practitioner, unit, day, opens, closes, reasons, step_min, capacity
    )


def booked(person: Patient, why: Reason, opened: ConsultationSession, first_cell: int = 0) -> Appointment:
    """An appointment taken on the phone."""
    return actions.book_by_phone(person.id, why.id, Slot(opened.id, first_cell))


def past(person: Patient, why: Reason, opened: ConsultationSession, first_cell: int = 0, **facts: Any) -> Appointment:
    """An appointment of a session that is over: nobody can book it any more, so its row is written as it would be."""
    count = slots.cells_for(why.duration_min, opened.step_min)
    made = Appointment(
        id=uuid4(),
        establishment_id=opened.establishment_id,
        patient_id=person.id,
        site_id=opened.site_id,
        unit_id=opened.unit_id,
        practitioner_id=opened.practitioner_id,
        reason_id=why.id,
        session_id=opened.id,
        first_cell=first_cell,
        n_cells=count,
        start_at=opened.at(first_cell),
        end_at=opened.at(first_cell + count),
        reference=new_reference(),
        **{"state": "booked", "channel": "web", "booked_at": opened.start_at - timedelta(days=20)} | facts,
    )
    session.add(made)
    session.flush()
    session.add(
        AppointmentChange(
            id=uuid4(),
            appointment_id=made.id,
            patient_id=person.id,
            establishment_id=made.establishment_id,
            from_state="",
            to_state="booked",
            by=db.current_actor().label,
            by_name=person.full_name,
            at=made.booked_at,
        )
    )
    session.flush()
    return made


# -- the demonstration -------------------------------------------------------------------------------------------

_PAPERS = "Carte Vitale et carte de mutuelle\nPièce d’identité"
_OFFER: dict[str, tuple[dict[str, Any], ...]] = {
    "Cardiologie": (
        {
            "name": "Première consultation",
            "duration_min": 30,
            "price": "30 € (secteur 1)",
            "min_delay_hours": 24,
            "to_bring": f"{_PAPERS}\nCourrier de votre médecin traitant\nOrdonnances en cours",
            "instructions": "Vous pouvez manger et prendre vos médicaments habituels.",
        },
        {
            "name": "Consultation de suivi",
            "duration_min": 20,
            "price": "30 € (secteur 1)",
            "open_to_new_patients": False,
            "to_bring": f"{_PAPERS}\nOrdonnances en cours\nRésultats récents",
        },
        {
            "name": "Épreuve d’effort",
            "duration_min": 60,
            "bookable_online": False,
            "instructions": "Venez en tenue de sport, après un repas léger.",
        },
    ),
    "Ophtalmologie": (
        {
            "name": "Bilan de la vue",
            "duration_min": 20,
            "price": "28 €",
            "to_bring": f"{_PAPERS}\nLunettes actuelles",
            "instructions": "Retirez vos lentilles la veille. Des gouttes troublent la vue : ne conduisez pas.",
        },
        {
            "name": "Consultation enfant (moins de 16 ans)",
            "max_age": 15,
            "duration_min": 30,
            "price": "28 €",
            "to_bring": f"{_PAPERS}\nCarnet de santé",
        },
    ),
    "Chirurgie ambulatoire": (
        {
            "name": "Consultation avant opération",
            "duration_min": 30,
            "min_delay_hours": 48,
            "cancel_cutoff_hours": 48,
            "to_bring": f"{_PAPERS}\nComptes rendus d’imagerie\nGroupe sanguin si vous l’avez",
        },
        {"name": "Contrôle après opération", "duration_min": 15, "open_to_new_patients": False},
    ),
    "Maternité et gynécologie": (
        {"name": "Suivi de grossesse", "duration_min": 30, "to_bring": f"{_PAPERS}\nCarnet de maternité"},
        {"name": "Consultation de gynécologie", "duration_min": 30, "price": "37 €"},
        {"name": "Entretien prénatal précoce", "duration_min": 45},
    ),
    "Imagerie médicale": (
        {"name": "Radiographie", "duration_min": 15, "to_bring": f"{_PAPERS}\nOrdonnance\nAnciens clichés"},
        {
            "name": "Échographie",
            "duration_min": 30,
            "to_bring": f"{_PAPERS}\nOrdonnance",
            "instructions": "Buvez un demi-litre d’eau une heure avant et n’urinez pas, sauf autre consigne.",
        },
    ),
}
HOURS = ((time(9), time(12, 30)), (time(14), time(17)))
_SHOWN = timedelta(weeks=10)
_FILLED = timedelta(days=9)
NAMES = (
    "ARNOUX",
    "BEAUCHAMP",
    "CALVET",
    "DIALLO",
    "ESTEVES",
    "FAURE",
    "GUILLOU",
    "HAMDI",
    "IMBERT",
    "JAOUEN",
    "KERVELLA",
    "LEMAIRE",
    "MOREL",
    "NGUYEN",
    "OLLIVIER",
    "PASQUIER",
    "RENARD",
    "SOW",
    "TEXIER",
    "VASSEUR",
)
_FIRST_NAMES = ("Alice", "Bruno", "Chantal", "Driss", "Élise", "Fabrice", "Ginette", "Hugo", "Inès", "Jules")


def demonstrate(world: "World") -> None:
    """Reasons, thirteen months of consultations, full and empty days, and appointments in each state."""
    chance = Random(2026)
    units = {unit.name: (unit, _reasons(unit)) for unit in session.scalars(select(Unit)) if unit.name in _OFFER}
    opened = [one for unit, offered in units.values() for one in _weeks(unit, offered)]
    _fill(world, opened, {unit.id: offered for unit, offered in units.values()}, _passers_by(world), chance)
    _stories(world, units)


def _reasons(unit: Unit) -> list[Reason]:
    return [
        reason(unit, position=rank, **{"min_delay_hours": 12} | facts) for rank, facts in enumerate(_OFFER[unit.name])
    ]


def _weeks(unit: Unit, offered: Sequence[Reason]) -> list[ConsultationSession]:
    """Each practitioner of the unit receives four half-days a week, by templates; today began before they did."""
    today = calendar.civil_day(db.now(), unit.establishment.tz)
    for rank, practitioner in enumerate(session.scalars(select(Practitioner).where(Practitioner.unit_id == unit.id))):
        for weekday in range(5):
            if (weekday + rank) % 5 != 4:
                opens, closes = HOURS[(weekday + rank) % 2]
                weekly = agendas.rule(weekday, opens, closes, first_on=today + timedelta(days=1), step_min=5)
                agendas.template_of(practitioner, unit, offered, weekly)
                if today.weekday() == weekday and calendar.is_business_day(today):
                    actions.open_session(practitioner, unit, today, opens, closes, offered, step_min=5)
    rows = select(ConsultationSession).where(ConsultationSession.unit_id == unit.id)
    return list(session.scalars(rows.where(ConsultationSession.local_date < today + _SHOWN).order_by("start_at", "id")))


def _passers_by(world: "World") -> list[Patient]:
    """People who called: known to the hospital, without an account."""
    made = []
    for number, name in enumerate(NAMES):
        first_name = _FIRST_NAMES[number % len(_FIRST_NAMES)]
        person = people.patient(
            name,
            (first_name,),
            date(1938 + number * 3, 1 + number % 12, 1 + number),
            sex="FM"[number % 2],
            mobile=f"+3363998{500 + number:04d}",
        )
        for hospital, digit in ((world.north, 8), (world.south, 5)):
            people.known_at(person, hospital.establishment.id, f"{digit}09{number:07d}")
        made.append(person)
    return made


def _fill(
    world: "World",
    opened: Sequence[ConsultationSession],
    offered: dict[UUID, list[Reason]],
    callers: Sequence[Patient],
    chance: Random,
) -> None:
    """The nearest days are nearly full; one in three booked online, the others called."""
    agent = world.agents["appointments-agent"]
    at_the_phone = Actor("staff", agent.name, agent.id, rights={"appointments": _hospitals_of(world)})
    # Listed first: each change of actor forgets what was loaded.
    wishes = [
        (Slot(one.id, cell), chance.choice(offered[one.unit_id]).id, at_home(chance.choice(callers)))
        for one in opened
        for cell in range(0, one.n_cells, 6)
        if db.now() < one.at(cell) < db.now() + _FILLED and chance.random() < 0.25
    ]
    online = {why.id for group in offered.values() for why in group if why.bookable_online}
    for slot, reason_id, person in wishes:
        alone = reason_id in online and chance.random() < 0.35
        with (
            suppress(actions.SlotTaken, actions.PatientBusy, actions.NotTheAge),
            _acting(person if alone else at_the_phone),
            session.begin_nested(),
        ):
            take = actions.book if alone else actions.book_by_phone
            take(min(person.patients), reason_id, slot)


def at_home(person: Patient) -> Actor:
    """A patient on the portal, without an account to name."""
    return Actor("patient", person.full_name, patients=frozenset({person.id}))


def _hospitals_of(world: "World") -> frozenset[UUID]:
    return frozenset({world.north.establishment.id, world.south.establishment.id})


@contextmanager
def _acting(actor: Actor) -> Iterator[None]:
    """Whoever books or cancels is named in the appointment's history."""
    system = db.current_actor()
    db.act_as(actor)
    try:
        yield
    finally:
        db.act_as(system)


def _stories(world: "World", units: dict[str, tuple[Unit, list[Reason]]]) -> None:
    """What the people one signs in as find: to come, past, cancelled, a child's, another hospital's."""
    patients = world.patients
    _to_come(patients["dominique"], units["Cardiologie"], after_days=9)
    _to_come(patients["child"], units["Ophtalmologie"], after_days=16, rank=1)
    _to_come(patients["camille"], units["Maternité et gynécologie"], after_days=5)
    given_up = _to_come(patients["dominique"], units["Imagerie médicale"], after_days=20)
    secretary = world.agents["medical-secretary"]
    with _acting(Actor("staff", secretary.name, secretary.id, rights={"appointments": _hospitals_of(world)})):
        actions.cancel_for_patient(given_up, "practitioner_absent")
    _been_to(patients["dominique"], units["Cardiologie"], days_ago=120)
    _been_to(patients["suzanne"], units["Ophtalmologie"], days_ago=45)


def _to_come(person: Patient, where: tuple[Unit, list[Reason]], *, after_days: int, rank: int = 0) -> Appointment:
    """The first free time from that day on, taken online."""
    unit, offered = where
    why, now = offered[rank], db.now()
    day = now.astimezone(unit.establishment.tz).date() + timedelta(days=after_days)
    page = queries.open_slots(why, why.window("web", now), day)
    account = session.scalars(
        select(Account)
        .join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(PatientAccess.patient_id == person.id)
    ).one()
    with _acting(Actor("patient", account.name, account.id, patients=frozenset({person.id}))):
        return actions.book(person.id, why.id, next(iter(page.days.values()))[0].slot)


def _been_to(person: Patient, where: tuple[Unit, list[Reason]], *, days_ago: int) -> None:
    unit, offered = where
    doctor = session.scalars(select(Practitioner).where(Practitioner.unit_id == unit.id).limit(1)).one()
    day = db.now().astimezone(unit.establishment.tz).date() - timedelta(days=days_ago)
    while not calendar.is_business_day(day):
        day -= timedelta(days=1)
    past(person, offered[0], actions.open_session(doctor, unit, day, time(9), time(12), offered))
