"""The admissions office: lines, presences, card readings, messages; indices of its tray; what is there of a linked person."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_TABLES = ("preadmission_message", "preadmission_reading", "preadmission_presence", "preadmission_line")
_QUEUES = {
    "to_process": "state in ('submitted', 'in_review', 'completed')",
    "waiting": "state = 'to_complete'",
    "ready": "state in ('validated', 'transmitted', 'integrated')",
    "closed": "state in ('closed', 'refused', 'cancelled_by_patient', 'cancelled_by_hospital', 'lapsed')",
}
_OFFICE = may.either(may.staff("preadmission"), may.SYSTEM)
_FILE = (
    "exists (select 1 from preadmission f where f.id = preadmission_id and f.establishment_id = {0}.establishment_id)"
)

_AS_KNOWN_THERE = """
create function preadmission_known_there(wanted uuid, hospital uuid)
returns table (birth_name text, used_name text, first_names text[], birth_on date, sex text, ipp text)
language plpgsql as $$
declare
  former text := coalesce(current_setting('parvis.system', true), '');
begin
  perform set_config('parvis.system', 'preadmission.compare', true);
  return query
    select p.birth_name, p.used_name, p.first_names, p.birth_on, p.sex, l.ipp
    from enrolment_link l join patient p on p.id = l.record_patient_id
    where l.patient_id = wanted and l.establishment_id = hospital and l.undone_at is null
      and hospital = any (string_to_array(current_setting('parvis.at_preadmission', true), ',')::uuid[]);
  perform set_config('parvis.system', former, true);
end $$
"""
"""The hospital's own description of a linked person is kept aside, where its identity unit alone finds it. The
admissions office compares it with the card: this reads it as the system, and only for an agent of that hospital."""


def upgrade() -> None:
    _create_lines()
    _create_presences()
    _create_readings()
    _create_messages()
    for name, states in _QUEUES.items():
        op.create_index(
            f"ix_preadmission_{name}",
            "preadmission",
            ["establishment_id", "planned_on", "submitted_at", "id"],
            postgresql_where=sa.text(states),
        )
    op.create_index(
        "ix_preadmission_agent_id", "preadmission", ["agent_id"], postgresql_where=sa.text("agent_id is not null")
    )
    op.execute(_AS_KNOWN_THERE)


def _ids(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def _of_a_file(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            ["preadmission_id"],
            ["preadmission.id"],
            name=op.f(f"fk_{table}_preadmission_id"),
            ondelete="cascade",
        ),
        _of_a_hospital(table),
    ]


def _of_a_hospital(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["establishment_id"], ["establishment.id"], name=op.f(f"fk_{table}_establishment_id")
    )


def _create_lines() -> None:
    table = "preadmission_line"
    kinds = "kind in ('note', 'assigned', 'taken_over', 'released', 'spoken_with', 'compared', 'link_resent')"
    op.create_table(
        table,
        *_ids("preadmission_id", "establishment_id"),
        *_texts("kind", "body", "actor", "actor_name"),
        *_moments("at"),
        *_ids("id"),
        sa.CheckConstraint(kinds, name=op.f(f"ck_{table}_kind")),
        *_of_a_file(table),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_preadmission_line_preadmission_id_at", table, ["preadmission_id", "at"])
    written = may.both(may.either(may.actor(), may.SYSTEM), _OFFICE, _FILE.format(table))
    may.protect(table, read=_OFFICE, insert=written, delete=may.SYSTEM)


def _create_presences() -> None:
    table = "preadmission_presence"
    op.create_table(
        table,
        *_ids("preadmission_id", "account_id", "establishment_id"),
        *_texts("name"),
        *_moments("since_at", "seen_at"),
        *_of_a_file(table),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id")),
        sa.PrimaryKeyConstraint("preadmission_id", "account_id", name=op.f(f"pk_{table}")),
    )
    own = may.either(may.both(may.account(), may.staff("preadmission"), _FILE.format(table)), may.SYSTEM)
    may.protect(table, read=_OFFICE, write=own)


def _create_readings() -> None:
    table = "preadmission_reading"
    op.create_table(
        table,
        *_ids("preadmission_id", "establishment_id"),
        *_texts("birth_name", "used_name", "first_names"),
        sa.Column("birth_on", sa.Date(), nullable=True),
        *_texts("sex", "read_by_name"),
        *_moments("read_at"),
        *_of_a_file(table),
        sa.PrimaryKeyConstraint("preadmission_id", name=op.f(f"pk_{table}")),
    )
    theirs = may.both(_OFFICE, _FILE.format(table))
    may.protect(table, read=_OFFICE, insert=theirs, update=theirs, delete=may.SYSTEM)


def _create_messages() -> None:
    table = "preadmission_message"
    op.create_table(
        table,
        *_ids("establishment_id"),
        *_texts("occasion", "title", "body"),
        *_moments("changed_at"),
        *_texts("changed_by_name"),
        *_ids("id"),
        sa.CheckConstraint("occasion in ('ask', 'refuse')", name=op.f(f"ck_{table}_occasion")),
        _of_a_hospital(table),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_establishment_id"), table, ["establishment_id"])
    administrators = may.either(may.staff("administration"), may.SYSTEM)
    may.protect(table, read=may.either(administrators, may.staff("preadmission")), write=administrators)


def downgrade() -> None:
    op.execute("drop function preadmission_known_there(uuid, uuid)")
    op.drop_index("ix_preadmission_agent_id", "preadmission")
    for name in _QUEUES:
        op.drop_index(f"ix_preadmission_{name}", "preadmission")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
