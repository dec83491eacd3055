"""Guest payers: what a browser may pay because its owner typed what the letter says."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_DIGESTS = ("access_digest", "birth_digest")


def upgrade() -> None:
    op.create_table(
        "bill_opening",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_bill_opening_bill_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_bill_opening_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_opening")),
        sa.UniqueConstraint("digest", "bill_id", name=op.f("uq_bill_opening_digest_bill_id")),
    )
    op.create_index(op.f("ix_bill_opening_bill_id"), "bill_opening", ["bill_id"])
    # An agent who draws a new key closes what the former one opened, and sees no more of it than that.
    may.protect(
        "bill_opening",
        read=may.either(may.staff("billing"), may.SYSTEM),
        insert=may.SYSTEM,
        update=may.SYSTEM,
        delete=may.either(may.staff("billing"), may.SYSTEM),
    )
    for column in _DIGESTS:
        op.create_index(op.f(f"ix_bill_{column}"), "bill", [column], postgresql_where=sa.text(f"{column} is not null"))


def downgrade() -> None:
    for column in _DIGESTS:
        op.drop_index(op.f(f"ix_bill_{column}"), "bill")
    op.drop_table("bill_opening")
