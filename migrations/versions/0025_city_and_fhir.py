"""Patients whom practitioners of the city send, and appointments under other systems' identifiers.

A practitioner describes a patient; the hospital registers a provisional person. What was typed is kept apart, for its
author alone: the practitioner never reads the person's own row, which the hospital completes and may find to be
somebody it knew. So nothing typed here finds, or tells, who is known.
"""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_A_PROFESSIONAL = "(select nullif(current_setting('parvis.professional', true), '')) is not null"
_SENT_BY_ME = may.both(
    # Decided once a statement, and false for everybody else.
    _A_PROFESSIONAL,
    "exists (select 1 from appointment a where a.id = claim.owner_id and "
    + may.professional("a.professional_id")
    + ")",
)
_SENT_THERE_BY_ME = may.both(
    _A_PROFESSIONAL,
    "ipp is null",
    "exists (select 1 from sent_patient s where s.patient_id = patient_record.patient_id"
    " and s.establishment_id = patient_record.establishment_id and " + may.professional("s.professional_id") + ")",
)


def upgrade() -> None:
    _create_sent()
    _create_identifiers()
    op.execute(f"create policy claim_read_sent on claim for select using ({_SENT_BY_ME})")
    op.execute(f"create policy claim_insert_sent on claim for insert with check ({_SENT_BY_ME})")
    op.execute(f"create policy claim_delete_sent on claim for delete using ({_SENT_BY_ME})")
    op.execute(
        f"create policy patient_record_insert_sent on patient_record for insert with check ({_SENT_THERE_BY_ME})"
    )


def _create_sent() -> None:
    op.create_table(
        "sent_patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.Column(f"{whose}_id", sa.Uuid(), nullable=False)
            for whose in ("professional", "establishment", "patient")
        ),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("birth_name", "first_name", "sex", "mobile", "email")
        ),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint([f"{parent}_id"], [f"{parent}.id"], name=op.f(f"fk_sent_patient_{parent}_id"))
            for parent in ("professional", "establishment", "patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_patient")),
    )
    for column in ("professional_id", "patient_id"):
        op.create_index(op.f(f"ix_sent_patient_{column}"), "sent_patient", [column])
    op.create_table(
        "sent_appointment",
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("sent_patient_id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint([f"{parent}_id"], [f"{parent}.id"], name=op.f(f"fk_sent_appointment_{parent}_id"))
            for parent in ("appointment", "sent_patient", "professional")
        ),
        sa.PrimaryKeyConstraint("appointment_id", name=op.f("pk_sent_appointment")),
    )
    for column in ("sent_patient_id", "professional_id"):
        op.create_index(op.f(f"ix_sent_appointment_{column}"), "sent_appointment", [column])
    mine = may.either(may.professional(), may.SYSTEM)
    may.protect("sent_patient", read=mine, insert=mine, update=may.SYSTEM)
    may.protect("sent_appointment", read=mine, insert=mine)


def _create_identifiers() -> None:
    op.create_table(
        "appointment_identifier",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{parent}_id"], [f"{parent}.id"], name=op.f(f"fk_appointment_identifier_{parent}_id")
            )
            for parent in ("establishment", "appointment")
        ),
        sa.PrimaryKeyConstraint("establishment_id", "system", "value", name=op.f("pk_appointment_identifier")),
    )
    op.create_index(op.f("ix_appointment_identifier_appointment_id"), "appointment_identifier", ["appointment_id"])
    agents = may.either(may.staff("appointments"), may.SYSTEM)
    may.protect("appointment_identifier", read=agents, insert=agents, delete=agents)


def downgrade() -> None:
    for command in ("read", "insert", "delete"):
        op.execute(f"drop policy claim_{command}_sent on claim")
    op.execute("drop policy patient_record_insert_sent on patient_record")
    for table in ("appointment_identifier", "sent_appointment", "sent_patient"):
        op.drop_table(table)
