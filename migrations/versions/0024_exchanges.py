"""Those who follow appointments, what each was told, and what the hospital system told us.

Agents of the hospital see all of it; what is written is written by jobs, but for telling again and setting aside
(agents) and subscriptions (administrators).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_AGENTS = may.either(may.staff("appointments"), may.SYSTEM)
_ADMINISTRATORS = may.either(may.staff("administration"), may.SYSTEM)
_EITHER = may.either(may.staff("appointments"), may.staff("administration"), may.SYSTEM)


def upgrade() -> None:
    _create_followers()
    _create_deliveries()
    _create_messages()
    _create_words()
    op.create_index("ix_appointment_change_at", "appointment_change", ["at"], postgresql_using="brin")
    may.protect("follower", read=_EITHER, insert=_ADMINISTRATORS, update=_EITHER, delete=_ADMINISTRATORS)
    may.protect("delivery", read=_EITHER, insert=_EITHER, update=_AGENTS, delete=_ADMINISTRATORS)
    may.protect("siu_message", read=_AGENTS, write=may.SYSTEM)
    may.protect("siu_appointment", read=_AGENTS, write=may.SYSTEM)


def _column(
    name: str, kind: sa.types.TypeEngine[object], *, null: bool = False, default: str | None = None
) -> sa.Column:
    return sa.Column(name, kind, nullable=null, server_default=default)


def _refers(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _create_followers() -> None:
    op.create_table(
        "follower",
        _column("id", sa.Uuid()),
        _column("establishment_id", sa.Uuid()),
        *(_column(name, sa.Text()) for name in ("kind", "name", "url", "secret")),
        _column("events", postgresql.ARRAY(sa.Text())),
        _column("follows_since", _MOMENT),
        _column("stopped_at", _MOMENT, null=True),
        _column("next_try_at", _MOMENT, null=True),
        _column("failures", sa.Integer()),
        _column("failing_since", _MOMENT, null=True),
        _column("trouble", sa.Text()),
        _column("last_success_at", _MOMENT, null=True),
        _column("lease", sa.Uuid(), null=True),
        _column("leased_until", _MOMENT, null=True),
        sa.CheckConstraint("kind in ('his', 'webhook')", name=op.f("ck_follower_kind")),
        sa.CheckConstraint("kind = 'his' or url <> ''", name=op.f("ck_follower_address")),
        _refers("follower", "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follower")),
    )
    op.create_index(op.f("ix_follower_establishment_id"), "follower", ["establishment_id"])
    op.create_index(
        "uq_follower_his", "follower", ["establishment_id"], unique=True, postgresql_where=sa.text("kind = 'his'")
    )


def _create_deliveries() -> None:
    op.create_table(
        "delivery",
        _column("id", sa.Uuid()),
        _column("follower_id", sa.Uuid()),
        _column("establishment_id", sa.Uuid()),
        _column("appointment_id", sa.Uuid(), null=True),
        _column("change_id", sa.Uuid(), null=True),
        _column("event", sa.Text()),
        _column("changed_at", _MOMENT),
        _column("state", sa.Text(), default="waiting"),
        _column("control_id", sa.Text()),
        _column("round", sa.Integer(), default="0"),
        _column("attempts", sa.Integer(), default="0"),
        _column("tried_at", _MOMENT, null=True),
        _column("settled_at", _MOMENT, null=True),
        *(_column(name, sa.Text(), default="") for name in ("answer", "error", "told")),
        sa.CheckConstraint(
            "state in ('waiting', 'accepted', 'refused', 'set_aside', 'not_needed')", name=op.f("ck_delivery_state")
        ),
        _refers("delivery", "follower_id", "follower", "cascade"),
        _refers("delivery", "establishment_id", "establishment"),
        _refers("delivery", "appointment_id", "appointment"),
        _refers("delivery", "change_id", "appointment_change"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("follower_id", "change_id", name=op.f("uq_delivery_follower_id_change_id")),
        sa.UniqueConstraint("follower_id", "control_id", name=op.f("uq_delivery_follower_id_control_id")),
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["follower_id", "changed_at", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_delivery_refused", "delivery", ["establishment_id"], postgresql_where=sa.text("state = 'refused'")
    )
    op.create_index("ix_delivery_establishment_id_changed_at", "delivery", ["establishment_id", "changed_at"])
    op.create_index(op.f("ix_delivery_appointment_id"), "delivery", ["appointment_id"])


def _create_messages() -> None:
    op.create_table(
        "siu_message",
        _column("id", sa.Uuid()),
        _column("establishment_id", sa.Uuid()),
        *(_column(name, sa.Text()) for name in ("sender", "control_id", "trigger", "via", "body")),
        _column("digest", sa.LargeBinary()),
        _column("received_at", _MOMENT),
        _column("said_at", _MOMENT, null=True),
        _column("times", sa.Integer()),
        *(_column(name, sa.Text()) for name in ("answer", "error", "told", "acknowledgement", "external_id")),
        _column("appointment_id", sa.Uuid(), null=True),
        sa.CheckConstraint("via in ('mllp', 'folder', 'http')", name=op.f("ck_siu_message_via")),
        _refers("siu_message", "establishment_id", "establishment"),
        _refers("siu_message", "appointment_id", "appointment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_siu_message")),
        sa.UniqueConstraint(
            "establishment_id", "sender", "control_id", name=op.f("uq_siu_message_establishment_id_sender_control_id")
        ),
    )
    op.create_index("ix_siu_message_establishment_id_received_at", "siu_message", ["establishment_id", "received_at"])
    op.create_index(op.f("ix_siu_message_appointment_id"), "siu_message", ["appointment_id"])


def _create_words() -> None:
    op.create_table(
        "siu_appointment",
        _column("id", sa.Uuid()),
        _column("establishment_id", sa.Uuid()),
        _column("external_id", sa.Text()),
        _column("appointment_id", sa.Uuid(), null=True),
        _column("practitioner_id", sa.Uuid(), null=True),
        _column("start_at", _MOMENT, null=True),
        _column("end_at", _MOMENT, null=True),
        _column("state", sa.Text()),
        _column("said_at", _MOMENT),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_siu_appointment_ends_after_it_starts")),
        _refers("siu_appointment", "establishment_id", "establishment"),
        _refers("siu_appointment", "appointment_id", "appointment"),
        _refers("siu_appointment", "practitioner_id", "practitioner"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_siu_appointment")),
        sa.UniqueConstraint(
            "establishment_id", "external_id", name=op.f("uq_siu_appointment_establishment_id_external_id")
        ),
    )
    op.create_index("ix_siu_appointment_practitioner_id_start_at", "siu_appointment", ["practitioner_id", "start_at"])
    op.create_index(op.f("ix_siu_appointment_appointment_id"), "siu_appointment", ["appointment_id"])


def downgrade() -> None:
    op.drop_index("ix_appointment_change_at", "appointment_change")
    for table in ("siu_appointment", "siu_message", "delivery", "follower"):
        op.execute(f"drop table {table} cascade")
