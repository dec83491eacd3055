"""Fictional requests to hospitals, in each state."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import update

from auth.models import Account, Patient
from portal import establishments
from portal.db import Actor, session
from portal.establishments import Establishment
from portal.files import StoredFile
from services.documents.requests import actions
from services.documents.requests.actions.delivering import Item
from services.documents.requests.kinds import KINDS
from services.documents.requests.models import RecordRequest, RecordRequestAnswer
from services.documents.requests.queries import Desk
from tests.factories import documents, people
from tests.factories.requests import acting

if TYPE_CHECKING:
    from tests.factories.demonstration import World

FACTS: dict[str, dict[str, Any]] = {
    "record": {"extent": "all", "pieces": ["reports", "results"], "delivery": "here"},
    "situation": {"admitted_on": "2026-03-02", "discharged_on": "2026-03-05", "for_whom": "employer"},
    "presence": {"visit_on": "2026-03-02", "from_at": "09:00", "until_at": "10:30", "for_whom": "employer"},
    "complaint": {"place": "Accueil", "anonymous": False, "answer_expected": True, "mediation": "none"},
    "thanks": {"place": "Maternité", "may_pass_on": True, "anonymous": False},
}


def drafted(
    person: Patient | None, place: Establishment, kind: str = "record", quality: str = "patient", **more: Any
) -> RecordRequest:
    """A draft of the current actor's, filled in."""
    columns = {
        name: more.pop(name) for name in ("text", "masked", "birth_name", "first_name", "birth_on") if name in more
    }
    known = more.pop("identity_known", True)
    made = actions.begin(person, place, KINDS[kind], quality, identity_known=known)
    if kind in ("complaint", "thanks"):
        columns.setdefault("text", "Bonjour, voici ce que j’ai à dire.")
    actions.fill(made, FACTS[kind] | more, **columns)
    return made


def sent(person: Patient, account: Account, place: Establishment, kind: str = "record", **more: Any) -> RecordRequest:
    """What somebody asks about themselves."""
    with acting(people.as_patient(account, person)):
        made = actions.send(drafted(person, place, kind, **more))
        session.flush()
    session.refresh(made)
    return made


def as_desk(agent: Account, place: Establishment, right: str = "documents") -> Actor:
    return people.as_agent(agent, place.id, right)


def desk_of(place: Establishment, right: str = "documents") -> Desk:
    return Desk(right, frozenset({place.id}))


def aged(request: RecordRequest, days: int) -> None:
    """As if everything of it so far had happened so many days before."""
    back = timedelta(days=days)
    session.flush()
    session.execute(
        update(RecordRequest)
        .where(RecordRequest.id == request.id)
        .values(
            sent_at=RecordRequest.sent_at - back,
            complete_at=RecordRequest.complete_at - back,
            changed_at=RecordRequest.changed_at - back,
            closed_at=RecordRequest.closed_at - back,
            due_on=RecordRequest.due_on - days,
        )
    )
    session.refresh(request)


def pdf_of(agent: Account, name: str, *lines: str) -> UUID:
    """A file of this agent's, made by the system: uploads commit on their own, and the agent may not be there yet."""
    made = session.get_one(StoredFile, documents.stored(documents.pdf(*lines), name).id)
    made.account_id = agent.id
    session.flush()
    return made.id


# -- the demonstration -------------------------------------------------------------------------------------------

_TEMPLATES = (
    ("documents", "record", "Pièce d’identité à joindre", "Bonjour,\n\nMerci de joindre la copie recto verso de votre"
     " pièce d’identité : la loi nous demande de la vérifier. Le délai de réponse commencera à ce moment-là.\n\nLe"
     " bureau des archives médicales"),
    ("documents", "", "Nous cherchons", "Bonjour,\n\nNous recherchons les pièces demandées auprès du service et"
     " revenons vers vous ici même.\n\nBien à vous"),
    ("administration", "complaint", "Accusé de réception", "Bonjour,\n\nNous avons bien lu votre message et demandons"
     " au service ce qui s’est passé. Vous pouvez à tout moment rencontrer un médiateur.\n\nLa direction des usagers"),
)  # fmt: skip
_COMPLAINT = (
    "Bonjour,\n\nJ’ai attendu plus de deux heures aux admissions, sans que personne ne me dise pourquoi. Je"
    " comprends que le service soit chargé, mais une information aurait suffi."
)


def demonstrate(world: "World") -> None:
    """Requests of each kind, waiting, late, lacking a proof, answered, refused."""
    north = world.north.establishment
    for key, value in (
        ("contact", "01 99 00 10 20, du lundi au vendredi de 9 h à 16 h"),
        ("copy_cost", "0,18 € la page, 2,75 € le disque, plus le timbre"),
        ("signer", "Pour le directeur, le bureau des admissions"),
    ):
        establishments.change_setting(north.id, f"requests.{key}", value)
    for desk, kind, title, body in _TEMPLATES:
        session.add(RecordRequestAnswer(establishment_id=north.id, desk=desk, kind=kind, title=title, body=body))
    _files(world)
    _certificates(world)
    _words(world)


def _account(person: Patient) -> Account:
    from tests.factories.demonstration import account_of

    return session.get_one(Account, account_of(person))


def _by(world: "World", name: str, kind: str, days: int = 0, **more: Any) -> RecordRequest:
    person = world.patients[name]
    made = sent(person, _account(person), world.north.establishment, kind, **more)
    if days:
        aged(made, days)
    return made


def _files(world: "World") -> None:
    north, agent = world.north.establishment, world.agents["medical-secretary"]
    desk, actor = desk_of(north), as_desk(agent, north)
    _by(world, "suzanne", "record", 9, text="Surtout le compte rendu de l’opération de 2024.")
    _by(world, "dominique", "record", text="Mon séjour en cardiologie.", extent="period", from_on="2026-01-05")
    asked = _by(world, "yacine", "record", 3, delivery="post", address="4 rue des Lilas\n91990 Arceau")
    answered = _by(world, "dominique", "record", 20, extent="period", from_on="2025-02-01", until_on="2025-02-28")
    refused = _by(world, "camille", "record", 12)
    copy = pdf_of(agent, "Dossier 2025.pdf", "Copie du dossier")
    with acting(actor):
        text = "Bonjour, merci de joindre une pièce d’identité recto verso."
        actions.ask_for(desk, asked.id, ["identity"], text, version=asked.version)
        item = Item(copy, "Copie du dossier, février 2025")
        actions.deliver(desk, answered.id, [item], "Voici votre dossier.", version=answered.version)
        text = "Nous n’avons aucun séjour à votre nom : vous avez été suivie à l’Hôpital des Deux-Rives."
        actions.refuse(desk, refused.id, "other_hospital", text, version=refused.version)


def _certificates(world: "World") -> None:
    north, agent = world.north.establishment, world.agents["medical-secretary"]
    taken = _by(world, "jean-marie", "situation", 1)
    _by(world, "dominique", "presence")
    with acting(as_desk(agent, north)):
        actions.take(desk_of(north), taken.id, version=taken.version)


def _words(world: "World") -> None:
    north, agent = world.north.establishment, world.agents["administrator"]
    complaint = _by(world, "suzanne", "complaint", 6, text=_COMPLAINT, mediation="other")
    _by(world, "camille", "thanks", 2, text="Merci à toute l’équipe pour votre gentillesse pendant l’accouchement.")
    with acting(as_desk(agent, north, "administration")):
        text = "Bonjour, nous demandons au service ce qui s’est passé ce jour-là."
        actions.write(desk_of(north, "administration"), complaint.id, text, version=complaint.version)
