"""Questionnaires of the demonstration: a small library written for it, plans, and some in each state."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from auth.models import Patient
from portal import calendar as days
from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.questionnaires import actions, answers, calendar, states
from services.questionnaires.actions import definitions, plans
from services.questionnaires.actions.plans import Wish
from services.questionnaires.actions.traces import record
from services.questionnaires.definition.items import Answers, Coding
from services.questionnaires.definition.parsing import parse
from services.questionnaires.models import (
    AlertNote,
    Questionnaire,
    QuestionnaireAnswers,
    QuestionnaireDraft,
    SentQuestionnaire,
)
from tests.factories.demonstration import World, account_of

LIBRARY = Path(__file__).parent
ANAESTHESIA = "appel-avant-l-anesthesie"
NEXT_DAY = "lendemain-de-chirurgie-ambulatoire"
ONE_MONTH = "un-mois-apres"
ALLERGIES = "allergies-et-mobilite"
PREGNANCY = "grossesse-premiers-renseignements"

_PAIN: Answers = {"pain": (8,), "relieved": (Coding("no"),), "dressing": (Coding("spot"),), "redness": (True,),
                  "signs": (Coding("fever"),), "eaten": (True,),
                  "more": ("Le pansement me serre depuis hier soir.",)}  # fmt: skip
_FINE: Answers = {"pain": (2,), "relieved": (Coding("yes"),), "dressing": (Coding("dry"),), "redness": (False,),
                  "signs": (Coding("nothing"),), "eaten": (True,), "slept": (True,)}  # fmt: skip
_ALLERGIC: Answers = {"any": (True,), "what": (Coding("latex"), "les fraises"), "reaction": (Coding("skin"),),
                      "walk": (Coding("stick"),), "fall": (False,), "aids": (Coding("glasses"),)}  # fmt: skip


def questionnaire(establishment_id: UUID, code: str = NEXT_DAY, *, published: bool = True) -> Questionnaire:
    """One of the library, published unless said otherwise."""
    made = definitions.start(establishment_id, parse((LIBRARY / f"{code}.json").read_text(encoding="utf-8")), code)
    if published:
        definitions.publish(made)
    return made


def sent(
    patient: Patient, unit: Unit, asked: Questionnaire, *, days_ago: int = 0, answer_days: int = 7
) -> SentQuestionnaire:
    """Sent by hand, so many days ago."""
    at = db.now() - timedelta(days=days_ago)
    tz = session.get_one(Establishment, unit.establishment_id).tz
    made = SentQuestionnaire(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        patient_id=patient.id,
        unit_id=unit.id,
        questionnaire_id=asked.id,
        state=states.WAITING,
        sent_at=at,
        until_at=calendar.until(days.civil_day(at, tz), answer_days, tz),
        remind_after=[2],
    )
    session.add(made)
    session.flush()
    record(made, "sent", "")
    return made


def answered(one: SentQuestionnaire, given: Answers, *, by_name: str = "", by: str = "patient") -> QuestionnaireAnswers:
    """Answered as the person would."""
    alerts = len(answers.alerts(one.definition, given))
    made = QuestionnaireAnswers(
        id=uuid4(),
        sent_id=one.id,
        patient_id=one.patient_id,
        establishment_id=one.establishment_id,
        version=one.answer_version + 1,
        sealed=answers.dump(given),
        alerts=alerts,
        answered_at=min(db.now(), one.sent_at + timedelta(hours=5)),
        by=by,
        by_name=by_name,
    )
    session.add(made)
    before, one.state = one.state, states.ANSWERED
    one.answer_version, one.answered_at, one.closed_at = made.version, made.answered_at, made.answered_at
    one.alert = states.ALERT_OPEN if alerts else states.NO_ALERT
    session.flush()
    record(one, "answered", before)
    return made


def drafted(one: SentQuestionnaire, given: Answers) -> None:
    """Begun and not sent."""
    session.add(
        QuestionnaireDraft(
            sent_id=one.id,
            patient_id=one.patient_id,
            establishment_id=one.establishment_id,
            sealed=answers.dump(given),
            changed_at=db.now(),
        )
    )
    before, one.state = one.state, states.BEGUN
    session.flush()
    record(one, "begun", before)


def demonstrate(world: World) -> None:
    """The library in the north, one of it shared; plans; each state for one patient or another."""
    north, surgery = world.north.establishment, _surgery(world)
    library = {code: questionnaire(north.id, code) for code in (ANAESTHESIA, NEXT_DAY, ONE_MONTH, ALLERGIES)}
    definitions.share(library[ALLERGIES], shared=True)
    questionnaire(world.south.establishment.id, PREGNANCY)
    definitions.renew(library[ANAESTHESIA])
    _plan(world, surgery)
    _send(world, surgery, library)


def _surgery(world: World) -> Unit:
    units = session.query(Unit).filter(Unit.establishment_id == world.north.establishment.id)
    return units.filter(Unit.uf == "1310").one()


def _plan(world: World, surgery: Unit) -> None:
    here = world.north.establishment.id
    for code, offset, answer_days in ((ANAESTHESIA, -2, 2), (NEXT_DAY, 1, 3), (ONE_MONTH, 30, 14)):
        plans.add(Wish(here, code, "preadmission", surgery.id, "", offset, answer_days, (1,)))
    stopped = plans.add(Wish(here, ALLERGIES, "appointments", world.north.unit.id, "", -7, 5, (2, 4)))
    plans.stop(stopped)


def _send(world: World, surgery: Unit, library: dict[str, Questionnaire]) -> None:
    people = world.patients
    dominique, suzanne = people["dominique"], people["suzanne"]
    sent(dominique, surgery, library[ANAESTHESIA], answer_days=3)
    drafted(sent(dominique, world.north.unit, library[ALLERGIES]), {"any": (True,), "what": (Coding("latex"),)})
    by = f"patient:{account_of(dominique)}"
    answered(sent(dominique, surgery, library[NEXT_DAY], days_ago=1), _PAIN, by_name=dominique.full_name, by=by)
    sent(dominique, surgery, library[ONE_MONTH], days_ago=40)
    seen = sent(suzanne, world.north.unit, library[ALLERGIES], days_ago=3)
    answered(seen, _ALLERGIC, by_name=suzanne.full_name)
    _see(seen)
    answered(sent(people["yacine"], surgery, library[NEXT_DAY], days_ago=2), _FINE, by_name=people["yacine"].full_name)
    sent(people["child"], surgery, library[ANAESTHESIA], answer_days=3)
    taken_back = sent(people["camille"], surgery, library[NEXT_DAY], days_ago=1)
    actions.take_back(taken_back)


def _see(one: SentQuestionnaire) -> None:
    session.add(
        AlertNote(
            id=uuid4(),
            sent_id=one.id,
            patient_id=one.patient_id,
            establishment_id=one.establishment_id,
            version=one.answer_version,
            note="Rappelée : chambre sans latex demandée, bracelet prévu.",
            by="staff",
            by_name="Inès Cadre",
            at=db.now() - timedelta(days=2),
        )
    )
    one.alert = states.ALERT_SEEN
    session.flush()
    record(one, "alert_seen")
