"""What units take by referral, and requests of practitioners."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from auth.models import Professional
from portal import db, files
from portal.db import session
from portal.establishments import Unit
from services.documents import cda
from services.referrals.actions import answering, leaving, offers, sending
from services.referrals.actions.offers import OfferDraft
from services.referrals.actions.sending import Joined, Request, Wanted
from services.referrals.drafts import actions as drafts
from services.referrals.drafts.content import Content
from services.referrals.forms import TAKEN
from services.referrals.models import Referral, ReferralOffer
from services.sent_patients.actions import Described
from tests.factories import documents, people

if TYPE_CHECKING:
    from tests.factories.demonstration import World

ODILE = Described("FERRAND", "Odile", date(1951, 2, 3), "F", "06 99 00 10 20", "")


def offer(ward: Unit, kind: str = "consultation", name: str = "Avis et consultation", **rules: Any) -> ReferralOffer:
    """Something a unit takes; its grid is the usual one unless rules say more."""
    return offers.open_offer(ward, OfferDraft(kind, name, **rules))


def request(*wanted: ReferralOffer, described: Described = ODILE, urgency: str = "two_days", **facts: Any) -> Request:
    """A request to these units, in this order."""
    told: dict[str, Any] = {"question": "Dyspnée d’effort depuis trois semaines. Votre avis ?"}
    asked = [Wanted(each.id) for each in wanted]
    return Request(described=described, kind=wanted[0].kind, urgency=urgency, wanted=asked, **told | facts)


def send(by: Professional, *wanted: ReferralOffer, **facts: Any) -> Referral:
    """As the practitioner sends it; whoever acted before acts again."""
    before = db.current_actor()
    db.act_as(people.as_professional(by))
    made = sending.send(request(*wanted, **facts), professional=by)
    db.act_as(before)
    return made


def demonstrate(world: "World") -> None:
    """Dr Roumillac asked two hospitals; units answered some of it."""
    cardiology = offer(
        world.north.unit,
        name="Consultation de cardiologie",
        requires="Un électrocardiogramme de moins d’un mois et les traitements en cours.",
        usual_days=12,
        phone="01 99 00 10 42",
        files=(
            {"code": "letter", "label": "Courrier d’adressage", "required": False},
            {"code": "ecg", "label": "Électrocardiogramme", "required": False},
        ),
    )
    elsewhere = offer(world.south.unit, name="Consultation spécialisée", usual_days=20, phone="01 99 00 20 42")
    advice = offer(world.north.unit, "opinion", "Avis du cardiologue", usual_days=2, phone="01 99 00 10 42")
    doctor = world.professionals["roumillac"]
    send(doctor, cardiology, elsewhere, files=_letters(doctor))
    _leave_a_draft(doctor, cardiology)
    marc = Described("ABITBOL", "Marc", date(1964, 11, 20), "M", "", "")
    asked = send(doctor, advice, described=marc, question="HTA résistante sous trithérapie : que proposer ?")
    theo = Described("NICOLAS", "Théo", date(2001, 4, 9), "M", "", "")
    refused = send(doctor, cardiology, elsewhere, described=theo, urgency="month")
    session.flush()
    system = db.current_actor()
    here = world.north.establishment.id
    db.act_as(people.as_agent(world.agents["medical-secretary"], here, "referrals", "documents", "appointments"))
    answering.ask(asked.targets[0], "Merci de joindre la dernière mesure ambulatoire de la pression artérielle.")
    advice = "Nos délais dépassent deux mois ; le CH des Deux Rives a des places."
    answering.refuse(refused.targets[0], "no_place", advice)
    db.act_as(system)
    _in_each_state(world, cardiology, elsewhere)


def _letters(doctor: Professional) -> list[Joined]:
    """A letter that carries a sheet, and one that carries its own words; the practitioner's own already."""
    about = cda.Patient(birth_name="FERRAND", first_name="Odile", sex="F", birth_on=ODILE.birth_on)
    words = (("Motif", "Dyspnée d’effort depuis trois semaines."), ("Traitement", "Bisoprolol 2,5 mg le matin."))
    with_sheet = documents.stored(documents.letter(about), "courrier.xml", kinds=TAKEN)
    with_words = documents.stored(documents.structured(about, words), "synthese.xml", kinds=TAKEN)
    for each in (with_sheet, with_words):
        files.attach(each.id, professional_id=doctor.id)
    return [Joined(with_sheet.id, "letter", kept=True), Joined(with_words.id, kept=True)]


def _leave_a_draft(doctor: Professional, wanted: ReferralOffer) -> None:
    """A request that the practitioner was called away from."""
    before = db.current_actor()
    db.act_as(people.as_professional(doctor))
    told = Content(
        "GUILLEMOT", "Yannick", date(1949, 8, 17), "M", mobile="06 99 00 10 66", kind=wanted.kind,
        question="Syncope à l’effort la semaine dernière. Votre avis ?", offers=(wanted.id,),
    )  # fmt: skip
    drafts.begin(doctor.id, told)
    db.act_as(before)


_PEOPLE = (
    Described("LEMOINE", "Geneviève", date(1944, 6, 12), "F", "06 99 00 10 31", ""),
    Described("BENOIT", "Luc", date(1958, 1, 30), "M", "", ""),
    Described("DE LA ROCHEFOUCAULD-MONTBEL", "Anne-Charlotte", date(1936, 9, 2), "F", "01 99 00 10 77", ""),
    Described("TRAORE", "Fatou", date(1989, 3, 21), "F", "06 99 00 10 54", ""),
    Described("PETIT", "Jean", date(1971, 12, 5), "M", "06 99 00 10 12", ""),
)


def _in_each_state(world: "World", cardiology: ReferralOffer, elsewhere: ReferralOffer) -> None:
    """One late, one in charge of somebody, one accepted, one done, one that the patient does not want."""
    stay = offer(
        world.north.unit, "hospitalisation", "Hospitalisation directe en cardiologie", phone="01 99 00 10 42",
        urgencies=(
            {"code": "now", "label": "Aujourd’hui", "when": "Il ne peut pas rester chez lui", "answer_hours": 0},
            {"code": "two_days", "label": "Sous 48 heures", "when": "Décompensation modérée", "answer_hours": 24},
        ),
        escalate_to="cadre.cardiologie@exemple.test",
    )  # fmt: skip
    offer(world.south.unit, "follow_up", "Soins de suite et de réadaptation", usual_days=6, phone="01 99 00 20 42")
    doctor = world.professionals["roumillac"]
    wanted = ((stay,), (cardiology, elsewhere), (cardiology,), (cardiology,), (cardiology,))
    sent = [send(doctor, *units, described=told) for units, told in zip(wanted, _PEOPLE, strict=True)]
    targets = [each.targets[0] for each in sent]
    targets[0].received_at, targets[0].answer_by = db.now() - timedelta(days=4), db.now() - timedelta(hours=30)
    session.flush()
    system, agent = db.current_actor(), world.agents["medical-secretary"]
    db.act_as(people.as_agent(agent, world.north.establishment.id, "referrals", "documents", "appointments"))
    answering.assign(targets[1], agent.id, agent.name)
    visit = (db.now() + timedelta(days=9)).replace(hour=9, minute=30, second=0, microsecond=0)
    answering.accept(targets[2], answering.Outcome("appointment", None, visit), "À jeun.")
    answering.give_opinion(targets[3], "Pas d’argument pour une coronarographie : épreuve d’effort dans trois mois.")
    db.act_as(system)
    leaving.object_(sent[4])
