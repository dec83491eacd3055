"""Lost factors: the hospital's desk checks who stands there, and prints a code that lets them choose others.

The code alone opens nothing: it takes a session of the person too, that FranceConnect opened.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update

from auth.factors import actions, codes, mails, sealing
from auth.factors.actions import WrongCode
from auth.factors.models import FactorReset
from auth.local import actions as local
from auth.models import Account, PatientAccess, PatientRecord
from portal import audit, db
from portal.db import session
from portal.establishments import Establishment

LIFE = timedelta(minutes=15)
DOCUMENTS = ("id_card", "passport", "residence_permit", "driving_licence")


class NoAccount(Exception):
    """The hospital does not know this patient, or they have no account of their own."""


@dataclass(frozen=True)
class Given:
    """What to print: a code to write once signed in with FranceConnect, or the link of an account without it."""

    code: str = ""
    token: str = ""


def help_lost(patient_id: UUID, establishment_id: UUID, document: str) -> Given:
    """Help the person whose identity document the agent has just checked. Raises NoAccount."""
    account = _account_of(patient_id, establishment_id)
    if account is None:
        raise NoAccount
    if not _signs_in_locally(account.id):
        return Given(code=give_code(patient_id, establishment_id, document))
    audit.record("factor_reset.issued", patient_id=patient_id, establishment_id=establishment_id,
                 object_kind="account", object_id=account.id, document=document)  # fmt: skip
    return Given(token=local.invite(account.id, printed=True))


def give_code(patient_id: UUID, establishment_id: UUID, document: str) -> str:
    """Print a code for the person whose identity document the agent has just checked; return it, never kept.

    Codes given before no longer serve. Raises NoAccount.
    """
    account, hospital = _account_of(patient_id, establishment_id), session.get_one(Establishment, establishment_id)
    agent = db.current_actor()
    if account is None or agent.account_id is None:
        raise NoAccount
    code = codes.for_paper(groups=3)
    row = FactorReset(
        id=uuid4(),
        account_id=account.id,
        patient_id=patient_id,
        establishment_id=establishment_id,
        issued_by=agent.account_id,
        document=document,
        digest=_digests(account.id, code)[0],
        expires_at=db.now() + LIFE,
    )
    audit.record("factor_reset.issued", patient_id=patient_id, establishment_id=establishment_id,
                 object_kind="account", object_id=account.id, document=document)  # fmt: skip
    hospital_name = hospital.name
    db.act_as(db.system("auth.factor_reset"))
    _void(account.id)
    session.add(row)
    mails.reset_given(account, hospital_name)
    session.flush()
    db.act_as(agent)
    return code


def use(account: Account, code: str) -> None:
    """Remove every factor of the account with the desk's code, once. Raises WrongCode."""
    digests = _digests(account.id, code)
    mine = FactorReset.account_id == account.id, FactorReset.digest.in_(digests), FactorReset.used_at.is_(None)
    spent = update(FactorReset).where(*mine, FactorReset.expires_at > db.now()).values(used_at=db.now())
    reset = session.execute(spent.returning(FactorReset.patient_id, FactorReset.establishment_id)).one_or_none()
    if reset is None:
        raise WrongCode
    actions.remove_all(account.id)
    audit.record("factor_reset.used", patient_id=reset.patient_id, establishment_id=reset.establishment_id,
                 object_kind="account", object_id=account.id)  # fmt: skip
    mails.reset_done(account)


def is_known(patient_id: UUID, establishment_id: UUID) -> bool:
    """Whether the hospital knows this patient."""
    known = PatientRecord.patient_id == patient_id, PatientRecord.establishment_id == establishment_id
    return session.scalar(select(PatientRecord.patient_id).where(*known)) is not None


def account_of(patient_id: UUID, establishment_id: UUID) -> Account | None:
    """The patient's own account, when the hospital knows this patient and they have one that is open."""
    return _account_of(patient_id, establishment_id)


def _account_of(patient_id: UUID, establishment_id: UUID) -> Account | None:
    """As the system, once it is sure that the agent's hospital knows the patient: agents see no account."""
    if not is_known(patient_id, establishment_id):
        return None
    agent = db.current_actor()
    db.act_as(db.system("auth.factor_reset"))
    own = PatientAccess.patient_id == patient_id, PatientAccess.relation == "self", PatientAccess.revoked_at.is_(None)
    account = session.scalar(
        select(Account).join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(*own, Account.closed_at.is_(None))
    )  # fmt: skip
    if account is not None:
        session.expunge(account)
    db.act_as(agent)
    return account


def _signs_in_locally(account_id: UUID) -> bool:
    agent = db.current_actor()
    db.act_as(db.system("auth.factor_reset"))
    found = local.is_local(account_id)
    db.act_as(agent)
    return found


def _void(account_id: UUID) -> None:
    unused = FactorReset.account_id == account_id, FactorReset.used_at.is_(None)
    session.execute(update(FactorReset).where(*unused).values(used_at=db.now()))


def _digests(account_id: UUID, code: str) -> tuple[bytes, ...]:
    return sealing.digests("desk", account_id, codes.letters_of(code))
