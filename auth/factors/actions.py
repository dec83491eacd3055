"""Adding, proving, renaming and removing one's second factors. The caller has counted the try (`auth.tries`)."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth import assurance
from auth.factors import codes, mails, passkeys, recovery, sealing, totp
from auth.factors.models import Factor, FactorChallenge, RecoveryCode
from auth.factors.passkeys import PasskeyRefused, Registered, Site
from auth.models import Account, WebSession
from portal import audit, db, jobs
from portal.db import session

FRESH = timedelta(minutes=5)
"""How long a proof lets one change one's factors, or where one is reached."""
FIRST = timedelta(minutes=15)
"""How long after signing in a first factor may be chosen: it takes longer, and there is nothing yet to prove with."""
SENT = ("sms", "mail")

GRAVE = timedelta(minutes=10)
"""How long a proof lets one do what is grave for others, such as giving money back; as long again to send its form."""


class WrongCode(Exception):
    """Not the code that was expected, or one that has served already."""


class CodeExpired(Exception):
    """No code was sent in this session, or more than ten minutes ago."""


class FactorKnown(Exception):
    """This passkey, number or address is already a factor."""


@dataclass(frozen=True)
class Added:
    """A new factor of this kind; sheet: the recovery codes to show now and never again, when it is the first one."""

    kind: str
    sheet: tuple[str, ...] = ()


# -- adding ------------------------------------------------------------------------------------------------------


def add_passkey(account: Account, label: str, registered: Registered, challenge: bytes) -> Added:
    """Keep a passkey that the browser has just made. Raises PasskeyRefused, FactorKnown."""
    _spend_challenge(challenge, account.id)
    row = upsert(Factor).values(
        id=(factor_id := uuid4()),
        account_id=account.id,
        kind="passkey",
        label=label,
        sealed=b"",
        credential_id=registered.credential_id,
        public_key=registered.public_key,
        sign_count=registered.sign_count,
        last_step=0,
        created_at=db.now(),
        last_used_at=db.now(),
    )
    if session.scalar(row.on_conflict_do_nothing().returning(Factor.id)) is None:
        raise FactorKnown
    return _added(account, session.get_one(Factor, factor_id))


def add_totp(account: Account, label: str, secret: str, code: str) -> Added:
    """Keep an application that has just given a good code. Raises WrongCode."""
    step = totp.matching_step(secret, codes.digits_of(code), db.now())
    if step is None:
        raise WrongCode
    sealed = sealing.seal("factor", {"secret": secret})
    return _added(account, _kept(account, "totp", label, sealed=sealed, last_step=step))


def add_sent(account: Account, session_id: UUID, code: str) -> Added:
    """Keep the telephone or the address that has just received this code.

    Raises WrongCode, CodeExpired, FactorKnown.
    """
    challenge = _used(_open_challenge(session_id), code)
    if challenge.factor_id is not None:
        raise CodeExpired
    to = str(sealing.unseal("code", challenge.sealed)["to"])
    if to in (sealing.unseal("factor", each.sealed)["to"] for each in _mine(account.id, challenge.kind)):
        raise FactorKnown
    label = codes.masked_number(to) if challenge.kind == "sms" else codes.masked_address(to)
    challenge.sealed = b""
    return _added(account, _kept(account, challenge.kind, label, sealed=sealing.seal("factor", {"to": to})))


# -- proving -----------------------------------------------------------------------------------------------------


def send_code(session_id: UUID, account_id: UUID, kind: str, to: str, factor_id: UUID | None = None) -> None:
    """Send six digits by `sms` or `mail`; a code sent earlier in this session no longer serves."""
    now, challenge_id, digits = db.now(), uuid4(), codes.six_digits()
    session.execute(
        update(FactorChallenge)
        .where(FactorChallenge.session_id == session_id, FactorChallenge.kind.in_(SENT))
        .where(FactorChallenge.used_at.is_(None))
        .values(used_at=now, sealed=b"")
    )
    row = FactorChallenge(id=challenge_id, account_id=account_id, session_id=session_id, factor_id=factor_id, kind=kind)
    row.digest = sealing.digest("code", challenge_id, digits)
    row.sealed = sealing.seal("code", {"to": to, "code": digits})
    row.expires_at = now + codes.LIFE
    session.add(row)
    session.flush()
    audit.record("factor.code_sent", object_kind="account", object_id=account_id, kind=kind)
    jobs.enqueue("auth.send_code", challenge_id=str(challenge_id))


def send_to(session_id: UUID, factor: Factor) -> None:
    """Send a code to a telephone or an address that the account has proven."""
    to = str(sealing.unseal("factor", factor.sealed)["to"])
    send_code(session_id, factor.account_id, factor.kind, to, factor.id)


