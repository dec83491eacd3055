"""Files of payments compared with the ledger, and what the treasury is told each day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_TABLES = (
    "treasury_line",
    "treasury_batch",
    "treasury_counter",
    "settlement_day",
    "settlement_difference_change",
    "settlement_difference",
    "settlement_line",
    "settlement_file",
)
_ADDED_TO_ONLY = (
    "settlement_file",
    "settlement_difference_change",
    "settlement_day",
    "treasury_batch",
    "treasury_line",
)


def upgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _files()
    _differences()
    _days()
    _treasury()
    keepers = may.either(may.staff("billing"), may.SYSTEM)
    for table in _TABLES:
        if table in _ADDED_TO_ONLY:
            op.execute(f"comment on table {table} is 'append-only'")
            may.protect(table, read=keepers, insert=keepers)
        else:
            may.protect(table, read=keepers, insert=keepers, update=keepers)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _at_hospital(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=f"fk_{table}_establishment_id"),
    )


def _keyed(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        *_at_hospital(table),
    )


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in names)


def _whole(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.Integer(), nullable=False) for name in names)


def _cents(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(f"{name}_cents", sa.BigInteger(), nullable=False) for name in names)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _files() -> None:
    op.create_table(
        "settlement_file",
        *_keyed("settlement_file"),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        *_texts("name", "sha256", "actor", "actor_name"),
        _moment("imported_at"),
        *_whole("added", "changed", "unchanged", "refused"),
        sa.Column("refusals", postgresql.JSONB(), nullable=False),
    )
    op.create_index("ix_settlement_file_run_id", "settlement_file", ["run_id"])
    op.create_index(
        "ix_settlement_file_establishment_id_imported_at", "settlement_file", ["establishment_id", "imported_at"]
    )
    op.create_table(
        "settlement_line",
        *_keyed("settlement_line"),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        *_texts("kind", "key", "psp", "account", "psp_ref", "number", "source", "exer", "reference"),
        *_cents("amount"),
        *_texts("means"),
        sa.Column("happened_on", sa.Date(), nullable=False),
        *_texts("note"),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        *_texts("result", "why"),
        _moment("imported_at"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_settlement_line_bill_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name="fk_settlement_line_entry_id"),
        sa.UniqueConstraint("establishment_id", "kind", "key", name="uq_settlement_line_establishment_id_kind_key"),
        sa.CheckConstraint("kind in ('online', 'elsewhere', 'cancelled', 'rejected')", name="ck_settlement_line_kind"),
        sa.CheckConstraint("result in ('', 'done', 'reported')", name="ck_settlement_line_result"),
        sa.CheckConstraint("amount_cents >= 0", name="ck_settlement_line_amount"),
    )
    op.create_index(
        "ix_settlement_line_establishment_id_happened_on", "settlement_line", ["establishment_id", "happened_on"]
    )
    for column in ("bill_id", "entry_id"):
        op.create_index(f"ix_settlement_line_{column}", "settlement_line", [column])
    op.create_index(
        "ix_settlement_line_unmatched",
        "settlement_line",
        ["establishment_id"],
        postgresql_where=sa.text("kind = 'online' and entry_id is null"),
    )
    op.create_index(
        "ix_settlement_line_pending", "settlement_line", ["imported_at"], postgresql_where=sa.text("result = ''")
    )


def _differences() -> None:
    op.create_table(
        "settlement_difference",
        *_keyed("settlement_difference"),
        *_texts("kind", "subject", "psp", "account"),
        sa.Column("day", sa.Date(), nullable=False),
        *_texts("reference"),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        *_cents("file", "ledger"),
        *_texts("state", "note", "decided_by"),
        _moment("decided_at", nullable=True),
        _moment("found_at"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_settlement_difference_bill_id"),
        sa.UniqueConstraint(
            "establishment_id", "kind", "subject", name="uq_settlement_difference_establishment_id_kind_subject"
        ),
        sa.CheckConstraint(
            "kind in ('not_in_ledger', 'not_in_file', 'amount', 'counter', 'unknown_reference', 'also_paid_here',"
            " 'part_only', 'rejection')",
            name="ck_settlement_difference_kind",
        ),
        sa.CheckConstraint("state in ('open', 'explained', 'closed')", name="ck_settlement_difference_state"),
    )
    op.create_index(
        "ix_settlement_difference_establishment_id_day", "settlement_difference", ["establishment_id", "day"]
    )
    op.create_index("ix_settlement_difference_bill_id", "settlement_difference", ["bill_id"])
    op.create_index(
        "ix_settlement_difference_open",
        "settlement_difference",
        ["establishment_id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "settlement_difference_change",
        *_keyed("settlement_difference_change"),
        sa.Column("difference_id", sa.Uuid(), nullable=False),
        *_texts("before", "after", "why", "actor", "actor_name"),
        _moment("at"),
        sa.ForeignKeyConstraint(
            ["difference_id"], ["settlement_difference.id"], name="fk_settlement_difference_change_difference_id"
        ),
    )
    op.create_index("ix_settlement_difference_change_difference_id", "settlement_difference_change", ["difference_id"])


def _days() -> None:
    op.create_table(
        "settlement_day",
        *_keyed("settlement_day"),
        *_texts("psp", "account"),
        sa.Column("day", sa.Date(), nullable=False),
        *_cents("told", "ledger", "file"),
        *_whole("explained"),
        *_texts("closed_by", "closed_by_name"),
        _moment("closed_at"),
        sa.UniqueConstraint(
            "establishment_id", "psp", "account", "day", name="uq_settlement_day_establishment_id_psp_account_day"
        ),
    )


def _treasury() -> None:
    op.create_table(
        "treasury_batch",
        *_keyed("treasury_batch"),
        *_whole("number"),
        sa.Column("day", sa.Date(), nullable=False),
        *_texts("finess"),
        sa.Column("layout", sa.SmallInteger(), nullable=False),
        *_whole("entries", "lines"),
        *_cents("gross", "fee", "net", "bank"),
        *_texts("sha256", "sealed_by", "sealed_by_name"),
        _moment("sealed_at"),
        sa.UniqueConstraint("establishment_id", "number", name="uq_treasury_batch_establishment_id_number"),
        sa.UniqueConstraint("establishment_id", "day", name="uq_treasury_batch_establishment_id_day"),
    )
    op.create_table(
        "treasury_line",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        *_whole("position"),
        *_at_hospital("treasury_line"),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.SmallInteger(), nullable=False),
        sa.Column("cells", sa.ARRAY(sa.Text()), nullable=False),
        *_cents("gross", "fee", "net", "bank"),
        sa.PrimaryKeyConstraint("batch_id", "position", name="pk_treasury_line"),
        sa.ForeignKeyConstraint(["batch_id"], ["treasury_batch.id"], name="fk_treasury_line_batch_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name="fk_treasury_line_entry_id"),
        sa.UniqueConstraint("entry_id", "share", name="uq_treasury_line_entry_id_share"),
    )
    op.create_table(
        "treasury_counter",
        *_at_hospital("treasury_counter"),
        *_whole("last"),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("establishment_id", name="pk_treasury_counter"),
    )
