"""What is exchanged with hospital systems, whatever it is about: appointments were the only thing, pre-admissions come.

A delivery and a message name their subject by kind and id, without a foreign key: the room that carries them lies below
those that hold the subjects. Who sees them is decided by the kind.
"""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ADMINISTRATORS = may.either(may.staff("administration"), may.SYSTEM)


def _agents(of: str = "subject_kind") -> str:
    """Agents see what is of their room; what is of none, either."""
    return may.either(
        may.both(f"{of} in ('', 'appointment')", may.staff("appointments")),
        may.both(f"{of} in ('', 'preadmission')", may.staff("preadmission")),
        may.SYSTEM,
    )


def upgrade() -> None:
    _name_subjects_of_deliveries()
    _name_subjects_of_messages()
    _protect()


def _name_subjects_of_deliveries() -> None:
    op.drop_constraint("fk_delivery_appointment_id", "delivery", type_="foreignkey")
    op.drop_constraint("fk_delivery_change_id", "delivery", type_="foreignkey")
    op.alter_column("delivery", "appointment_id", new_column_name="subject_id")
    op.execute("alter index ix_delivery_appointment_id rename to ix_delivery_subject_id")
    op.add_column("delivery", sa.Column("subject_kind", sa.Text(), nullable=False, server_default=""))
    _as_owner("delivery", "update delivery set subject_kind = 'appointment' where subject_id is not null")
    op.alter_column("delivery", "subject_kind", server_default=None)
    op.add_column("delivery", sa.Column("in_doubt", sa.Boolean(), nullable=False, server_default="false"))
    op.create_check_constraint(op.f("ck_delivery_subject"), "delivery", "(subject_kind = '') = (subject_id is null)")


def _name_subjects_of_messages() -> None:
    op.rename_table("siu_message", "his_message")
    op.drop_constraint("fk_siu_message_appointment_id", "his_message", type_="foreignkey")
    op.alter_column("his_message", "appointment_id", new_column_name="subject_id")
    _rename_parts("siu_message", "his_message")
    op.execute("alter index ix_siu_message_appointment_id rename to ix_his_message_subject_id")
    op.add_column("his_message", sa.Column("subject_kind", sa.Text(), nullable=False, server_default=""))
    op.add_column("his_message", sa.Column("settled_at", _MOMENT, nullable=True))
    _as_owner("his_message", "update his_message set subject_kind = 'appointment'")
    op.alter_column("his_message", "subject_kind", server_default=None)


def _as_owner(table: str, statement: str) -> None:
    """Row-level security holds for the owner too, and would let none of these rows be seen."""
    op.execute(f"alter table {table} no force row level security")
    op.execute(statement)
    op.execute(f"alter table {table} force row level security")


def _rename_parts(old: str, new: str) -> None:
    """Constraints and indexes are named after their table."""
    for part in ("ck_{}_via", "fk_{}_establishment_id", "pk_{}", "uq_{}_establishment_id_sender_control_id"):
        op.execute(f"alter table {new} rename constraint {part.format(old)} to {part.format(new)}")
    listed = "ix_{}_establishment_id_received_at"
    op.execute(f"alter index {listed.format(old)} rename to {listed.format(new)}")


def _protect() -> None:
    _drop_policies("follower", "delivery", "siu_message:his_message")
    either = may.either(may.staff("appointments"), may.staff("preadmission"), _ADMINISTRATORS)
    seen = may.either(_agents(), may.staff("administration"))
    may.protect("follower", read=either, insert=_ADMINISTRATORS, update=either, delete=_ADMINISTRATORS)
    may.protect("delivery", read=seen, insert=seen, update=_agents(), delete=_ADMINISTRATORS)
    may.protect("his_message", read=_agents(), insert=may.SYSTEM, update=_agents(), delete=may.SYSTEM)


def _drop_policies(*tables: str) -> None:
    """Each is a table, or the name in its policies, then the table."""
    for each in tables:
        named, _colon, table = each.partition(":")
        for command in ("read", "insert", "update", "delete"):
            op.execute(f"drop policy {named}_{command} on {table or named}")


def downgrade() -> None:
    _drop_policies("follower", "delivery", "his_message")
    _forget("delivery", "subject_kind <> '' and subject_kind <> 'appointment'")
    _forget("his_message", "subject_kind <> 'appointment'")
    op.drop_constraint(op.f("ck_delivery_subject"), "delivery", type_="check")
    op.drop_column("delivery", "in_doubt")
    op.drop_column("delivery", "subject_kind")
    op.execute("alter index ix_delivery_subject_id rename to ix_delivery_appointment_id")
    op.alter_column("delivery", "subject_id", new_column_name="appointment_id")
    _refer("delivery", "appointment_id", "appointment")
    _refer("delivery", "change_id", "appointment_change")
    op.drop_column("his_message", "settled_at")
    op.drop_column("his_message", "subject_kind")
    op.execute("alter index ix_his_message_subject_id rename to ix_siu_message_appointment_id")
    op.alter_column("his_message", "subject_id", new_column_name="appointment_id")
    op.rename_table("his_message", "siu_message")
    _rename_parts("his_message", "siu_message")
    _refer("siu_message", "appointment_id", "appointment")
    _protect_as_before()


def _forget(table: str, which: str) -> None:
    """What the former tables have no place for, and what was of appointments that are gone."""
    gone = "subject_id is not null and not exists (select 1 from appointment a where a.id = subject_id)"
    _as_owner(table, f"delete from {table} where ({which}) or ({gone})")


def _refer(table: str, column: str, to: str) -> None:
    op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, to, [column], ["id"])


def _protect_as_before() -> None:
    agents = may.either(may.staff("appointments"), may.SYSTEM)
    either = may.either(may.staff("appointments"), may.staff("administration"), may.SYSTEM)
    may.protect("follower", read=either, insert=_ADMINISTRATORS, update=either, delete=_ADMINISTRATORS)
    may.protect("delivery", read=either, insert=either, update=agents, delete=_ADMINISTRATORS)
    may.protect("siu_message", read=agents, write=may.SYSTEM)
