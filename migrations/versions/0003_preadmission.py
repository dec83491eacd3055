"""Requested pieces and pre-admission files."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_piece()
    _create_preadmission()
    _protect()


def _create_piece() -> None:
    op.create_table(
        "piece",
        sa.Column("folder_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("needed", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("refusal_reason", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('identity', 'health_card', 'top_up_card')", name=op.f("ck_piece_kind")),
        sa.CheckConstraint(
            "state in ('awaited', 'scanning', 'deposited', 'infected', 'accepted', 'refused', 'waived')",
            name=op.f("ck_piece_state"),
        ),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_piece_establishment_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_piece_file_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_piece_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece")),
        sa.UniqueConstraint("folder_id", "kind", name=op.f("uq_piece_folder_id_kind")),
    )
    op.create_index(op.f("ix_piece_patient_id"), "piece", ["patient_id"])
    op.create_index(op.f("ix_piece_state"), "piece", ["state"])
    op.create_table(
        "piece_change",
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_piece_change_patient_id")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_piece_change_piece_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece_change")),
    )
    op.create_index(op.f("ix_piece_change_piece_id"), "piece_change", ["piece_id"])


def _create_preadmission() -> None:
    op.create_table(
        "preadmission",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("stay_kind", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _ANSWERS),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete_by", sa.Date(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state in ('draft', 'submitted', 'in_review', 'to_complete', 'completed', 'validated', 'refused',"
            " 'cancelled_by_patient', 'lapsed')",
            name=op.f("ck_preadmission_state"),
        ),
        sa.CheckConstraint(
            "stay_kind in ('outpatient', 'day_case', 'inpatient', 'maternity')", name=op.f("ck_preadmission_stay_kind")
        ),
        sa.CheckConstraint(
            "(state = 'draft') <= (submitted_at is null)", name=op.f("ck_preadmission_draft_is_not_submitted")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_preadmission_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_preadmission_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_preadmission_patient_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_preadmission_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preadmission")),
        sa.UniqueConstraint("reference", name=op.f("uq_preadmission_reference")),
    )
    op.create_index(op.f("ix_preadmission_patient_id"), "preadmission", ["patient_id"])
    op.create_index("ix_preadmission_tray", "preadmission", ["establishment_id", "state", "planned_on"])
    op.create_table(
        "preadmission_change",
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_preadmission_change_patient_id")),
        sa.ForeignKeyConstraint(
            ["preadmission_id"], ["preadmission.id"], name=op.f("fk_preadmission_change_preadmission_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preadmission_change")),
    )
    op.create_index(op.f("ix_preadmission_change_preadmission_id"), "preadmission_change", ["preadmission_id"])


_ANSWERS = (
    "used_name", "phone", "email", "address", "amo_kind", "nir", "amc_kind", "amc_name", "amc_number",
    "relative_name", "relative_link", "relative_phone",
)  # fmt: skip


def _protect() -> None:
    """A draft is the patient's alone: staff see a file and its pieces from the submission on.

    A change is read by whoever reads what changed (the parent's own policies apply inside `exists`), and names the
    declared actor.
    """
    for table, shown in (("preadmission", "submitted_at"), ("piece", "shared_at")):
        sent = may.both(may.staff("preadmission"), f"{shown} is not null")
        theirs = may.either(may.own(), sent, may.SYSTEM)
        may.protect(table, read=theirs, insert=may.either(may.own(), may.SYSTEM), update=theirs)
        seen = f"exists (select 1 from {table} parent where parent.id = {table}_id)"
        may.protect(f"{table}_change", read=seen, insert=may.both(may.actor(), seen))
        op.execute(f"comment on table {table}_change is 'append-only'")


def downgrade() -> None:
    for table in ("preadmission_change", "preadmission", "piece_change", "piece"):
        op.execute(f"drop table {table} cascade")
