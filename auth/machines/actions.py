"""Machines let in, given a new secret, shut out; and the pass that one gets for ten minutes."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from auth import sessions
from auth.agents.administrators import as_the_system
from auth.machines import keys, scopes
from auth.machines.keys import AssertionRefused
from auth.machines.models import Machine, MachineAssertion, MachineToken
from portal import audit, db
from portal.db import Actor, session

TOKEN_LIFE = timedelta(minutes=10)
QUOTA_PER_HOUR = 3600
_NOBODYS_DIGEST = sessions.digest(secrets.token_urlsafe(32))


class UnknownMachine(Exception):
    """No machine that still counts has this id at a hospital of the actor."""


class InvalidClient(Exception):
    """Nobody proved to be this machine, or it is shut out. machine_id: of the one concerned, when we know it."""

    def __init__(self, reason: str, machine: Machine | None = None) -> None:
        super().__init__(reason)
        # Not the row itself: its transaction is over when the refusal is written down.
        self.reason = reason
        self.machine_id = machine.id if machine else None
        self.establishment_id = machine.establishment_id if machine else None


class InvalidScope(Exception):
    """The machine asks for more than it was let to do."""


@dataclass(frozen=True)
class Draft:
    """A machine to let in. jwks: its public keys; without any, it gets a secret."""

    establishment_id: UUID
    name: str
    scopes: list[str]
    jwks: dict[str, Any] | None = None
    quota_per_hour: int = QUOTA_PER_HOUR
    expires_at: datetime | None = None


@dataclass(frozen=True, repr=False)
class Credentials:
    """What a machine shows: a secret, or an assertion that it signed."""

    client_id: str
    secret: str = ""
    assertion: str = ""
    audiences: frozenset[str] = field(default_factory=frozenset)


def add(draft: Draft) -> tuple[Machine, str]:
    """Let a machine in; return it with its secret, never kept ("" for one that has its own key)."""
    secret = "" if draft.jwks else secrets.token_urlsafe(32)
    machine = Machine(
        id=uuid4(),
        establishment_id=draft.establishment_id,
        name=draft.name.strip(),
        client_id=f"parvis-{secrets.token_hex(8)}",
        secret_digest=sessions.digest(secret) if secret else None,
        jwks=draft.jwks,
        scopes=scopes.ordered(draft.scopes),
        quota_per_hour=draft.quota_per_hour,
        expires_at=draft.expires_at,
    )
    session.add(machine)
    session.flush()
    _record("machine.added", machine, scopes=" ".join(machine.scopes), proof=machine.proof)
    return machine, secret


def rotate(machine_id: UUID) -> str:
    """Give a machine another secret, and end the former one and its passes. Raises UnknownMachine (as for a machine
    that has its own key)."""
    machine = _held(machine_id)
    if machine.secret_digest is None:
        raise UnknownMachine
    secret = secrets.token_urlsafe(32)
    machine.secret_digest = sessions.digest(secret)
    _forget_tokens(machine)
    _record("machine.rotated", machine)
    return secret


def revoke(machine_id: UUID) -> None:
    """Shut a machine out, from its next call on. Raises UnknownMachine."""
    machine = _held(machine_id)
    machine.revoked_at = db.now()
    _forget_tokens(machine)
    _record("machine.revoked", machine)


def issue(shown: Credentials, asked: str) -> tuple[str, list[str]]:
    """A pass for the machine that these credentials prove, and the scopes it gives; as the system.

    asked: the scopes of the request, "" for all it was let to do. Raises InvalidClient, InvalidScope.
    """
    machine = _proven(shown)
    if not machine.is_open:
        raise InvalidClient("closed", machine)
    try:
        given = scopes.parse(asked) if asked.strip() else list(machine.scopes)
    except scopes.UnknownScope as unknown:
        raise InvalidScope from unknown
    if not set(given) <= set(machine.scopes):
        raise InvalidScope
    token = secrets.token_urlsafe(32)
    session.add(
        MachineToken(
            digest=sessions.digest(token),
            machine_id=machine.id,
            scopes=given,
            rights=scopes.rights(given),
            expires_at=db.now() + TOKEN_LIFE,
        )
    )
    session.flush()
    establishment_id, machine_id = machine.establishment_id, machine.id
    db.act_as(Actor("machine", machine.name, machine_id=machine_id))
    audit.record(
        "token.issued", establishment_id=establishment_id, object_kind="machine", object_id=machine_id,
        scopes=" ".join(given),
    )  # fmt: skip
    return token, given


def refuse(refused: InvalidClient) -> None:
    """Write down a request for a pass that was refused."""
    audit.record(
        "token.refused",
        establishment_id=refused.establishment_id,
        object_kind="machine",
        object_id=refused.machine_id,
        reason=refused.reason,
    )


def _proven(shown: Credentials) -> Machine:
    machine = session.scalar(select(Machine).where(Machine.client_id == shown.client_id))
    if shown.assertion:
        _check_assertion(shown, machine)
    else:
        known = machine.secret_digest if machine and machine.secret_digest else _NOBODYS_DIGEST
        if not hmac.compare_digest(known, sessions.digest(shown.secret)):
            raise InvalidClient("secret", machine)
    if machine is None:
        raise InvalidClient("unknown")
    return machine


def _check_assertion(shown: Credentials, machine: Machine | None) -> None:
    try:
        assertion = keys.check(shown.assertion, machine.jwks if machine else None, shown.audiences, db.now())
    except AssertionRefused as refused:
        raise InvalidClient(str(refused), machine) from refused
    if machine is None or assertion.client_id != shown.client_id:
        raise InvalidClient("unknown")
    used = insert(MachineAssertion).values(machine_id=machine.id, jti=assertion.jti, expires_at=assertion.expires_at)
    if session.scalar(used.on_conflict_do_nothing().returning(MachineAssertion.jti)) is None:
        raise InvalidClient("replayed", machine)


def _held(machine_id: UUID) -> Machine:
    machine = session.scalar(select(Machine).where(Machine.id == machine_id).with_for_update(key_share=True))
    actor = db.current_actor()
    if machine is None or machine.revoked_at is not None:
        raise UnknownMachine
    if actor.kind != "system" and not actor.may("administration", machine.establishment_id):
        raise UnknownMachine
    return machine


def _forget_tokens(machine: Machine) -> None:
    session.flush()
    machine_id = machine.id
    with as_the_system("machines.forget_tokens"):
        session.execute(delete(MachineToken).where(MachineToken.machine_id == machine_id))


def _record(event: str, machine: Machine, **details: str) -> None:
    audit.record(
        event,
        patient_id=None,
        establishment_id=machine.establishment_id,
        object_kind="machine",
        object_id=machine.id,
        name=machine.name,
        **details,
    )
