"""Signing in and out: attempts used once and bound to one browser, accounts keyed by (issuer, subject)."""

import hashlib
import hmac
import secrets
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select

from auth import sessions
from auth.franceconnect import PivotIdentity
from auth.models import (
    Account,
    Identity,
    Patient,
    PatientAccess,
    Professional,
    SignInAttempt,
    StaffInvitation,
    StaffRight,
)
from auth.oidc import Attempt, SignIn
from auth.practice import actions as practice_actions
from auth.proconnect import AgentIdentity
from auth.prosanteconnect import ProfessionalIdentity
from portal import audit, db, jobs, kpi
from portal.db import Actor, session

ATTEMPT_LIFE = timedelta(minutes=10)
INVITATION_LIFE = timedelta(days=3)


class NotInvited(Exception):
    """The agent proved who they are, but no hospital gave them a right here."""


class InvitationRefused(Exception):
    """The invitation is unknown, used, too old, or for another e-mail."""


class AccountClosed(Exception):
    """The person proved who they are, but their account here is closed."""


class IdentityConflict(Exception):
    """The provider gives to one person the number of somebody else we know; nobody is signed in on a guess."""


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


# -- an attempt under way ----------------------------------------------------------------------------------------


def begin(provider: str, attempt: Attempt, browser: str, next_path: str) -> None:
    """Remember a sign-in that leaves for the provider."""
    session.add(
        SignInAttempt(
            state_digest=digest(attempt.state),
            browser_digest=digest(browser),
            provider=provider,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
            next_path=next_path,
        )
    )


def take(provider: str, state: str, browser: str) -> SignInAttempt | None:
    """The attempt that this callback ends, once; None when it is unknown, old, another browser's or provider's."""
    attempt = session.scalar(
        delete(SignInAttempt).where(SignInAttempt.state_digest == digest(state)).returning(SignInAttempt)
    )
    if attempt is None or attempt.provider != provider or attempt.created_at < db.now() - ATTEMPT_LIFE:
        return None
    return attempt if hmac.compare_digest(attempt.browser_digest, digest(browser)) else None


@jobs.periodic("*/10 * * * *", "auth.forget_attempts")
def forget_attempts() -> None:
    """Delete attempts that nobody finished."""
    with jobs.reading() as current:
        current.execute(delete(SignInAttempt).where(SignInAttempt.created_at < db.now() - ATTEMPT_LIFE))


# -- who came back -----------------------------------------------------------------------------------------------


def patient_account(sign_in: SignIn, identity: PivotIdentity) -> Account:
    """The patient's account; at the first sign-in, a new one with a new patient record of provisional identity.

    Never reconciled by e-mail or by traits: linking to a hospital's record takes a second proof.
    """
    account = _known(sign_in)
    if account is None:
        patient = _new_patient(identity)
        account = _new_account(sign_in, "patient", patient.full_name, identity.email or "")
        session.add(PatientAccess(account_id=account.id, patient_id=patient.id, relation="self"))
    return account


def professional_account(sign_in: SignIn, identity: ProfessionalIdentity) -> Account:
    """The practitioner's account.

    A changed `sub` with the same SubjectNameID is the same person (PSC to PSI); so is a changed SubjectNameID with
    the same `sub` (an intern becomes a doctor). Raises IdentityConflict when the two name two people.
    """
    account = _known(sign_in)
    holder = session.scalar(select(Professional).where(Professional.subject_name_id == identity.subject_name_id))
    if account is None and holder is not None:
        account = session.get_one(Account, holder.account_id)
        session.add(_identity(sign_in, account))
    if account is None:
        account = _new_account(sign_in, "professional", f"{identity.given_name} {identity.family_name}", "")
    professional = holder or _professional_of(account)
    if professional.account_id != account.id:
        raise IdentityConflict
    _describe(professional, identity)
    account.name = professional.full_name
    session.flush()
    return account


def staff_account(sign_in: SignIn, identity: AgentIdentity, invitation: str = "") -> Account:
    """The agent's account. Raises NotInvited without a right or a valid invitation, InvitationRefused."""
    account = _known(sign_in)
    if invitation:
        account = account or _new_account(
            sign_in, "staff", f"{identity.given_name} {identity.usual_name}", identity.email
        )
        _accept(account, invitation, identity.email)
    if account is None or not session.scalar(select(StaffRight).where(StaffRight.account_id == account.id).limit(1)):
        raise NotInvited
    return account


