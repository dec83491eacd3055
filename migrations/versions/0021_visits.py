"""The day itself: when patients came to the desk and were called in, and those who came without an appointment."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_CHANNELS = "channel in ('web', 'phone', 'city', 'walk_in')"
_FORMER_CHANNELS = "channel in ('web', 'phone', 'city')"


def upgrade() -> None:
    for name in ("arrived_at", "called_at"):
        op.add_column("appointment", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _let_be(_CHANNELS)
    # The one index by unit and day knows only sessions with time left: the desk looks at full days.
    op.create_index("ix_consultation_session_unit_id_local_date", "consultation_session", ["unit_id", "local_date"])


def downgrade() -> None:
    op.drop_index("ix_consultation_session_unit_id_local_date", "consultation_session")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("update appointment set channel = 'phone' where channel = 'walk_in'")
    _let_be(_FORMER_CHANNELS)
    for name in ("arrived_at", "called_at"):
        op.drop_column("appointment", name)


def _let_be(channels: str) -> None:
    op.drop_constraint("ck_appointment_channel", "appointment")
    op.create_check_constraint(op.f("ck_appointment_channel"), "appointment", channels)
