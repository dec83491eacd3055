"""Documents that hospital systems send, and those that go back to them; what becomes of refused and misfiled ones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import policies as may

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _extend_document()
    _create_decisions()
    _create_misfilings()
    _create_numbers()
    _protect()


def _extend_document() -> None:
    codes = sa.ARRAY(sa.Text())
    op.add_column("document", sa.Column("custodian_id", sa.Text(), server_default="", nullable=False))
    op.add_column("document", sa.Column("visibility", codes, server_default="{}", nullable=False))
    op.add_column("document", sa.Column("wishes", codes, server_default="{}", nullable=False))
    _restate(
        "state in ('tray', 'filed', 'superseded', 'discarded', 'withdrawn')",
        "state = 'withdrawn' or (state in ('filed', 'superseded')) = (patient_id is not null)",
    )
    withdrawn = may.both(may.own(), "state = 'withdrawn'")
    op.execute(f"create policy document_withdrawn on document for select using ({withdrawn})")
    # A restriction of the sender: the patient alone is concerned, agents of the hospital are not.
    hidden = "visibility && '{INVISIBLE_PATIENT}'"
    own = f"coalesce({may.own()}, false)"
    may.restrain("document", may.either(f"not {own}", f"not ({hidden})"), command="select", name="hidden")


def _restate(state: str, patient: str) -> None:
    for name, condition in (("state", state), ("patient_when_filed", patient)):
        op.drop_constraint(op.f(f"ck_document_{name}"), "document")
        op.create_check_constraint(op.f(f"ck_document_{name}"), "document", condition)


def _create_decisions() -> None:
    op.create_table(
        "arrival_decision",
        sa.Column("arrival_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome in ('released', 'tray', 'returned', 'discarded')", name=op.f("ck_arrival_decision_outcome")
        ),
        sa.ForeignKeyConstraint(["arrival_id"], ["document_arrival.id"], name=op.f("fk_arrival_decision_arrival_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_arrival_decision_establishment_id")
        ),
        sa.PrimaryKeyConstraint("arrival_id", name=op.f("pk_arrival_decision")),
        comment="append-only",
    )
    op.create_index(
        op.f("ix_arrival_decision_establishment_id"), "arrival_decision", ["establishment_id"], unique=False
    )


def _create_misfilings() -> None:
    op.create_table(
        "document_misfiling",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("openings", JSONB(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_misfiling_document_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_document_misfiling_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_document_misfiling_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_misfiling")),
    )
    op.create_index(op.f("ix_document_misfiling_document_id"), "document_misfiling", ["document_id"], unique=False)


def _create_numbers() -> None:
    op.create_table(
        "his_document",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_his_document_document_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_his_document_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_his_document")),
        sa.UniqueConstraint(
            "establishment_id",
            "number",
            "sender",
            "document_id",
            name=op.f("uq_his_document_establishment_id_number_sender_document_id"),
        ),
    )
    op.create_index(op.f("ix_his_document_document_id"), "his_document", ["document_id"], unique=False)


def _protect() -> None:
    staff = may.either(may.staff("documents"), may.SYSTEM)
    by_whom = may.both(staff, may.either(may.actor(), may.SYSTEM))
    may.protect("arrival_decision", read=staff, insert=by_whom)
    # Who opened it is written by the system, which alone sees who reads what.
    may.protect("document_misfiling", read=staff, insert=by_whom, update=may.SYSTEM)
    may.protect("his_document", read=staff, insert=staff, update=staff)


def downgrade() -> None:
    for table in ("his_document", "document_misfiling", "arrival_decision"):
        op.execute(f"drop table {table} cascade")
    for policy in ("document_hidden", "document_withdrawn"):
        op.execute(f"drop policy {policy} on document")
    op.execute("alter table document no force row level security")
    op.execute("update document set state = 'superseded' where state = 'withdrawn' and patient_id is not null")
    op.execute("update document set state = 'discarded' where state = 'withdrawn'")
    op.execute("alter table document force row level security")
    _restate(
        "state in ('tray', 'filed', 'superseded', 'discarded')",
        "(state in ('filed', 'superseded')) = (patient_id is not null)",
    )
    for column in ("wishes", "visibility", "custodian_id"):
        op.drop_column("document", column)
