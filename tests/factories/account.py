"""What people of the demonstration control: agreements given, known devices, who opened their file, a request."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from auth.account import actions, texts
from auth.account.models import DataRequest, KnownDevice
from auth.models import Account, Patient
from portal import audit, db, establishments
from portal.db import Actor, session
from tests.factories import people
from tests.factories.demonstration import World, account_of

_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Mobile Safari/605.1"
_LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def demonstrate(world: World) -> None:
    """As each person in turn, inside the demonstration's transaction."""
    system = db.current_actor()
    establishments.change_setting(world.south.establishment.id, "show_agent_names", "yes")
    session.flush()
    _agree()
    _open_files(world)
    _know_devices(world.patients["dominique"])
    _ask(world)
    db.act_as(system)


def _agree() -> None:
    everybody = [Actor(each.audience, each.name, each.id) for each in session.scalars(select(Account))]
    for actor in everybody:
        db.act_as(actor)
        for text in texts.in_force(actor.kind):
            actions.accept(text, "fr", provider="demonstration")
    db.act_as(db.system("demonstration"))


def _open_files(world: World) -> None:
    """Agents of both hospitals looked at Dominique's and Zoé's files."""
    north, south = world.north.establishment.id, world.south.establishment.id
    dominique, child = world.patients["dominique"].id, world.patients["child"].id
    agents = {key: people.as_agent(account, north, "billing") for key, account in world.agents.items()}
    for patient_id, agent, place, action, kind in (
        (dominique, "appointments-agent", north, "appointment.opened", "appointment"),
        (dominique, "admissions-clerk", south, "preadmission.opened", "preadmission"),
        (dominique, "billing-agent", north, "bill.opened", "bill"),
        (child, "billing-agent", north, "bill.opened", "bill"),
    ):
        db.act_as(agents[agent])
        audit.record(action, patient_id=patient_id, establishment_id=place, object_kind=kind)
    db.act_as(db.system("demonstration"))


def _know_devices(person: Patient) -> None:
    account_id = account_of(person)
    for number, browser in enumerate((_LAPTOP, _PHONE)):
        session.add(
            KnownDevice(
                account_id=account_id,
                digest=f"demonstration {number}".encode(),
                browser=browser,
                first_seen_at=db.now() - timedelta(days=90 - 30 * number),
                last_seen_at=db.now() - timedelta(days=1 + number),
            )
        )
    session.flush()


def _ask(world: World) -> None:
    """One request that waits and is nearly late, one that was answered, and a copy that is being prepared."""
    person, north = world.patients["dominique"], world.north.establishment
    person_id, north_id, account_id = person.id, north.id, account_of(person)
    agent = people.as_agent(world.agents["administrator"], north_id, "identity")
    db.act_as(Actor("patient", person.full_name, account_id, patients=frozenset({person_id})))
    waiting = actions.ask_hospital(
        person_id, north, "rectification", "Mon adresse : j’habite au 8, et non au 18.", "J’ai déménagé en mars."
    ).id
    answered = actions.ask_hospital(person_id, north, "deletion", "Le compte rendu de ma dernière consultation", "").id
    actions.ask_for_export(person_id, person_id)
    db.act_as(agent)
    actions.answer_request(
        answered,
        frozenset({north_id}),
        "refused",
        "Le dossier médical est conservé vingt ans (code de la santé publique, article R. 1112-7). Nous y avons joint"
        " vos remarques. Vous pouvez saisir la CNIL.",
    )
    db.act_as(db.system("demonstration"))
    _backdate(waiting, 27)


def _backdate(request_id: UUID, days: int) -> None:
    ago = timedelta(days=days)
    session.execute(
        update(DataRequest)
        .where(DataRequest.id == request_id)
        .values(received_at=DataRequest.received_at - ago, due_on=DataRequest.due_on - days)
    )
