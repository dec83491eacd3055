"""Those who watch over emergency openings are told at once."""

from uuid import UUID

from auth.agents import administrators
from auth.emergencies import mails
from auth.models import Account, EmergencyAccess
from portal import jobs, notifications


@jobs.task("emergencies.alert")
def alert(access_id: str) -> None:
    """Tell the hospital's auditors that a file was opened in an emergency; the agent's own copy says nothing new."""
    with jobs.effect() as current:
        opened = current.get_one(EmergencyAccess, UUID(access_id))
        agent = current.get_one(Account, opened.account_id)
        hospital = administrators.name_of(opened.establishment_id)
        mail = mails.opened(hospital, agent.name)
        administrators.tell(opened.establishment_id, mail, right="audit", but=(agent.id,))


@jobs.task("emergencies.tell_review")
def tell_review(access_id: str) -> None:
    """Tell the agent what was judged."""
    with jobs.effect() as current:
        opened = current.get_one(EmergencyAccess, UUID(access_id))
        agent = current.get_one(Account, opened.account_id)
        mail = mails.reviewed(justified=bool(opened.justified))
        notifications.tell(mail, recipient=agent.email, account_id=agent.id, locale=agent.locale)
