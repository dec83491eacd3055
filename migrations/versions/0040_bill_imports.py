"""Bill imports: which file was read, by whom, what it changed at which hospital, and the remarks on its lines."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bill_import",
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('csv', 'pes')", name="ck_bill_import_kind"),
        sa.CheckConstraint("state in ('running', 'done', 'stopped')", name="ck_bill_import_state"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bill_import_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_import"),
    )
    op.create_index("ix_bill_import_began_at", "bill_import", ["began_at"])
    op.create_table(
        "bill_import_place",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default="0", nullable=False)
            for name in ("added", "changed", "unchanged", "refused", "closed", "left_out")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name="fk_bill_import_place_establishment_id"
        ),
        sa.ForeignKeyConstraint(["import_id"], ["bill_import.id"], name="fk_bill_import_place_import_id"),
        sa.PrimaryKeyConstraint("import_id", "establishment_id", name="pk_bill_import_place"),
    )
    op.create_table(
        "bill_import_remark",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('refused', 'noticed')", name="ck_bill_import_remark_kind"),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name="fk_bill_import_remark_establishment_id"
        ),
        sa.ForeignKeyConstraint(["import_id"], ["bill_import.id"], name="fk_bill_import_remark_import_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_import_remark"),
    )
    op.create_index("ix_bill_import_remark_import_id", "bill_import_remark", ["import_id", "line"])
    _protect()
    _stage()


def _stage() -> None:
    """Without policies: COPY is refused under them. No row of it is ever committed; autovacuum soon sweeps the dead."""
    texts = ("finess", "source", "exer", "reference", "refdet", "label", "unit")
    op.create_table(
        "bill_staging",
        sa.Column("line", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("care_on", "issued_on", "due_on")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("total_cents", "amo_cents", "amc_cents", "due_cents")
        ),
        sa.Column("ipp", sa.Text(), nullable=False),
        sa.Column("bill_source", sa.Text(), nullable=False),
        sa.Column("access_digest", sa.LargeBinary(), nullable=True),
        sa.Column("birth_digest", sa.LargeBinary(), nullable=True),
        sa.Column("closed", sa.Text(), nullable=False),
        prefixes=["unlogged"],
    )
    op.execute("alter table bill_staging set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)")


def _protect() -> None:
    """A report is seen by the staff of the hospitals it concerns, each their part, and by the agent who sent the file."""
    staff = may.staff("billing")
    concerned = "exists (select 1 from bill_import_place p where p.import_id = bill_import.id)"
    agent = may.both(may.account(), "(select nullif(current_setting('parvis.at_billing', true), '')) is not null")
    may.protect(
        "bill_import",
        read=may.either(concerned, agent, may.SYSTEM),
        insert=may.both(may.actor(), may.either(agent, may.SYSTEM)),
        update=may.SYSTEM,
    )
    may.protect("bill_import_place", read=may.either(staff, may.SYSTEM), insert=may.SYSTEM, update=may.SYSTEM)
    seen = "exists (select 1 from bill_import i where i.id = bill_import_remark.import_id)"
    may.protect(
        "bill_import_remark",
        read=may.either(staff, may.both("establishment_id is null", seen), may.SYSTEM),
        insert=may.SYSTEM,
    )


def downgrade() -> None:
    for table in ("bill_staging", "bill_import_remark", "bill_import_place", "bill_import"):
        op.execute(f"drop table {table} cascade")
