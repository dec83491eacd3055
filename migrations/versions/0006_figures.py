"""Figures: an administrator reads those of their hospitals and of the whole portal; the journal is searched by day."""

from alembic import op

from migrations import policies as may

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_OF_THE_PORTAL = "establishment_id = '00000000-0000-0000-0000-000000000000'"


def upgrade() -> None:
    _let_read(
        "kpi_day", may.either(may.both(_OF_THE_PORTAL, _SOME_ADMINISTRATOR), may.staff("administration"), may.SYSTEM)
    )
    op.create_index("ix_kpi_day_event_day", "kpi_day", ["event", "day"])
    op.create_index("ix_audit_event_at_id", "audit_event", ["at", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_event_at_id", "audit_event")
    op.drop_index("ix_kpi_day_event_day", "kpi_day")
    _let_read("kpi_day", may.either(_SOME_ADMINISTRATOR, may.SYSTEM))


def _let_read(table: str, condition: str) -> None:
    op.execute(f"drop policy {table}_read on {table}")
    op.execute(f"create policy {table}_read on {table} for select using ({condition})")
