"""Questions about bills, what agents start their answers from, and reminders of bills.

Whoever may see a bill may see the questions about it: the policies look at the bill, whose own policies say what those
who act for somebody see of it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_TABLES = (
    "bill_reminder",
    "bill_reminder_setting",
    "bill_answer",
    "bill_question_change",
    "bill_question_message",
    "bill_question",
)
_STAFF = may.staff("billing")
_OWN_BILL = f"exists (select 1 from bill b where b.id = bill_question.bill_id and {may.own('b.patient_id')})"
_KINDS = "'question', 'unclear', 'dispute', 'paid', 'instalments'"


def upgrade() -> None:
    _create_questions()
    _create_messages()
    _create_changes()
    _create_answers()
    _create_settings()
    _create_reminders()


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _ids(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _create_questions() -> None:
    table = "bill_question"
    op.create_table(
        table,
        *_ids("bill_id", "establishment_id"),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        *_texts("kind", "state"),
        *_moments("asked_at", "changed_at"),
        sa.Column("due_on", sa.Date(), nullable=True),
        *_ids("id"),
        sa.CheckConstraint(f"kind in ({_KINDS})", name=op.f(f"ck_{table}_kind")),
        sa.CheckConstraint("state in ('open', 'answered', 'closed')", name=op.f(f"ck_{table}_state")),
        _to(table, "bill_id", "bill"),
        _to(table, "establishment_id", "establishment"),
        _to(table, "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_bill_question_bill_id", table, ["bill_id"])
    op.create_index("ix_bill_question_tray", table, ["establishment_id", "state", "asked_at"])
    op.create_index(
        "uq_bill_question_one_open", table, ["bill_id"], unique=True, postgresql_where=sa.text("state <> 'closed'")
    )
    anybody = may.either(_OWN_BILL, _STAFF, may.SYSTEM)
    asked = may.either(may.both(_OWN_BILL, may.account()), may.SYSTEM)
    may.protect(table, read=anybody, insert=asked, update=anybody)


def _create_messages() -> None:
    table = "bill_question_message"
    op.create_table(
        table,
        *_ids("question_id", "establishment_id"),
        *_moments("at"),
        *_texts("actor", "by_name"),
        sa.Column("from_staff", sa.Boolean(), nullable=False),
        *_texts("text"),
        *_ids("id"),
        _to(table, "question_id", "bill_question"),
        _to(table, "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_question_id", table, ["question_id"])
    _protect_what_hangs_on_a_question(table, written="from_staff")


def _create_changes() -> None:
    table = "bill_question_change"
    op.create_table(
        table,
        *_ids("question_id", "establishment_id"),
        *_texts("before", "after", "because", "actor", "by_name"),
        *_moments("at"),
        *_ids("id"),
        _to(table, "question_id", "bill_question"),
        _to(table, "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_question_id", table, ["question_id"])
    _protect_what_hangs_on_a_question(table)


def _protect_what_hangs_on_a_question(table: str, written: str = "") -> None:
    """Added in one's own name, at the question's own hospital. written: a column that is true of the hospital's rows
    alone."""
    of_question = (
        f"exists (select 1 from bill_question q where q.id = {table}.question_id"
        f" and q.establishment_id = {table}.establishment_id)"
    )
    added = may.both(may.actor(), of_question)
    if written:
        added = may.both(added, may.either(may.both(written, _STAFF), f"not {written}"))
    may.protect(table, read=may.either(of_question, may.SYSTEM), insert=may.either(added, may.SYSTEM))
    op.execute(f"comment on table {table} is 'append-only'")


def _create_answers() -> None:
    table = "bill_answer"
    op.create_table(
        table,
        *_ids("establishment_id"),
        *_texts("kind", "title", "body"),
        *_moments("changed_at"),
        *_texts("changed_by_name"),
        *_ids("id"),
        sa.CheckConstraint(f"kind in ('', {_KINDS})", name=op.f(f"ck_{table}_kind")),
        _to(table, "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_establishment_id", table, ["establishment_id"])
    theirs = may.either(_STAFF, may.SYSTEM)
    may.protect(table, read=theirs, write=theirs, delete=theirs)


def _create_settings() -> None:
    table = "bill_reminder_setting"
    op.create_table(
        table,
        *_ids("establishment_id"),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, postgresql.ARRAY(sa.SmallInteger()), nullable=False)
            for name in ("before_days", "after_days")
        ),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in ("send_at", "quiet_from", "quiet_until")),
        *_moments("changed_at"),
        sa.CheckConstraint("quiet_until <= send_at and send_at < quiet_from", name=op.f(f"ck_{table}_hours")),
        _to(table, "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("establishment_id", name=op.f(f"pk_{table}")),
    )
    theirs = may.either(_STAFF, may.SYSTEM)
    may.protect(table, read=theirs, insert=theirs, update=theirs)


def _create_reminders() -> None:
    table = "bill_reminder"
    op.create_table(
        table,
        *_ids("establishment_id", "recipient_id"),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("because", sa.Text(), server_default="", nullable=False),
        sa.Column("bills", sa.SmallInteger(), server_default="0", nullable=False),
        *_moments("planned_at", "changed_at"),
        *_ids("id"),
        sa.CheckConstraint(
            "state in ('planned', 'leaving', 'sent', 'dropped', 'refused', 'uncertain')", name=op.f(f"ck_{table}_state")
        ),
        _to(table, "establishment_id", "establishment"),
        _to(table, "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("recipient_id", "day", name=op.f(f"uq_{table}_recipient_id_day")),
    )
    op.create_index(f"ix_{table}_establishment_id", table, ["establishment_id"])
    may.protect(table, read=may.either(_STAFF, may.SYSTEM), insert=may.SYSTEM, update=may.SYSTEM, delete=may.SYSTEM)
