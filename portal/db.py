"""Base, session, one transaction per unit of work, and who may see what (row-level security).

Every transaction declares who acts. Policies in the database compare rows with what was declared, so a forgotten
WHERE shows nothing instead of everything. `session` exists only inside a unit of work (`transaction(actor)`, a
request or a job); using it elsewhere raises LookupError. Actions and queries use `session` and never commit.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, Connection, DateTime, MetaData, Text, TextClause, Uuid, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    SessionTransaction,
    mapped_column,
    scoped_session,
    sessionmaker,
)

from portal import blanking, clocks, reading_only

RIGHTS = (
    "appointments", "preadmission", "care", "billing", "documents", "referrals", "identity", "support",
    "administration", "audit",
)  # fmt: skip
"""What a member of staff may do at an establishment; each is a key of row-level security, `parvis.at_<right>`."""
SCOPES = ("administrative", "medical", "payment")
"""How far one may act for somebody; each is a key of row-level security, `parvis.for_<scope>`."""

_CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_CONSTRAINT_NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text, UUID: Uuid}


class Keyed:
    """A table whose rows have a UUID of their own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


def now() -> datetime:
    """The present moment, aware, UTC, by the database's clock (`portal/clocks.py`)."""
    return clocks.now()


# -- who acts ----------------------------------------------------------------------------------------------------

Kind = Literal["anonymous", "patient", "professional", "staff", "machine", "system"]


@dataclass(frozen=True)
class Actor:
    """Who acts in a transaction: what row-level security and the audit are told.

    name: shown to people, or the name of the system job. patients: those the actor may act for, in one matter at
    least. proxied: those of them who are somebody else. scopes: matter → those the actor may act for in it (None:
    all of `patients`, in everything). rights: right → establishments where it is held. emergency: patients whose
    file the agent has opened in an emergency. on_behalf_of: the practitioner in whose stead a secretary acts, who is
    `professional_id` then. machine_id: another system of one hospital, which holds rights as an agent does.
    """

    kind: Kind
    name: str = ""
    account_id: UUID | None = None
    professional_id: UUID | None = None
    patients: frozenset[UUID] = frozenset()
    rights: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    proxied: frozenset[UUID] = frozenset()
    scopes: Mapping[str, frozenset[UUID]] | None = None
    emergency: frozenset[UUID] = frozenset()
    on_behalf_of: UUID | None = None
    machine_id: UUID | None = None

    @property
    def label(self) -> str:
        """How the audit names the actor: `patient:<account>`, `system:<job>` or `anonymous`."""
        if self.kind == "system":
            return f"system:{self.name}"
        known = self.account_id or self.machine_id
        return f"{self.kind}:{known}" if known else self.kind

    def may(self, right: str, establishment_id: UUID | None = None) -> bool:
        """Whether the right is held at that establishment, or anywhere when none is given."""
        held = self.rights.get(right, frozenset())
        return bool(held) if establishment_id is None else establishment_id in held

    def people(self, scope: str) -> frozenset[UUID]:
        """Those the actor may act for in this matter."""
        return self.patients if self.scopes is None else self.scopes.get(scope, frozenset())

    @property
    def establishments(self) -> frozenset[UUID]:
        return frozenset().union(*self.rights.values()) if self.rights else frozenset()

    def keys(self) -> dict[str, str]:
        """Every key of row-level security, empty ones included: nothing is left from another actor."""
        keys = {
            "parvis.actor": self.label,
            "parvis.account": str(self.account_id or ""),
            "parvis.professional": str(self.professional_id or ""),
            "parvis.patients": _list(self.patients),
            "parvis.proxied": _list(self.proxied),
            "parvis.emergency": _list(self.emergency),
            "parvis.system": self.name if self.kind == "system" else "",
            "parvis.establishments": _list(self.establishments),
        }
        keys |= {f"parvis.for_{scope}": _list(self.people(scope)) for scope in SCOPES}
        return keys | {f"parvis.at_{right}": _list(self.rights.get(right, frozenset())) for right in RIGHTS}


ANONYMOUS = Actor("anonymous")


