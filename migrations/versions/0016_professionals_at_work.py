"""Practitioners and who acts in their stead, deaths, guests of one stay, and messages that know whom they are about.

A delegation is given and withdrawn by the practitioner's own account: whoever acts in their stead cannot pass it on,
which the former policies, comparing with the practitioner acted for, would have let them do.
"""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("notification", sa.Column("patient_id", sa.Uuid(), nullable=True))
    op.add_column("notification", sa.Column("withheld_at", _MOMENT, nullable=True))
    _extend_delegations()
    _create_delegation_code()
    _create_death()
    _create_guest_invitation()


def downgrade() -> None:
    for table in ("guest_invitation", "death", "delegation_code"):
        op.drop_table(table)
    _protect_delegations(may.professional(), may.professional("delegate_id"))
    for column in ("delegate_seen_at", "professional_seen_at", "delegate_name", "professional_name"):
        op.drop_column("delegation", column)
    op.drop_column("notification", "withheld_at")
    op.drop_column("notification", "patient_id")


# -- who acts in whose stead ---------------------------------------------------------------------------------------


def _extend_delegations() -> None:
    for column in ("professional_name", "delegate_name"):
        op.add_column("delegation", sa.Column(column, sa.Text(), server_default="", nullable=False))
    for column in ("professional_seen_at", "delegate_seen_at"):
        op.add_column("delegation", sa.Column(column, _MOMENT, nullable=True))
    _protect_delegations(_is_me("professional_id"), _is_me("delegate_id"))


def _is_me(column: str) -> str:
    """The practitioner of the signed-in account, whomever they act for."""
    return (
        f"exists (select 1 from professional me where me.id = delegation.{column} and {may.account('me.account_id')})"
    )


def _protect_delegations(giver: str, delegate: str) -> None:
    given = may.either(giver, may.SYSTEM)
    concerned = may.either(giver, delegate, may.SYSTEM)
    for command in ("read", "insert", "update"):
        op.execute(f"drop policy delegation_{command} on delegation")
    op.execute(f"create policy delegation_read on delegation for select using ({concerned})")
    op.execute(f"create policy delegation_insert on delegation for insert with check ({given})")
    op.execute(f"create policy delegation_update on delegation for update using ({concerned}) with check ({concerned})")


def _create_delegation_code() -> None:
    op.create_table(
        "delegation_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_delegation_code_account_id")),
        sa.ForeignKeyConstraint(
            ["professional_id"], ["professional.id"], name=op.f("fk_delegation_code_professional_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_delegation_code_digest")),
    )
    op.create_index(op.f("ix_delegation_code_account_id"), "delegation_code", ["account_id"])
    own = may.either(may.account(), may.SYSTEM)
    may.protect("delegation_code", read=own, insert=own, update=may.SYSTEM, delete=own)


# -- deaths --------------------------------------------------------------------------------------------------------


def _create_death() -> None:
    op.create_table(
        "death",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("died_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("declared_at", _MOMENT, nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_by_name", sa.Text(), nullable=False),
        sa.Column("undo_reason", sa.Text(), nullable=False),
        sa.Column("undo_asked_at", _MOMENT, nullable=True),
        sa.Column("undo_asked_by", sa.Uuid(), nullable=True),
        sa.Column("undo_asked_by_name", sa.Text(), nullable=False),
        sa.Column("undone_at", _MOMENT, nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("source in ('agent', 'hospital', 'import')", name=op.f("ck_death_source")),
        sa.CheckConstraint("undone_by <> undo_asked_by", name=op.f("ck_death_undone_by_two_agents")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_death_patient_id")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_death_establishment_id")),
        sa.ForeignKeyConstraint(["undo_asked_by"], ["account.id"], name=op.f("fk_death_undo_asked_by")),
        sa.ForeignKeyConstraint(["undone_by"], ["account.id"], name=op.f("fk_death_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_death")),
    )
    op.create_index(
        "uq_death_patient_id", "death", ["patient_id"], unique=True, postgresql_where=sa.text("undone_at is null")
    )
    op.create_index(op.f("ix_death_declared_at"), "death", ["declared_at"])
    here = (
        "exists (select 1 from patient_record r where r.patient_id = death.patient_id and "
        + may.staff("identity", "r.establishment_id")
        + ")"
    )
    may.protect(
        "death",
        read=may.either(here, may.SYSTEM),
        insert=may.either(may.both(here, may.staff("identity")), may.SYSTEM),
        update=may.either(here, may.SYSTEM),
    )


# -- guests of one stay --------------------------------------------------------------------------------------------


def _create_guest_invitation() -> None:
    op.create_table(
        "guest_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("code_number", sa.SmallInteger(), nullable=False),
        sa.Column("code_expires_at", _MOMENT, nullable=True),
        sa.Column("birth_matched", sa.Boolean(), nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        sa.Column("session_digest", sa.LargeBinary(), nullable=True),
        sa.Column("session_seen_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "object_kind in ('preadmission', 'appointment')", name=op.f("ck_guest_invitation_object_kind")
        ),
        sa.CheckConstraint("channel in ('sms', 'mail')", name=op.f("ck_guest_invitation_channel")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_guest_invitation_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_guest_invitation_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guest_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_guest_invitation_digest")),
        sa.UniqueConstraint("session_digest", name=op.f("uq_guest_invitation_session_digest")),
    )
    op.create_index(op.f("ix_guest_invitation_patient_id"), "guest_invitation", ["patient_id"])
    op.create_index(op.f("ix_guest_invitation_object_id"), "guest_invitation", ["object_id"])
    room = may.either(
        may.SYSTEM,
        may.both("object_kind = 'preadmission'", may.staff("preadmission")),
        may.both("object_kind = 'appointment'", may.staff("appointments")),
    )
    may.protect("guest_invitation", read=room, insert=room, update=room)
