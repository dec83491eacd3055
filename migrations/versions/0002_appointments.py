"""Appointments: reasons, consultation sessions, claims, appointments.

Who may write what, and why it takes no SECURITY DEFINER function:
- Free time is public: anybody may look for a slot before signing in, so reasons and sessions are readable by all.
- Booking takes bits from `consultation_session.free`, so whoever may book may update sessions: signed-in patients
  (somebody with at least one patient to act for), agents of the hospital, jobs. The two checks on the masks bound
  what such an update can do; all else in the row is written by the hospital's agents only, in code that patients'
  routes do not call. A wrong mask cannot double-book: claims decide.
- A claim is inserted blindly (`on conflict do nothing`): the key tells that a cell is taken, the policy hides by whom.
  Everybody inserts and deletes claims of their own patients only, agents those of their hospital.
- Changes name their author: the policy compares it with the declared actor.
"""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SOME_PATIENT = "(select current_setting('parvis.patients', true)) <> ''"
_TABLES = ("appointment_change", "claim", "appointment", "session_reason", "consultation_session", "reason")


def upgrade() -> None:
    _create_offer()
    _create_appointments()
    _protect()
    op.execute("comment on table appointment_change is 'append-only'")


def _create_offer() -> None:
    op.create_table(
        "reason",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("bookable_online", sa.Boolean(), nullable=False),
        sa.Column("open_to_new_patients", sa.Boolean(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("to_bring", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("min_delay_hours", sa.Integer(), nullable=False),
        sa.Column("max_delay_days", sa.Integer(), nullable=False),
        sa.Column("cancel_cutoff_hours", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("duration_min between 5 and 900", name=op.f("ck_reason_duration")),
        sa.CheckConstraint(
            "min_delay_hours >= 0 and max_delay_days > 0 and cancel_cutoff_hours >= 0", name=op.f("ck_reason_delays")
        ),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_reason_establishment_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_reason_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason")),
    )
    op.create_index(op.f("ix_reason_establishment_id"), "reason", ["establishment_id"])
    op.create_index(op.f("ix_reason_unit_id"), "reason", ["unit_id"])
    op.create_table(
        "consultation_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("step_min", sa.SmallInteger(), nullable=False),
        sa.Column("n_cells", sa.SmallInteger(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("step_min in (5, 10, 15)", name=op.f("ck_consultation_session_step")),
        sa.CheckConstraint("n_cells between 1 and 60", name=op.f("ck_consultation_session_n_cells")),
        sa.CheckConstraint("open >= 0 and open < (1::bigint << n_cells)", name=op.f("ck_consultation_session_open")),
        sa.CheckConstraint("(free & ~open) = 0", name=op.f("ck_consultation_session_free_within_open")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_consultation_session_establishment_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_consultation_session_site_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_consultation_session_unit_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_consultation_session_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation_session")),
    )
    op.create_index(op.f("ix_consultation_session_establishment_id"), "consultation_session", ["establishment_id"])
    op.create_index(
        "ix_consultation_session_to_book",
        "consultation_session",
        ["unit_id", "local_date"],
        postgresql_where=sa.text("free <> 0"),
    )
    op.create_index(
        "ix_consultation_session_practitioner_id_start_at", "consultation_session", ["practitioner_id", "start_at"]
    )
    op.create_table(
        "session_reason",
        sa.Column("reason_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reason_id"], ["reason.id"], name=op.f("fk_session_reason_reason_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["consultation_session.id"],
            name=op.f("fk_session_reason_session_id"),
            ondelete="cascade",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_session_reason_establishment_id")
        ),
        sa.PrimaryKeyConstraint("reason_id", "session_id", name=op.f("pk_session_reason")),
    )
    op.create_index(op.f("ix_session_reason_session_id"), "session_reason", ["session_id"])


def _create_appointments() -> None:
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("reason_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("first_cell", sa.SmallInteger(), nullable=False),
        sa.Column("n_cells", sa.SmallInteger(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('booked', 'cancelled')", name=op.f("ck_appointment_state")),
        sa.CheckConstraint("channel in ('web', 'phone')", name=op.f("ck_appointment_channel")),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_appointment_ends_after_it_starts")),
        *(
            sa.ForeignKeyConstraint([f"{parent}_id"], [f"{parent}.id"], name=op.f(f"fk_appointment_{parent}_id"))
            for parent in ("establishment", "patient", "site", "unit", "practitioner", "reason")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["consultation_session.id"], name=op.f("fk_appointment_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("establishment_id", "reference", name=op.f("uq_appointment_establishment_id_reference")),
    )
    op.create_index("ix_appointment_patient_id_start_at", "appointment", ["patient_id", "start_at"])
    op.create_index("ix_appointment_unit_id_start_at", "appointment", ["unit_id", "start_at"])
    op.create_index("ix_appointment_session_id", "appointment", ["session_id"])
    op.create_table(
        "claim",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("seat", sa.SmallInteger(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "cell", "seat", name=op.f("pk_claim")),
    )
    op.create_index(op.f("ix_claim_appointment_id"), "claim", ["appointment_id"])
    op.create_table(
        "appointment_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_appointment_change_appointment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_change")),
    )
    op.create_index(op.f("ix_appointment_change_appointment_id"), "appointment_change", ["appointment_id"])


def _protect() -> None:
    agents = may.either(may.staff("appointments"), may.SYSTEM)
    concerned = may.either(may.own(), may.staff("appointments"), may.SYSTEM)
    may.protect("reason", read=may.ANYBODY, write=agents)
    may.protect("session_reason", read=may.ANYBODY, write=agents)
    may.protect(
        "consultation_session",
        read=may.ANYBODY,
        insert=agents,
        update=may.either(_SOME_PATIENT, agents),
        delete=agents,
    )
    may.protect("claim", read=concerned, insert=concerned, delete=concerned)
    may.protect("appointment", read=concerned, insert=concerned, update=concerned)
    may.protect("appointment_change", read=concerned, insert=may.both(may.actor('"by"'), concerned))


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
