"""The hours when the staff of a hospital is there, which delays and deadlines are reckoned in."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

_HOURS = {"office_opens_at": "09:00", "office_closes_at": "17:00"}


def upgrade() -> None:
    for column, usual in _HOURS.items():
        op.add_column("establishment", sa.Column(column, sa.Time(), nullable=False, server_default=usual))


def downgrade() -> None:
    for column in _HOURS:
        op.drop_column("establishment", column)
