"""The life of a file: its calendar, invitations, reminders, usual delays, and the proof of what was erased."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TABLES = (
    "legal_hold_lift", "legal_hold", "retention_proof", "preadmission_delay", "preadmission_reminder",
    "stay_invitation_change", "stay_invitation", "stay_calendar_rule",
)  # fmt: skip
_CHECKS = {
    "opens": "opens between 1 and 365",
    "recommended": "recommended between 0 and 60",
    "cut_off": "cut_off between 0 and 30",
    "cut_off_hour": "cut_off_hour between 0 and 23",
    "to_complete_days": "to_complete_days between 1 and 30",
}
_INVITATION_STATES = "state in ('waiting', 'sent', 'told', 'opened', 'expired', 'withdrawn', 'cancelled')"
_REMINDER_STATES = "state in ('planned', 'leaving', 'sent', 'dropped', 'refused', 'uncertain')"
_KINDS = "stay_kind in ('outpatient', 'day_case', 'inpatient', 'maternity')"


def upgrade() -> None:
    _create_calendar()
    _create_invitation()
    _create_reminder()
    _create_delay()
    _create_retention()
    _protect()
    for table in ("stay_invitation_change", "retention_proof", "legal_hold", "legal_hold_lift"):
        op.execute(f"comment on table {table} is 'append-only'")


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


def _create_calendar() -> None:
    table = "stay_calendar_rule"
    op.create_table(
        table,
        *_ids("id", "establishment_id"),
        *_ids("unit_id", optional=True),
        *(sa.Column(name, sa.SmallInteger()) for name in _CHECKS),
        sa.Column("reminders", postgresql.ARRAY(sa.SmallInteger())),
        *(_check(table, name, condition) for name, condition in _CHECKS.items()),
        *_references(table, establishment_id="establishment", unit_id="unit"),
        _key(table),
    )
    op.create_index(
        "uq_stay_calendar_rule_unit_id", table, ["unit_id"], unique=True,
        postgresql_where=sa.text("unit_id is not null"),
    )  # fmt: skip
    op.create_index(
        "uq_stay_calendar_rule_hospital", table, ["establishment_id"], unique=True,
        postgresql_where=sa.text("unit_id is null"),
    )  # fmt: skip


def _create_invitation() -> None:
    table = "stay_invitation"
    op.create_table(
        table,
        *_ids("id", "establishment_id", "unit_id"),
        *_ids("patient_id", "preadmission_id", optional=True),
        *_texts("visit_number", "ipp", "stay_kind", "birth_name", "first_name", "email", "state", "source"),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("birth_on", sa.Date()),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("times_sent", sa.SmallInteger(), nullable=False),
        *_moments("created_at", "changed_at"),
        *_moments("expires_at", optional=True),
        _check(table, "state", _INVITATION_STATES),
        _check(table, "stay_kind", _KINDS),
        _check(table, "source", "source in ('agent', 'file', 'messages', 'fhir')"),
        *_references(
            table, establishment_id="establishment", unit_id="unit", patient_id="patient",
            preadmission_id="preadmission",
        ),
        sa.UniqueConstraint("digest", name=op.f("uq_stay_invitation_digest")),
        _key(table),
    )  # fmt: skip
    op.create_index(
        "uq_stay_invitation_visit", table, ["establishment_id", "visit_number"], unique=True,
        postgresql_where=sa.text("visit_number <> ''"),
    )  # fmt: skip
    op.create_index("ix_stay_invitation_planned_on", table, ["establishment_id", "planned_on"])
    for column in ("patient_id", "preadmission_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    table = "stay_invitation_change"
    op.create_table(
        table,
        *_ids("id", "invitation_id", "establishment_id"),
        *_texts("actor", "actor_name", "from_state", "to_state", "reason"),
        *_moments("at"),
        *_references(table, invitation_id="stay_invitation", establishment_id="establishment"),
        _key(table),
    )
    op.create_index(op.f(f"ix_{table}_invitation_id"), table, ["invitation_id"])


def _create_reminder() -> None:
    table = "preadmission_reminder"
    op.create_table(
        table,
        *_ids("id", "establishment_id", "account_id"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="planned"),
        sa.Column("because", sa.Text(), nullable=False, server_default=""),
        *_moments("planned_at", "changed_at"),
        _check(table, "state", _REMINDER_STATES),
        *_references(table, establishment_id="establishment", account_id="account"),
        sa.UniqueConstraint("account_id", "day", name=op.f(f"uq_{table}_account_id_day")),
        _key(table),
    )


def _create_delay() -> None:
    table = "preadmission_delay"
    op.create_table(
        table,
        *_ids("establishment_id"),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("days", "median_days", "cases")),
        *_moments("computed_at"),
        *_references(table, establishment_id="establishment"),
        _key(table, "establishment_id"),
    )


def _create_retention() -> None:
    table = "retention_proof"
    op.create_table(
        table,
        *_ids("id"),
        *_ids("establishment_id", optional=True),
        *_texts("rule", "actor"),
        *_moments("at", "older_than"),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("erased", "held", "failed")),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_references(table, establishment_id="establishment"),
        _key(table),
    )
    op.create_index("ix_retention_proof_at", table, ["at"])
    table = "legal_hold"
    op.create_table(
        table,
        *_ids("id", "establishment_id", "subject_id", "patient_id"),
        *_texts("object_kind", "label", "reason", "set_by", "set_by_name"),
        *_moments("set_at"),
        _check(table, "reason", "reason <> ''"),
        *_references(table, establishment_id="establishment", patient_id="patient"),
        _key(table),
    )
    for column in ("subject_id", "patient_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    table = "legal_hold_lift"
    op.create_table(
        table,
        *_ids("id", "hold_id", "establishment_id"),
        *_texts("reason", "lifted_by", "lifted_by_name"),
        *_moments("lifted_at"),
        _check(table, "reason", "reason <> ''"),
        *_references(table, hold_id="legal_hold", establishment_id="establishment"),
        sa.UniqueConstraint("hold_id", name=op.f(f"uq_{table}_hold_id")),
        _key(table),
    )


def _protect() -> None:
    administrators = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("stay_calendar_rule", read=may.ANYBODY, write=administrators)
    # The letter's code is looked for as the system: until then an invitation is nobody's but the hospital's.
    office = may.either(may.staff("preadmission"), may.SYSTEM)
    may.protect("stay_invitation", read=office, insert=office, update=office)
    may.protect("stay_invitation_change", read=office, insert=office)
    may.protect(
        "preadmission_reminder", read=may.either(may.account(), may.SYSTEM), insert=may.SYSTEM, update=may.SYSTEM,
        delete=may.SYSTEM,
    )  # fmt: skip
    may.protect("preadmission_delay", read=may.ANYBODY, write=may.SYSTEM)
    holds = may.either(may.any_staff(), may.SYSTEM)
    may.protect("legal_hold", read=holds, insert=administrators)
    may.protect("legal_hold_lift", read=holds, insert=administrators)
    of_portal = (
        "establishment_id is null and coalesce((select current_setting('parvis.at_administration', true)), '') <> ''"
    )
    may.protect("retention_proof", read=may.either(administrators, of_portal), insert=may.SYSTEM)


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
