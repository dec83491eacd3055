"""What people look for beside a speciality: the town, how accessible the place is, the languages spoken."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_FOR = ("for_wheelchairs", "for_hearing", "for_sight")


def upgrade() -> None:
    op.add_column("site", sa.Column("town", sa.Text(), server_default="", nullable=False))
    for name in _FOR:
        op.add_column("site", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "practitioner", sa.Column("languages", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("practitioner", "languages")
    for name in ("town", *_FOR):
        op.drop_column("site", name)
