"""The public register of doctors, from which a patient chooses theirs."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    texts = ("rpps", "family_name", "given_name", "speciality", "postcode", "town", "name_key", "town_key")
    op.create_table(
        "doctor",
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doctor")),
        sa.UniqueConstraint("rpps", "postcode", "town", name=op.f("uq_doctor_rpps_postcode_town")),
    )
    op.create_index("ix_doctor_name_key", "doctor", ["name_key"], postgresql_ops={"name_key": "text_pattern_ops"})
    may.protect("doctor", read=may.ANYBODY, write=may.SYSTEM)


def downgrade() -> None:
    op.execute("drop table doctor cascade")
