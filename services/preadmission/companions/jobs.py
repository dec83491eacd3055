"""What leaves later: links, news, and the reminder a week before an operation that is not authorised by everybody."""

from uuid import UUID

from auth.models import Account
from portal import audit, db, jobs, notifications
from portal.message_texts import writing
from services.preadmission import queries as preadmission_queries
from services.preadmission.actions import traces
from services.preadmission.companions import mails, queries, reading, secrets
from services.preadmission.companions.models import Companion
from services.preadmission.models import Preadmission


@jobs.task("companions.send_link")
def send_link(companion_id: str, number: int) -> None:
    """Send the last link. Nothing is kept of the message: the link would open a file."""
    with jobs.reading() as current:
        companion = current.get(Companion, UUID(companion_id))
        if companion is None or companion.state != "invited" or companion.link_number != number:
            return
        mail = mails.link(companion.establishment.name, secrets.token_of(companion.id, number, companion.link_digest))
        recipient, words = companion.email, writing.written(mail, "fr", companion.establishment_id)
    notifications.carry(recipient, words.subject, words.body)
    with jobs.effect():
        pass  # a second run of this job sends nothing


@jobs.task("companions.tell")
def tell(companion_id: str) -> None:
    """Tell the companion that something changed; without an account of theirs, nothing: the link tells the rest."""
    with jobs.effect() as current:
        companion = current.get(Companion, UUID(companion_id))
        account = current.get(Account, companion.account_id) if companion and companion.account_id else None
        if companion is not None and account is not None:
            notifications.tell(
                mails.NEWS,
                recipient=account.email or companion.email,
                account_id=account.id,
                locale=account.locale,
                establishment_id=companion.establishment_id,
            )


@jobs.task("companions.tell_patient")
def tell_patient(companion_id: str) -> None:
    """Tell the person, or those who act for them, that somebody answered."""
    with jobs.effect() as current:
        companion = current.get(Companion, UUID(companion_id))
        if companion is not None:
            traces.notify(current.get_one(Preadmission, companion.preadmission_id))


@jobs.periodic("17 7 * * *", "companions.remind_theatre")
def remind_theatre() -> None:
    """A week before: say once, to those who act for the child, that a signature is missing. Urgent care never waits."""
    actor = db.system("companions.remind_theatre")
    with db.transaction(actor):
        near = [each.id for each in queries.waiting_for_theatre()]
    for preadmission_id in near:
        with db.transaction(actor) as current:
            _remind(current.get_one(Preadmission, preadmission_id))


def _remind(preadmission: Preadmission) -> None:
    companions = [each for each in queries.of_file(preadmission.id) if each.role == "holder" and not each.is_over]
    answers = preadmission_queries.answers_of(preadmission.id)
    if any(each.reminded_at for each in companions) or reading.theatre(preadmission, answers).standing == "ready":
        return
    for each in companions:
        each.reminded_at = db.now()
    traces.notify(preadmission)
    audit.record(
        "companion.reminded",
        patient_id=preadmission.patient_id,
        establishment_id=preadmission.establishment_id,
        object_kind="preadmission",
        object_id=preadmission.id,
    )
