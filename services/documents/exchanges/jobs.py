"""Telling people that somebody wrote; what was written stays in the portal."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from auth.after_sign_in import JustSignedIn
from auth.mandates import queries as mandates
from auth.models import Account, Professional
from auth.news import actions as news
from portal import db, establishments, jobs, notifications
from services.documents import mails
from services.documents.exchanges import actions
from services.documents.exchanges.models import Exchange
from services.documents.models import RIGHT

MAILBOX_SETTING: Final = "documents_email"
"""The address of a hospital that is told when a practitioner writes."""


@jobs.task("documents.tell_professional")
def tell_professional(exchange_id: str) -> None:
    """Tell the practitioner that a unit has written, when their account has an address; or, by a link, whoever has no
    account yet."""
    with jobs.effect() as current:
        exchange = current.get_one(Exchange, UUID(exchange_id))
        mail = mails.new_answer(f"/pro/echanges/{exchange.id}")
        if exchange.professional_id is None:
            notifications.tell(mail, recipient=exchange.email)
            return
        account = current.get_one(Account, current.get_one(Professional, exchange.professional_id).account_id)
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


@jobs.task("documents.tell_unit")
def tell_unit(exchange_id: str) -> None:
    """Tell the unit's agents and the hospital's documents mailbox, when it has one, that a practitioner has written."""
    with jobs.effect() as current:
        exchange = current.get_one(Exchange, UUID(exchange_id))
        actions.stand_in(exchange)
        mailbox = establishments.setting(exchange.establishment_id, MAILBOX_SETTING)
        path = f"/admin/documents/echanges/{exchange.id}"
        notifications.tell(mails.new_exchange(path), recipient=mailbox)
        if exchange.unit_id is not None:
            news.tell_unit(exchange.unit_id, RIGHT, kind="messages", path=path)


@jobs.task("documents.tell_correspondent")
def tell_correspondent(exchange_id: str) -> None:
    """Tell everyone who may read a patient's thread that a unit has written."""
    with jobs.effect() as current:
        exchange = current.get_one(Exchange, UUID(exchange_id))
        if exchange.patient_id is None:
            return
        for account in mandates.accounts_to_tell(exchange.patient_id, "medical", masked=exchange.masked):
            notifications.tell(
                mails.new_document(),
                recipient=account.email,
                account_id=account.account_id,
                patient_id=exchange.patient_id,
                locale=account.locale,
            )


def claim_threads(who: JustSignedIn) -> None:
    """After each sign-in by Pro Santé Connect: the threads that waited for this practitioner are theirs."""
    with db.transaction(db.system("documents.claim_threads")) as current:
        professional = current.scalar(select(Professional).where(Professional.account_id == who.account_id))
        if professional:
            actions.claim(professional)