def prove_by_code(factor: Factor, session_id: UUID, code: str) -> None:
    """The person copied a code, from the application or from the message. Raises WrongCode, CodeExpired."""
    if factor.kind == "totp":
        _prove_totp(factor, code)
    else:
        challenge = _open_challenge(session_id)
        if challenge is None or challenge.factor_id != factor.id:
            raise CodeExpired
        _used(challenge, code).sealed = b""
    _proven(factor.account_id, factor.kind, factor)


def prove_by_passkey(site: Site, account_id: UUID, answer: str, challenge: bytes) -> Factor:
    """A passkey of the account signed this challenge. Raises PasskeyRefused, PasskeyCopied."""
    factor = passkey_of(answer)
    if factor is None or factor.account_id != account_id:
        raise PasskeyRefused("not a passkey of this account")
    _check_signature(site, factor, answer, challenge)
    _proven(account_id, "passkey", factor)
    return factor


def sign_in_by_passkey(site: Site, answer: str, challenge: bytes) -> Factor:
    """Whose passkey signed this challenge, when nobody has said who they are. Raises PasskeyRefused, PasskeyCopied."""
    factor = passkey_of(answer)
    if factor is None or passkeys.user_handle(answer) != factor.account_id.bytes:
        raise PasskeyRefused("unknown passkey")
    _check_signature(site, factor, answer, challenge)
    _proven(factor.account_id, "passkey", factor)
    return factor


def prove_by_sheet(account: Account, code: str) -> None:
    """One of the codes kept on paper, once. Raises WrongCode."""
    digests = sealing.digests("recovery", account.id, codes.letters_of(code))
    mine = RecoveryCode.account_id == account.id, RecoveryCode.digest.in_(digests), RecoveryCode.used_at.is_(None)
    used = update(RecoveryCode).where(*mine).values(used_at=db.now()).returning(RecoveryCode.id)
    if session.scalar(used) is None and not recovery.spend(account.id, code):
        raise WrongCode
    _proven(account.id, "recovery", None)
    mails.sheet_used(account, codes_left(account.id))


def accepts(factor: Factor, code: str) -> bool:
    """Whether the application has just given this code; accepted, it will not serve again."""
    try:
        _prove_totp(factor, code)
    except WrongCode:
        return False
    _proven(factor.account_id, factor.kind, factor)
    return True


def passkey_of(answer: str) -> Factor | None:
    """The passkey that an answer says it comes from. Raises PasskeyRefused."""
    known = Factor.credential_id == passkeys.credential_id(answer), Factor.removed_at.is_(None)
    return session.scalar(select(Factor).where(*known).with_for_update(key_share=True))


def refuse(account_id: UUID | None, kind: str, *, copied: bool = False) -> None:
    """Write down a proof that did not hold."""
    event = "factor.copied" if copied else "factor.refused"
    audit.record(event, object_kind="account", object_id=account_id, kind=kind)


# -- keeping -----------------------------------------------------------------------------------------------------


def rename(factor: Factor, label: str) -> None:
    """Call a factor as its owner does."""
    factor.label = label
    audit.record("factor.renamed", object_kind="account", object_id=factor.account_id, kind=factor.kind)


def remove(account: Account, factor: Factor) -> None:
    """Forget a factor, its secret included; without any left, the recovery codes go too."""
    _forget(factor)
    audit.record("factor.removed", object_kind="account", object_id=account.id, kind=factor.kind)
    mails.removed(account, factor.kind)
    session.flush()
    if not _mine(account.id):
        session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


def remove_all(account_id: UUID) -> int:
    """Forget every factor and every recovery code of an account; the caller writes down why. Returns how many."""
    found = _mine(account_id)
    for factor in found:
        _forget(factor)
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    audit.record("factor.removed", object_kind="account", object_id=account_id, kind="all")
    return len(found)


def renew_sheet(account: Account) -> tuple[str, ...]:
    """Ten new recovery codes, which make the former ones useless."""
    sheet = _new_sheet(account.id)
    mails.sheet_made(account)
    return sheet


def codes_left(account_id: UUID) -> int:
    """How many recovery codes may still be used."""
    left = RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    return session.scalar(select(func.count()).where(*left)) or 0


def was_proven_lately(account_id: UUID, session_id: UUID, life: timedelta = FRESH) -> bool:
    """Whether this session proved two factors less than `life` ago, ours or the provider's."""
    since = db.now() - life
    by_provider = (WebSession.created_at > since) & WebSession.amr.op("~")(r"(^|\s)mfa(\s|$)")
    # A mail code that hospitals no longer accept must not open the way to a factor that they do.
    weak = ("desk",) if assurance.rules().mail_codes else ("desk", "mail")
    fresh = or_(by_provider, (WebSession.factor_at > since) & WebSession.factor.not_in(weak))
    mine = WebSession.id == session_id, WebSession.account_id == account_id
    return session.scalar(select(WebSession.id).where(*mine, fresh)) is not None


