"""Requests for an appointment, followed to their answer, and those who would come earlier."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = (
    "request_change", "appointment_proposal", "request_message", "appointment_request",
    "freed_slot", "waiting_change", "waiting_offer", "waiting_entry",
)  # fmt: skip
_HALVES = "half in ('', 'morning', 'afternoon')"
_STATES = "state in ('sent', 'handled', 'more_asked', 'proposed', 'accepted', 'refused', 'withdrawn', 'expired')"
_AGENTS = may.either(may.staff("appointments"), may.SYSTEM)
_CONCERNED = may.either(may.own(), may.staff("appointments"), may.SYSTEM)


def upgrade() -> None:
    _create_request()
    _create_words_and_proposals()
    _create_entry()
    _create_offer()
    _create_freed_slot()
    _protect()
    for table in ("request_change", "waiting_change"):
        op.execute(f"comment on table {table} is 'append-only'")


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.Uuid(), nullable=False)


def _ids(*names: str, optional: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=optional) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str, optional: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=optional) for name in names]


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """column → the table whose id it holds."""
    return [
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, parent in columns.items()
    ]


def _key(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _create_request() -> None:
    table = "appointment_request"
    op.create_table(
        table,
        _id(),
        *_ids("establishment_id", "patient_id", "unit_id"),
        *_ids("reason_id", "account_id", "assigned_to", "appointment_id", optional=True),
        *_texts("reference", "state", "half", "phone", "refusal_reason", "assigned_name"),
        sa.Column("spans", postgresql.JSONB(), nullable=False),
        sa.Column("weekdays", sa.SmallInteger(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        *_moments("sent_at", "changed_at"),
        *_moments("due_at", "answered_at", "closed_at", optional=True),
        _check(table, "state", _STATES),
        _check(table, "half", _HALVES),
        _check(table, "weekdays", "weekdays between 0 and 127"),
        *_references(
            table,
            establishment_id="establishment",
            patient_id="patient",
            unit_id="unit",
            reason_id="reason",
            account_id="account",
            assigned_to="account",
            appointment_id="appointment",
        ),
        _key(table),
        sa.UniqueConstraint("establishment_id", "reference", name=op.f(f"uq_{table}_establishment_id_reference")),
    )
    _index(table, "patient_id")
    op.create_index("ix_appointment_request_establishment_id_state", table, ["establishment_id", "state"])


def _create_words_and_proposals() -> None:
    parents = {"request_id": "appointment_request", "establishment_id": "establishment"}
    table = "request_message"
    op.create_table(
        table,
        _id(),
        *_ids("request_id", "establishment_id"),
        *_moments("at"),
        *_texts("by", "by_name", "text"),
        sa.Column("from_staff", sa.Boolean(), nullable=False),
        *_ids("file_id", optional=True),
        *_references(table, **parents, file_id="stored_file"),
        _key(table),
    )
    for column in ("request_id", "file_id"):
        _index(table, column)
    table = "appointment_proposal"
    op.create_table(
        table,
        _id(),
        *_ids("request_id", "establishment_id", "hold_id", "reason_id", "practitioner_id"),
        *_moments("start_at", "end_at", "made_at", "expires_at"),
        *_texts("outcome"),
        _check(table, "outcome", "outcome in ('', 'accepted', 'declined', 'expired', 'taken_back', 'given_back')"),
        *_references(table, **parents, reason_id="reason", practitioner_id="practitioner"),
        _key(table),
        sa.UniqueConstraint("hold_id", name=op.f(f"uq_{table}_hold_id")),
    )
    _index(table, "request_id")
    op.create_index("ix_appointment_proposal_waiting", table, ["expires_at"], postgresql_where=sa.text("outcome = ''"))
    _create_changes("request_change", "request_id", "appointment_request")


def _create_changes(table: str, column: str, parent: str) -> None:
    op.create_table(
        table,
        _id(),
        *_ids(column, "establishment_id"),
        *_texts("from_state", "to_state", "by", "by_name", "reason"),
        *_moments("at"),
        *_references(table, **{column: parent}),
        _key(table),
    )
    _index(table, column)


def _create_entry() -> None:
    table = "waiting_entry"
    op.create_table(
        table,
        _id(),
        *_ids("establishment_id", "patient_id", "unit_id", "reason_id"),
        *_ids("appointment_id", "account_id", optional=True),
        *_texts("state", "half"),
        sa.Column("until_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in ("weekdays", "notice_hours", "rank")),
        sa.Column("practitioner_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        *_moments("entered_at"),
        *_moments("closed_at", optional=True),
        _check(table, "state", "state in ('waiting', 'served', 'left', 'ended')"),
        _check(table, "half", _HALVES),
        _check(table, "weekdays", "weekdays between 0 and 127"),
        _check(table, "notice_hours", "notice_hours between 1 and 720"),
        *_references(
            table,
            establishment_id="establishment",
            patient_id="patient",
            unit_id="unit",
            reason_id="reason",
            appointment_id="appointment",
            account_id="account",
        ),
        _key(table),
    )
    for column in ("patient_id", "appointment_id"):
        _index(table, column)
    op.create_index("ix_waiting_entry_unit_id_state", table, ["unit_id", "state"])
    op.create_index(
        "ix_waiting_entry_reason_id",
        table,
        ["reason_id", "entered_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    _create_changes("waiting_change", "entry_id", table)


def _create_offer() -> None:
    table = "waiting_offer"
    op.create_table(
        table,
        _id(),
        *_ids("entry_id", "establishment_id", "patient_id", "hold_id", "session_id", "site_id", "practitioner_id"),
        *_moments("start_at", "end_at", "offered_at", "expires_at"),
        *_moments("answered_at", optional=True),
        *_texts("outcome"),
        _check(table, "outcome", "outcome in ('', 'accepted', 'declined', 'expired', 'withdrawn')"),
        *_references(
            table,
            entry_id="waiting_entry",
            establishment_id="establishment",
            patient_id="patient",
            site_id="site",
            practitioner_id="practitioner",
        ),
        _key(table),
        sa.UniqueConstraint("hold_id", name=op.f(f"uq_{table}_hold_id")),
    )
    for column in ("entry_id", "session_id"):
        _index(table, column)
    op.create_index(
        "uq_waiting_offer_one_at_a_time",
        table,
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("outcome = ''"),
    )


def _create_freed_slot() -> None:
    table = "freed_slot"
    op.create_table(
        table,
        *_ids("appointment_id", "establishment_id"),
        sa.Column("was_taken", sa.Boolean(), nullable=False),
        *_moments("counted_at"),
        *_references(table, appointment_id="appointment", establishment_id="establishment"),
        _key(table, "appointment_id"),
    )


def _protect() -> None:
    for table in ("appointment_request", "waiting_entry"):
        may.protect(table, read=_CONCERNED, insert=_CONCERNED, update=_CONCERNED)
    may.restrain("appointment_request", may.within("administrative", unless_masked=True))
    may.restrain("waiting_entry", may.within("administrative"))
    # What hides a visit from those who act for its patient hides that an earlier time is wanted for it.
    may.restrain(
        "waiting_entry",
        may.either(
            "appointment_id is null",
            f"not {may.proxied()}",
            "exists (select 1 from appointment a where a.id = appointment_id)",
        ),
        name="masked",
    )
    of_request = "exists (select 1 from appointment_request r where r.id = request_id)"
    of_entry = "exists (select 1 from waiting_entry e where e.id = entry_id)"
    author = may.actor('"by"')
    may.protect("request_message", read=of_request, insert=may.both(author, of_request), write=may.SYSTEM)
    may.protect("request_change", read=of_request, insert=may.both(author, of_request))
    may.protect("appointment_proposal", read=of_request, insert=may.both(_AGENTS, of_request), update=of_request)
    may.protect("waiting_change", read=of_entry, insert=may.both(author, of_entry))
    may.protect("waiting_offer", read=of_entry, insert=may.SYSTEM, update=of_entry)
    may.protect("freed_slot", read=may.SYSTEM, write=may.SYSTEM)


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
