"""Signing in and out: attempts used once and bound to one browser, accounts keyed by (issuer, subject)."""

import hashlib
import hmac
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from auth import identities, returning, sessions
from auth.agents import arrivals
from auth.agents.actions import InvitationRefused as InvitationRefused
from auth.agents.actions import Proof
from auth.agents.arrivals import NotInvited as NotInvited
from auth.franceconnect import PivotIdentity
from auth.identities import IdentityConflict
from auth.identity import actions as traits
from auth.models import (
    Account,
    Patient,
    PatientAccess,
    Professional,
    SignInAttempt,
    WebSession,
)
from auth.oidc import Attempt, SignIn
from auth.practice import actions as practice_actions
from auth.proconnect import AgentIdentity
from auth.prosanteconnect import ProfessionalIdentity
from portal import audit, db, jobs, kpi
from portal.db import Actor, session

ATTEMPT_LIFE = timedelta(minutes=10)


class AccountClosed(Exception):
    """The person proved who they are, but their account here is closed."""


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


# -- an attempt under way ----------------------------------------------------------------------------------------


def begin(
    provider: str, attempt: Attempt, browser: str, next_path: str, *, audience: str = "", invitation: str = ""
) -> None:
    """Remember a sign-in that leaves for the provider."""
    session.add(
        SignInAttempt(
            state_digest=digest(attempt.state),
            browser_digest=digest(browser),
            provider=provider,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
            next_path=next_path,
            audience=audience,
            invitation=invitation,
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


SESSIONS_KEPT = timedelta(days=30)
"""After the last moment when it could have been used. Who came, and when, stays in the journal."""
_AT_ONCE = 5_000


@jobs.periodic("29 3 * * *", "auth.forget_sessions")
def forget_sessions() -> None:
    """Delete sessions that are long over, a few thousand in each transaction: nobody who signs in waits for them."""
    over = select(WebSession.id).where(WebSession.expires_at < db.now() - SESSIONS_KEPT).limit(_AT_ONCE)
    forget = delete(WebSession).where(WebSession.id.in_(over)).returning(WebSession.id)
    gone = _AT_ONCE
    while gone == _AT_ONCE:
        with jobs.reading() as current:
            gone = len(current.scalars(forget).all())


# -- who came back -----------------------------------------------------------------------------------------------


def patient_account(sign_in: SignIn, identity: PivotIdentity) -> Account:
    """The patient's account; at the first sign-in, a new one with a new patient record of provisional identity.

    Never reconciled by e-mail or by traits: linking to a hospital's record takes a second proof. Somebody who resembles
    a patient of a hospital (a civil-status change gives a new subject) waits there for its identity unit.
    """
    account = identities.known(sign_in)
    if account is None:
        patient = _new_patient(identity)
        account = identities.open_account(sign_in, "patient", patient.full_name, identity.email or "")
        session.add(PatientAccess(account_id=account.id, patient_id=patient.id, relation="self"))
        session.flush()
        traits.note_duplicates(patient, has_account=True)
    elif (known := _own_patient(account)) is not None:
        traits.refresh_traits(known, identity)
        account.name = known.full_name
    return account


def _own_patient(account: Account) -> Patient | None:
    mine = (PatientAccess.account_id == account.id) & (PatientAccess.relation == "self")
    return session.scalar(select(Patient).join(PatientAccess, PatientAccess.patient_id == Patient.id).where(mine))


def professional_account(sign_in: SignIn, identity: ProfessionalIdentity) -> Account:
    """The practitioner's account.

    A changed `sub` with the same SubjectNameID is the same person (PSC to PSI); so is a changed SubjectNameID with
    the same `sub` (an intern becomes a doctor). Raises IdentityConflict when the two name two people.
    """
    account = identities.known(sign_in)
    holder = session.scalar(select(Professional).where(Professional.subject_name_id == identity.subject_name_id))
    if account is None and holder is not None:
        account = session.get_one(Account, holder.account_id)
        identities.add(sign_in, account)
    if account is None:
        account = identities.open_account(sign_in, "professional", f"{identity.given_name} {identity.family_name}", "")
    professional = holder or _professional_of(account)
    if professional.account_id != account.id:
        raise IdentityConflict
    _describe(professional, identity)
    account.name = professional.full_name
    session.flush()
    return account


def staff_account(
    sign_in: SignIn,
    identity: AgentIdentity,
    invitation: str = "",
    *,
    provider: str = "proconnect",
    hospital_id: UUID | None = None,
) -> Account:
    """The agent's account. provider: proconnect, prosanteconnect, or hospital with the hospital_id whose own it is.

    Raises NotInvited without a right or a valid invitation, InvitationRefused, IdentityConflict.
    """
    proof = Proof(
        provider, identity.email, identity.siret or "", identity.idp_id or "", identity.subject_name_id, hospital_id
    )
    return arrivals.agent(sign_in, proof, f"{identity.given_name} {identity.usual_name}", invitation)


def open_session(account: Account, provider: str, sign_in: SignIn) -> str:
    """Open a session for the account that just proved itself, as that account; return the cookie's token.

    Raises AccountClosed.
    """
    if account.closed_at is not None:
        raise AccountClosed
    db.act_as(Actor(account.audience, account.name, account.id))
    token = sessions.start(
        account, provider=provider, acr=sign_in.acr, amr=" ".join(sign_in.amr), id_token=sign_in.id_token_raw
    )
    practice_actions.arrive(account, sessions.digest(token))
    audit.record(
        "session.opened",
        object_kind="account",
        object_id=account.id,
        provider=provider,
        issuer=sign_in.issuer,
        # Which identity it was, for whoever compares with the provider's own journal; the subject itself stays out.
        subject=digest(f"{sign_in.issuer} {sign_in.subject}").hex(),
        acr=sign_in.acr,
        amr=" ".join(sign_in.amr),
    )
    kpi.count("session_opened", dimension=provider, account_id=account.id)
    if account.audience == "staff":
        proven = "mfa" in sign_in.amr or provider == "prosanteconnect"
        kpi.count("staff_session_opened", dimension="two_factors" if proven else "one_factor")
    returning.remember(account)
    return token


def refuse(provider: str, reason: str, reference: str) -> None:
    """Write down a sign-in that gave nobody, under the reference that the person was shown."""
    audit.record("sign_in.refused", provider=provider, reason=reason, reference=reference)
    kpi.count("sign_in_refused", dimension=provider)


def close_session(session_id: UUID) -> None:
    """End one of the current actor's own sessions, on the server."""
    sessions.end(session_id)
    audit.record("session.closed", object_kind="account", object_id=db.current_actor().account_id)


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
        birth_on_raw=identity.birth_on_raw,
        birthplace_insee=identity.birthplace_insee,
        birthcountry_insee=identity.birthcountry_insee,
        birthplace_text=identity.birthplace_text,
        email=identity.email or "",
    )
    session.add(patient)
    session.flush()
    return patient
