"""Requests of patients: copy of the file, certificates, complaints.

A request about a patient is seen by those who act for them in its matter, unless it is masked; one about somebody who
died, by the account that sent it. The agents of its desk see it once it is sent. What hangs on a request is seen with
it: the policies look at the request, whose own policies apply inside.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_TABLES = (
    "hospital_certificate",
    "record_request_answer",
    "record_request_file",
    "record_request_message",
    "record_request_change",
    "record_request",
)
_KINDS = "'record', 'situation', 'presence', 'complaint', 'thanks'"
_STATES = "'draft', 'received', 'handled', 'missing', 'answered', 'refused', 'cancelled'"
_QUALITIES = "'patient', 'parent', 'guardian', 'curator', 'carer', 'heir'"
_APPLICANT = may.either(may.own(), may.both("patient_id is null", may.account()))
_MATTER = may.either(
    may.both("scope = 'medical'", may.within("medical", unless_masked=True)),
    may.both("scope = 'administrative'", may.within("administrative", unless_masked=True)),
)


def _desk(table: str = "record_request") -> str:
    """Agents who hold the right that the kind asks for, at its hospital."""
    place = f"{table}.establishment_id"
    return may.either(
        may.both(f"{table}.desk = 'documents'", may.staff("documents", place)),
        may.both(f"{table}.desk = 'administration'", may.staff("administration", place)),
    )


def upgrade() -> None:
    _create_requests()
    _create_changes()
    _create_messages()
    _create_files()
    _create_answers()
    _create_certificates()


def downgrade() -> None:
    op.execute("drop policy stored_file_of_request on stored_file")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=nullable) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _flags(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _to(table: str, column: str, target: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), **options)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _create_requests() -> None:
    table = "record_request"
    op.create_table(
        table,
        *_ids("id", "establishment_id", "account_id"),
        *_ids("patient_id", "agent_id", nullable=True),
        *_texts("reference", "kind", "desk", "scope", "quality", "applicant_name", "birth_name", "first_name"),
        *_texts("state", "agent_name", "hospital_number", "refusal", "delivered_by"),
        *_flags("identity_known", "masked", "is_old", "unread", "was_late"),
        sa.Column("birth_on", sa.Date(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        *_moments("created_at", "changed_at"),
        *_moments("sent_at", "complete_at", "closed_at", nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("days_left", sa.SmallInteger(), nullable=True),
        sa.Column("missing", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _check(table, "kind", f"kind in ({_KINDS})"),
        _check(table, "state", f"state in ({_STATES})"),
        _check(table, "desk", "desk in ('documents', 'administration')"),
        _check(table, "quality", f"quality in ({_QUALITIES})"),
        _check(table, "clock_runs", "(state in ('received', 'handled')) = (due_on is not null)"),
        _check(table, "clock_waits", "(state = 'missing') = (days_left is not null)"),
        _check(table, "about_whom", "(quality = 'heir') = (patient_id is null)"),
        _to(table, "establishment_id", "establishment"),
        _to(table, "patient_id", "patient"),
        _to(table, "account_id", "account"),
        _to(table, "agent_id", "account"),
        _key(table),
        sa.UniqueConstraint("reference", name=op.f(f"uq_{table}_reference")),
    )
    _index(table, "patient_id")
    _index(table, "account_id")
    op.create_index("ix_record_request_tray", table, ["establishment_id", "state", "due_on"])
    read = may.either(_APPLICANT, may.both("state <> 'draft'", _desk()), may.SYSTEM)
    may.protect(
        table,
        read=read,
        insert=may.either(may.both(_APPLICANT, may.account()), may.SYSTEM),
        update=read,
        delete=may.either(may.both(_APPLICANT, may.account(), "state = 'draft'"), may.SYSTEM),
    )
    may.restrain(table, may.either("patient_id is null", f"not {may.proxied()}", _MATTER))


def _of_request(table: str) -> str:
    return (
        f"exists (select 1 from record_request q where q.id = {table}.request_id"
        f" and q.establishment_id = {table}.establishment_id)"
    )


def _at_desk(table: str) -> str:
    """The same, for the agents of its desk alone."""
    return (
        f"exists (select 1 from record_request q where q.id = {table}.request_id"
        f" and q.establishment_id = {table}.establishment_id and {_desk('q')})"
    )


def _create_changes() -> None:
    table = "record_request_change"
    op.create_table(
        table,
        *_ids("id", "request_id", "establishment_id"),
        *_texts("before", "after", "because", "actor", "by_name"),
        sa.Column("due_on", sa.Date(), nullable=True),
        *_moments("at"),
        _to(table, "request_id", "record_request", ondelete="CASCADE"),
        _to(table, "establishment_id", "establishment"),
        _key(table),
    )
    _index(table, "request_id")
    of_request = _of_request(table)
    added = may.either(may.both(may.actor(), of_request), may.SYSTEM)
    may.protect(table, read=may.either(of_request, may.SYSTEM), insert=added)
    op.execute(f"comment on table {table} is 'append-only'")


def _create_messages() -> None:
    table = "record_request_message"
    op.create_table(
        table,
        *_ids("id", "request_id", "establishment_id"),
        *_flags("from_staff"),
        *_texts("actor", "by_name"),
        sa.Column("text", sa.Text(), nullable=False),
        *_moments("at"),
        _to(table, "request_id", "record_request", ondelete="CASCADE"),
        _to(table, "establishment_id", "establishment"),
        _key(table),
    )
    _index(table, "request_id")
    of_request = _of_request(table)
    by = may.either(may.both("from_staff", _at_desk(table)), may.both("not from_staff", of_request))
    added = may.either(may.both(may.actor(), by), may.SYSTEM)
    may.protect(table, read=may.either(of_request, may.SYSTEM), insert=added)
    op.execute(f"comment on table {table} is 'append-only'")


def _create_files() -> None:
    table = "record_request_file"
    op.create_table(
        table,
        *_ids("id", "request_id", "establishment_id", "file_id"),
        *_ids("document_id", nullable=True),
        *_texts("use"),
        *_flags("from_staff"),
        *_moments("added_at"),
        _check(table, "use", "use in ('identity', 'quality', 'other', 'answer')"),
        _to(table, "request_id", "record_request", ondelete="CASCADE"),
        _to(table, "establishment_id", "establishment"),
        _to(table, "file_id", "stored_file"),
        _to(table, "document_id", "document"),
        _key(table),
    )
    for column in ("request_id", "file_id", "document_id"):
        _index(table, column)
    of_request = _of_request(table)
    by = may.either(may.both("from_staff", _at_desk(table)), may.both("not from_staff", of_request))
    may.protect(
        table,
        read=may.either(of_request, may.SYSTEM),
        insert=may.either(by, may.SYSTEM),
        delete=may.either(may.both("not from_staff", of_request), may.SYSTEM),
    )
    # A proof is read by the agents of the desk, an answer by the applicant: whoever sees the row may open its file.
    seen = "exists (select 1 from record_request_file o where o.file_id = stored_file.id)"
    op.execute(f"create policy stored_file_of_request on stored_file for select using ({seen})")


def _create_answers() -> None:
    table = "record_request_answer"
    op.create_table(
        table,
        *_ids("id", "establishment_id"),
        *_texts("desk", "kind", "title", "body", "changed_by_name"),
        *_moments("changed_at"),
        _check(table, "kind", f"kind in ('', {_KINDS})"),
        _check(table, "desk", "desk in ('documents', 'administration')"),
        _to(table, "establishment_id", "establishment"),
        _key(table),
    )
    _index(table, "establishment_id")
    mine = may.either(_desk(table), may.SYSTEM)
    may.protect(table, read=mine, write=mine)


def _create_certificates() -> None:
    table = "hospital_certificate"
    op.create_table(
        table,
        *_ids("id", "request_id", "establishment_id"),
        *_texts("kind", "number", "code", "issued_by_name"),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        *_moments("issued_at"),
        *_moments("revoked_at", nullable=True),
        _check(table, "kind", "kind in ('situation', 'presence')"),
        _to(table, "request_id", "record_request"),
        _to(table, "establishment_id", "establishment"),
        _key(table),
        sa.UniqueConstraint("number", name=op.f(f"uq_{table}_number")),
    )
    _index(table, "request_id")
    at_desk = may.either(_at_desk(table), may.SYSTEM)
    may.protect(table, read=may.either(_of_request(table), may.SYSTEM), insert=at_desk, update=at_desk)