def system(job: str) -> Actor:
    """The named system job as an actor: sees every row, and the audit says which job it was."""
    return Actor("system", name=job)


def _list(ids: frozenset[UUID]) -> str:
    return ",".join(sorted(map(str, ids)))


_KEYS = tuple(Actor("anonymous").keys())
_DECLARE = text("select " + ", ".join(f"set_config('{key}', :k{n}, true)" for n, key in enumerate(_KEYS)))


def declare(connection: Connection, actor: Actor) -> None:
    """Tell the database who acts, until the end of this transaction."""
    keys = actor.keys()
    connection.execute(_DECLARE, {f"k{n}": keys[key] for n, key in enumerate(_KEYS)})


# -- one unit of work --------------------------------------------------------------------------------------------

Declaration = Callable[[Connection], Actor]


@dataclass
class _Unit:
    declaration: Declaration
    actor: Actor | None = None
    outer: "_Unit | None" = None
    later: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)


_unit: ContextVar[_Unit | None] = ContextVar("unit of work", default=None)
_factory = sessionmaker(expire_on_commit=False)
session: scoped_session[Session] = scoped_session(_factory, scopefunc=lambda: id(_current()))


def _current() -> _Unit:
    unit = _unit.get()
    if unit is None:
        raise LookupError("no unit of work is open here")
    return unit


def connect(url: str, *, prepare: bool = True, pool_size: int = 5, application: str = "parvis") -> Engine:
    """Open the pool that `session` uses. `prepare=False` behind a transaction pooler such as PgBouncer."""
    engine = create_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        hide_parameters=True,
        pool_recycle=1800,
        connect_args=libpq_words(prepare=prepare, application=application),
    )
    blanking.cover(engine)
    clocks.watch(engine)
    _factory.configure(bind=engine)
    return engine


def libpq_words(*, prepare: bool = True, application: str = "parvis") -> dict[str, Any]:
    """How every connection is opened, besides its URL."""
    return {"prepare_threshold": 5 if prepare else None, "application_name": application, "connect_timeout": 5}


def sqlalchemy_url(url: str) -> str:
    """A libpq URL with the driver SQLAlchemy needs named in it, and its hosts where SQLAlchemy looks for them."""
    scheme, separator, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql"):
        return url
    if "," not in urlsplit(url).netloc.rpartition("@")[2]:
        return f"postgresql+psycopg{separator}{rest}"
    facts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    user, password, database = facts.pop("user", None), facts.pop("password", None), facts.pop("dbname", None)
    several = URL.create("postgresql+psycopg", user, password, database=database, query=facts)
    return several.render_as_string(hide_password=False)


@event.listens_for(_factory, "after_begin")
def _declare_actor(_session: Session, transaction: Any, connection: Connection) -> None:
    if not transaction.nested:
        unit = _current()
        if reading_only.is_on():
            reading_only.begin(connection)
        if blanking.is_on():
            blanking.begin(connection)
        unit.actor = unit.declaration(connection)


def open_unit(declaration: Declaration, actor: Actor | None = None) -> None:
    """Begin a unit of work in this context; the transaction itself starts at the first statement.

    actor: who acts, when that is known without asking the database (a browser without a session).
    """
    _unit.set(_Unit(declaration, actor, _unit.get()))


def close_unit(*, commit: bool) -> None:
    """End the unit of work, keeping (commit) or forgetting what it wrote."""
    unit = _current()
    try:
        if session.registry.has():
            session.commit() if commit else session.rollback()
    finally:
        session.remove()
        # A server keeps its threads: what runs there before the next unit must not act as the last visitor.
        _unit.set(unit.outer)


def is_open() -> bool:
    """Whether a unit of work of this context still holds a session: after a request, none may."""
    try:
        return session.registry.has()
    except LookupError:
        return False


