"""The functions of a hospital, as bundles of rights that its administrators name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cardinality(rights) > 0", name=op.f("ck_staff_role_rights")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_staff_role_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_role")),
        sa.UniqueConstraint("establishment_id", "name", name=op.f("uq_staff_role_establishment_id_name")),
    )
    administrators = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("staff_role", read=administrators, write=administrators)


def downgrade() -> None:
    op.drop_table("staff_role")