def invite(email: str, rights: tuple[str, ...], establishment_id: UUID | None = None) -> str:
    """Make a one-time invitation, to one hospital or (None) to all, and return its token; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    invitation = StaffInvitation(
        id=uuid4(),
        digest=digest(token),
        email=email.strip().lower(),
        rights=list(rights),
        establishment_id=establishment_id,
        expires_at=db.now() + INVITATION_LIFE,
    )
    session.add(invitation)
    audit.record(
        "invitation.sent",
        establishment_id=establishment_id,
        object_kind="invitation",
        object_id=invitation.id,
        rights=",".join(rights),
    )
    return token


def _accept(account: Account, token: str, email: str) -> None:
    from portal.establishments import establishments

    invitation = session.scalar(
        select(StaffInvitation).where(StaffInvitation.digest == digest(token)).with_for_update(key_share=True)
    )
    if (
        invitation is None
        or invitation.used_at
        or invitation.expires_at < db.now()
        or invitation.email != email.strip().lower()
    ):
        raise InvitationRefused
    invitation.used_at = db.now()
    hospitals = [invitation.establishment_id] if invitation.establishment_id else [e.id for e in establishments()]
    for hospital in hospitals:
        for right in invitation.rights:
            session.merge(StaffRight(account_id=account.id, establishment_id=hospital, right=right))
            audit.record("right.granted", establishment_id=hospital, object_kind="account", object_id=account.id,
                         right=right, invitation=str(invitation.id))  # fmt: skip
    session.flush()


def open_session(account: Account, provider: str, sign_in: SignIn) -> str:
    """Open a session for the account that just proved itself, as that account; return the cookie's token.

    Raises AccountClosed.
    """
    if account.closed_at is not None:
        raise AccountClosed
    db.act_as(Actor(account.audience, account.name, account.id))  # type: ignore[arg-type]
    token = sessions.start(
        account, provider=provider, acr=sign_in.acr, amr=" ".join(sign_in.amr), id_token=sign_in.id_token_raw
    )
    practice_actions.arrive(account, sessions.digest(token))
    audit.record("session.opened", object_kind="account", object_id=account.id, provider=provider, acr=sign_in.acr)
    kpi.count("session_opened", dimension=provider, account_id=account.id)
    return token


def refuse(provider: str, reason: str) -> None:
    """Write down a sign-in that gave nobody."""
    audit.record("sign_in.refused", provider=provider, reason=reason)
    kpi.count("sign_in_refused", dimension=provider)


def close_session(session_id: UUID) -> None:
    """End one of the current actor's own sessions, on the server."""
    sessions.end(session_id)
    audit.record("session.closed", object_kind="account", object_id=db.current_actor().account_id)


def _known(sign_in: SignIn) -> Account | None:
    # Two first sign-ins of one person at once (two tabs): the second waits here and finds what the first made.
    person = f"{sign_in.issuer} {sign_in.subject}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(person, 0))))
    identity = session.scalar(
        select(Identity).where(Identity.issuer == sign_in.issuer, Identity.subject == sign_in.subject)
    )
    if identity is None:
        return None
    identity.last_used_at = db.now()
    return session.get(Account, identity.account_id)


def _new_account(sign_in: SignIn, audience: str, name: str, email: str) -> Account:
    account = Account(id=uuid4(), audience=audience, name=name, email=email)
    session.add(account)
    session.add(_identity(sign_in, account))
    session.flush()
    audit.record("account.created", object_kind="account", object_id=account.id)
    kpi.count("account_created", audience=audience, account_id=account.id)
    return account


def _identity(sign_in: SignIn, account: Account) -> Identity:
    return Identity(
        id=uuid4(), issuer=sign_in.issuer, subject=sign_in.subject, account_id=account.id, last_used_at=db.now()
    )


def _professional_of(account: Account) -> Professional:
    found = session.scalar(select(Professional).where(Professional.account_id == account.id))
    if found is None:
        found = Professional(id=uuid4(), account_id=account.id)
        session.add(found)
    return found


def _describe(professional: Professional, identity: ProfessionalIdentity) -> None:
    """What Pro Santé Connect says of them today."""
    professional.subject_name_id, professional.rpps = identity.subject_name_id, identity.rpps or ""
    professional.family_name, professional.given_name = identity.family_name, identity.given_name
    professional.activities = [asdict(activity) for activity in identity.activities]
    professional.profession = (identity.activities[0].profession or "") if identity.activities else ""


def _new_patient(identity: PivotIdentity) -> Patient:
    patient = Patient(
        id=uuid4(),
        birth_name=identity.birth_name,
        used_name=identity.used_name or "",
        first_names=list(identity.first_names),
        sex=identity.sex,
        birth_on=identity.birth_on,
        birthplace_insee=identity.birthplace_insee,
        birthcountry_insee=identity.birthcountry_insee,
        email=identity.email or "",
    )
    session.add(patient)
    session.flush()
    return patient