@contextmanager
def transaction(actor: Actor) -> Iterator[scoped_session[Session]]:
    """One transaction in which `actor` acts: committed at the end, rolled back when the block raises."""

    def declaration(connection: Connection) -> Actor:
        declare(connection, actor)
        return actor

    open_unit(declaration)
    try:
        yield session
    except BaseException:
        close_unit(commit=False)
        raise
    else:
        close_unit(commit=True)


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done inside is undone at the end: a preview shows the very change that is asked for."""
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def current_actor() -> Actor:
    """Who acts now, as the database was told. Starts the transaction when it has not begun."""
    unit = _current()
    if unit.actor is None:
        session.connection()
    assert unit.actor is not None, "the declaration names an actor"
    return unit.actor


def act_as(actor: Actor) -> None:
    """Change the actor inside the transaction: what was loaded under the former one is forgotten.

    Not inside a savepoint: its rollback would give the database the former actor back, and not us.
    """
    if session().in_nested_transaction():
        raise RuntimeError("the actor cannot change inside a savepoint")
    session.flush()
    _write_now()
    declare(session.connection(), actor)
    _current().actor = actor
    session.expire_all()


# -- what is written at the end ----------------------------------------------------------------------------------

_MOST_AT_ONCE = 12


def write_later(statement: str, values: Mapping[str, Any]) -> None:
    """Write a row that nothing in this transaction waits for (a line of audit, an event, a job): together with the
    others, before the next question is asked or the transaction is committed.

    One round trip instead of five, which is much of what a booking costs. statement: an INSERT, or the call of a
    function that writes; always the same text for the same kind of row.
    """
    session()
    _current().later.append((statement, values))


def _write_now() -> None:
    later = _current().later
    if blanking.is_on():
        later.clear()  # whoever looks on leaves no trace in the person's name; theirs is written apart
    elif reading_only.is_on():
        for statement, row in later:
            reading_only.tell(statement, row)
        later.clear()
    while later:
        some, later[:] = later[:_MOST_AT_ONCE], later[_MOST_AT_ONCE:]
        values = {f"{name}_{n}": value for n, (_text, row) in enumerate(some) for name, value in row.items()}
        session.connection().execute(_together(tuple(statement for statement, _row in some)), values)


@lru_cache(maxsize=256)
def _together(statements: tuple[str, ...]) -> TextClause:
    """One statement that does them all; its parameters have their rank as a suffix."""
    ranked = [_PARAMETER.sub(rf":\1_{n}", statement) for n, statement in enumerate(statements)]
    if len(ranked) == 1:
        return text(ranked[0])
    # PostgreSQL runs the writing parts that nothing reads from the last to the first (`es_auxmodifytables`), and the
    # lines of the audit are read in the order of their numbers.
    parts = ", ".join(f"t{n} as ({statement})" for n, statement in reversed(tuple(enumerate(ranked))))
    asked = [f"(select count(*) from t{n})" for n, each in enumerate(statements) if each.startswith("select")]
    return text(f"with {parts} select {', '.join(asked) or '1'}")


_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")


@event.listens_for(_factory, "before_commit")
def _write_before_commit(_session: Session) -> None:
    _write_now()


@event.listens_for(_factory, "do_orm_execute")
def _write_before_a_question(state: Any) -> Any:
    if _current().later:
        _write_now()
    return reading_only.pass_over(state) if reading_only.is_on() else None


@event.listens_for(_factory, "before_flush")
def _make_no_mark(current: Session, _context: Any, _some: Any) -> None:
    if reading_only.is_on():
        reading_only.forget_marks(current)


_waiting: WeakKeyDictionary[SessionTransaction, list[tuple[str, Mapping[str, Any]]]] = WeakKeyDictionary()
"""Savepoint → what waited when it was set: its rollback undoes what was written since, which must wait again."""


@event.listens_for(_factory, "after_transaction_create")
def _remember_what_waits(_session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        _waiting[transaction] = list(_current().later)


@event.listens_for(_factory, "after_soft_rollback")
def _come_back_to_what_waited(_session: Session, transaction: SessionTransaction) -> None:
    # A flush that fails takes with it the savepoint around it, which says nothing of its own.
    undone: SessionTransaction | None = transaction
    while undone is not None and not undone.nested:
        undone = undone.parent
    _current().later[:] = _waiting.get(undone, []) if undone is not None else []