def came_in_lately(session_id: UUID, life: timedelta) -> bool:
    """Whether this session began less than `life` ago, or the desk vouched for its person since then."""
    since = db.now() - life
    vouched = (WebSession.factor == "desk") & (WebSession.factor_at > since)
    fresh = or_(WebSession.created_at > since, vouched)
    return session.scalar(select(WebSession.id).where(WebSession.id == session_id, fresh)) is not None


# -- within ------------------------------------------------------------------------------------------------------


def _kept(account: Account, kind: str, label: str, *, sealed: bytes, last_step: int = 0) -> Factor:
    factor = Factor(id=uuid4(), account_id=account.id, kind=kind, label=label, sealed=sealed, last_step=last_step)
    session.add(factor)
    session.flush()
    return factor


def _added(account: Account, factor: Factor) -> Added:
    audit.record("factor.added", object_kind="account", object_id=account.id, kind=factor.kind)
    mails.added(account, factor.kind)
    is_first = codes_left(account.id) == 0 and len(_mine(account.id)) == 1
    return Added(factor.kind, _new_sheet(account.id) if is_first else ())


def _mine(account_id: UUID, kind: str = "") -> list[Factor]:
    query = select(Factor).where(Factor.account_id == account_id, Factor.removed_at.is_(None))
    return list(session.scalars(query.where(Factor.kind == kind) if kind else query))


def _new_sheet(account_id: UUID) -> tuple[str, ...]:
    sheet = tuple(codes.for_paper() for _ in range(codes.SHEET))
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    now = db.now()
    rows = [{"id": uuid4(), "account_id": account_id, "digest": recovery.kept(code), "created_at": now}
            for code in sheet]  # fmt: skip
    session.execute(insert(RecoveryCode).inline(), rows)
    audit.record("recovery_codes.made", object_kind="account", object_id=account_id)
    return sheet


def _prove_totp(factor: Factor, code: str) -> None:
    secret = str(sealing.unseal("factor", factor.sealed)["secret"])
    step = totp.matching_step(secret, codes.digits_of(code), db.now(), after=factor.last_step)
    if step is None:
        raise WrongCode
    # The same code in two tabs at once: the database lets one of them through.
    accepted = update(Factor).where(Factor.id == factor.id, Factor.last_step < step).values(last_step=step)
    if session.scalar(accepted.returning(Factor.id)) is None:
        raise WrongCode


def _open_challenge(session_id: UUID) -> FactorChallenge | None:
    mine = FactorChallenge.session_id == session_id, FactorChallenge.kind.in_(SENT), FactorChallenge.used_at.is_(None)
    return session.scalar(
        select(FactorChallenge).where(*mine, FactorChallenge.expires_at > db.now()).with_for_update(key_share=True)
    )


def _used(challenge: FactorChallenge | None, code: str) -> FactorChallenge:
    if challenge is None:
        raise CodeExpired
    if not sealing.same(challenge.digest, sealing.digests("code", challenge.id, codes.digits_of(code))):
        raise WrongCode
    challenge.used_at = db.now()
    return challenge


def _spend_challenge(challenge: bytes, account_id: UUID) -> None:
    """Raises PasskeyRefused when this challenge was answered before."""
    row = upsert(FactorChallenge).values(
        id=uuid4(),
        account_id=account_id,
        kind="passkey",
        digest=hashlib.sha256(challenge).digest(),
        sealed=b"",
        created_at=db.now(),
        expires_at=db.now() + timedelta(seconds=passkeys.CHALLENGE_LIFE_S),
        used_at=db.now(),
    )
    if session.scalar(row.on_conflict_do_nothing().returning(FactorChallenge.id)) is None:
        raise PasskeyRefused("challenge answered before")


def _check_signature(site: Site, factor: Factor, answer: str, challenge: bytes) -> None:
    _spend_challenge(challenge, factor.account_id)
    factor.sign_count = passkeys.signed(site, answer, challenge, factor.public_key, factor.sign_count)
    session.flush()


def _proven(account_id: UUID, kind: str, factor: Factor | None) -> None:
    if factor is not None:
        factor.last_used_at = db.now()
    audit.record("factor.proven", object_kind="account", object_id=account_id, kind=kind)


def _forget(factor: Factor) -> None:
    factor.removed_at, factor.sealed, factor.public_key = db.now(), b"", b""
