"""Documents of patients and exchanges with practitioners."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_exchanges()
    _create_documents()
    _protect_exchanges()
    _protect_documents()


def _create_exchanges() -> None:
    op.create_table(
        "exchange",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("birth_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state in ('received', 'opened', 'delivered', 'read')", name=op.f("ck_exchange_state")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_exchange_establishment_id")),
        sa.ForeignKeyConstraint(["professional_id"], ["professional.id"], name=op.f("fk_exchange_professional_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_exchange_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange")),
        sa.UniqueConstraint("reference", name=op.f("uq_exchange_reference")),
    )
    op.create_index(
        "ix_exchange_establishment_id_changed_at", "exchange", ["establishment_id", "changed_at"], unique=False
    )
    op.create_index(
        "ix_exchange_professional_id_changed_at", "exchange", ["professional_id", "changed_at"], unique=False
    )
    op.create_table(
        "exchange_message",
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sender in ('professional', 'unit')", name=op.f("ck_exchange_message_sender")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_exchange_message_establishment_id")
        ),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"], name=op.f("fk_exchange_message_exchange_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_exchange_message_file_id")),
        sa.ForeignKeyConstraint(
            ["professional_id"], ["professional.id"], name=op.f("fk_exchange_message_professional_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_message")),
    )
    op.create_index(op.f("ix_exchange_message_exchange_id"), "exchange_message", ["exchange_id"], unique=False)
    op.create_table(
        "exchange_change",
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_exchange_change_establishment_id")
        ),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"], name=op.f("fk_exchange_change_exchange_id")),
        sa.ForeignKeyConstraint(
            ["professional_id"], ["professional.id"], name=op.f("fk_exchange_change_professional_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_change")),
    )
    op.create_index(op.f("ix_exchange_change_exchange_id"), "exchange_change", ["exchange_id"], unique=False)


def _create_documents() -> None:
    op.create_table(
        "document_arrival",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_document_arrival_establishment_id")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_document_arrival_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_arrival")),
    )
    op.create_index(
        op.f("ix_document_arrival_establishment_id"), "document_arrival", ["establishment_id"], unique=False
    )
    op.create_table(
        "document",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("arrival_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("superseded_by_id", sa.Uuid(), nullable=True),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("type_label", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confidentiality", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_speciality", sa.Text(), nullable=False),
        sa.Column("author_organization", sa.Text(), nullable=False),
        sa.Column("birth_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("ins", sa.Text(), nullable=False),
        sa.Column("ins_oid", sa.Text(), nullable=False),
        sa.Column("ipp", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state in ('filed', 'superseded')) = (patient_id is not null)", name=op.f("ck_document_patient_when_filed")
        ),
        sa.CheckConstraint("state in ('tray', 'filed', 'superseded', 'discarded')", name=op.f("ck_document_state")),
        sa.ForeignKeyConstraint(["arrival_id"], ["document_arrival.id"], name=op.f("fk_document_arrival_id")),
        sa.ForeignKeyConstraint(["content_id"], ["stored_file.id"], name=op.f("fk_document_content_id")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_document_establishment_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_document_file_id")),
        sa.ForeignKeyConstraint(["message_id"], ["exchange_message.id"], name=op.f("fk_document_message_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_document_patient_id")),
        sa.ForeignKeyConstraint(["superseded_by_id"], ["document.id"], name=op.f("fk_document_superseded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("establishment_id", "unique_id", name=op.f("uq_document_establishment_id_unique_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_document_message_id")),
    )
    op.create_index(op.f("ix_document_arrival_id"), "document", ["arrival_id"], unique=False)
    op.create_index("ix_document_establishment_id_set_id", "document", ["establishment_id", "set_id"], unique=False)
    op.create_index("ix_document_establishment_id_state", "document", ["establishment_id", "state"], unique=False)
    op.create_index(op.f("ix_document_patient_id"), "document", ["patient_id"], unique=False)
    op.create_index(op.f("ix_document_superseded_by_id"), "document", ["superseded_by_id"], unique=False)
    op.create_table(
        "document_change",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_change_document_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_document_change_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_change")),
    )
    op.create_index(op.f("ix_document_change_document_id"), "document_change", ["document_id"], unique=False)
    op.create_table(
        "document_reading",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_document_reading_account_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_reading_document_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_document_reading_patient_id")),
        sa.PrimaryKeyConstraint("document_id", "account_id", name=op.f("pk_document_reading")),
    )


_SAME_THREAD = (
    "exists (select 1 from exchange e where e.id = exchange_id and e.professional_id = {0}.professional_id"
    " and e.establishment_id = {0}.establishment_id)"
)


def _protect_exchanges() -> None:
    """Both sides of a thread write in it, each in its own name; nobody else sees it."""
    unit, own = may.staff("documents"), may.professional()
    may.protect(
        "exchange",
        read=may.either(own, unit, may.SYSTEM),
        insert=may.either(own, unit, may.SYSTEM),
        update=may.either(own, unit, may.SYSTEM),
    )
    by_side = may.either(may.both(own, "sender = 'professional'"), may.both(unit, "sender = 'unit'"), may.SYSTEM)
    may.protect(
        "exchange_message",
        read=may.either(own, unit, may.SYSTEM),
        insert=may.both(by_side, _SAME_THREAD.format("exchange_message")),
    )
    may.protect(
        "exchange_change",
        read=may.either(own, unit, may.SYSTEM),
        insert=may.both(
            may.either(own, unit, may.SYSTEM),
            may.either(may.actor(), may.SYSTEM),
            _SAME_THREAD.format("exchange_change"),
        ),
    )


def _protect_documents() -> None:
    """Patients see what is filed for them and nothing of the tray; the hospital's agents see what came to it."""
    staff = may.either(may.staff("documents"), may.SYSTEM)
    filed = may.both(may.own(), "state in ('filed', 'superseded')")
    may.protect("document_arrival", read=staff, insert=staff)
    may.protect("document", read=may.either(filed, staff), insert=staff, update=staff)
    may.protect("document_change", read=staff, insert=may.both(staff, may.either(may.actor(), may.SYSTEM)))
    reader = may.both(may.own(), may.account())
    may.protect("document_reading", read=may.either(reader, may.SYSTEM), insert=may.either(reader, may.SYSTEM))
    for table in ("document_arrival", "document_change", "document_reading", "exchange_message", "exchange_change"):
        op.execute(f"comment on table {table} is 'append-only'")
    # An agent gives a file of the tray to a patient; foundations let only the sender and the system change a file.
    of_tray = may.both("staff_right = 'documents'", may.staff("documents"))
    op.execute(f"create policy stored_file_filing on stored_file for update using ({of_tray}) with check ({of_tray})")


def downgrade() -> None:
    op.execute("drop policy stored_file_filing on stored_file")
    for table in (
        "document_reading",
        "document_change",
        "document",
        "document_arrival",
        "exchange_change",
        "exchange_message",
        "exchange",
    ):
        op.execute(f"drop table {table} cascade")
