"""Exchanges by the portal and by MSSanté: boxes, transmissions, patients as correspondents, several files a message."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_OF_EXCHANGES = ("exchange", "exchange_message", "exchange_change")


def upgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _create_mailboxes()
    _drop_policies()
    _open_exchanges_to_others()
    _give_messages_several_files()
    _create_transmissions()
    _protect_mailboxes()
    _protect_exchanges()
    _open_files(*_OPENED_FROM, "exchange_file o where o.file_id = stored_file.id")


def _create_mailboxes() -> None:
    op.create_table(
        "mailbox",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('PER', 'ORG', 'APP')", name=op.f("ck_mailbox_kind")),
        sa.CheckConstraint("(kind = 'PER') = (holder_id is not null)", name=op.f("ck_mailbox_holder")),
        sa.CheckConstraint("address = lower(address)", name=op.f("ck_mailbox_address")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_mailbox_establishment_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_mailbox_unit_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["account.id"], name=op.f("fk_mailbox_holder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
        sa.UniqueConstraint("address", name=op.f("uq_mailbox_address")),
    )
    for column in ("establishment_id", "unit_id", "holder_id"):
        op.create_index(op.f(f"ix_mailbox_{column}"), "mailbox", [column])


def _drop_policies() -> None:
    for table in _OF_EXCHANGES:
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"drop policy {table}_read on {table}")
        op.execute(f"drop policy {table}_insert on {table}")
    op.execute("drop policy exchange_update on exchange")


def _open_exchanges_to_others() -> None:
    """Patients and bare addresses write too; a mail to a box of the whole hospital has no unit yet."""
    for column in ("unit_id", "professional_id", "birth_on"):
        op.alter_column("exchange", column, nullable=True)
    for column in ("birth_name", "first_name"):
        op.alter_column("exchange", column, server_default="")
    for column, points_at in (("patient_id", "patient"), ("mailbox_id", "mailbox"), ("about_id", "patient"),
                              ("assigned_id", "account")):  # fmt: skip
        op.add_column("exchange", sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_exchange_{column}"), "exchange", points_at, [column], ["id"])
    for column in ("address", "correspondent", "rpps", "email", "assigned_name"):
        op.add_column("exchange", sa.Column(column, sa.Text(), server_default="", nullable=False))
    op.add_column("exchange", sa.Column("priority", sa.Text(), server_default="normal", nullable=False))
    op.add_column("exchange", sa.Column("answer_by", _MOMENT, nullable=True))
    op.add_column("exchange", sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.drop_constraint(op.f("ck_exchange_state"), "exchange")
    for name, condition in (
        ("state", "state in ('received', 'opened', 'delivered', 'read', 'closed')"),
        ("priority", "priority in ('normal', 'urgent')"),
        ("one_correspondent", "num_nonnulls(professional_id, patient_id) <= 1"),
        ("some_correspondent", "num_nonnulls(professional_id, patient_id) = 1 or address <> '' or rpps <> ''"),
    ):
        op.create_check_constraint(op.f(f"ck_exchange_{name}"), "exchange", condition)
    op.create_index("ix_exchange_patient_id_changed_at", "exchange", ["patient_id", "changed_at"])
    op.create_index("ix_exchange_establishment_id_state", "exchange", ["establishment_id", "state"])
    op.create_index(
        "ix_exchange_rpps", "exchange", ["rpps"], postgresql_where=sa.text("rpps <> '' and professional_id is null")
    )
    for column in ("mailbox_id", "about_id", "assigned_id"):
        op.create_index(op.f(f"ix_exchange_{column}"), "exchange", [column])
    for table in ("exchange_message", "exchange_change"):
        op.drop_column(table, "professional_id")  # it is the thread's


def _give_messages_several_files() -> None:
    message = "exchange_message"
    op.drop_constraint(op.f("ck_exchange_message_sender"), message)
    for name, condition in (
        ("sender", "sender in ('professional', 'patient', 'unit')"),
        ("channel", "channel in ('portal', 'mssante')"),
    ):
        if name == "channel":
            op.add_column(message, sa.Column("channel", sa.Text(), server_default="portal", nullable=False))
        op.create_check_constraint(op.f(f"ck_exchange_message_{name}"), message, condition)
    op.add_column(message, sa.Column("message_key", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_exchange_message_message_key", message, ["message_key"])
    for column, points_at in (("replaces_id", message), ("raw_file_id", "stored_file")):
        op.add_column(message, sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_exchange_message_{column}"), message, points_at, [column], ["id"])
    op.add_column(message, sa.Column("receipt_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _create_files()
    op.drop_column(message, "file_id")
    op.add_column("document_arrival", sa.Column("message_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_document_arrival_message_id"), "document_arrival", message, ["message_id"], ["id"])
    op.create_index(op.f("ix_document_arrival_message_id"), "document_arrival", ["message_id"])


def _create_files() -> None:
    """A document filed from a message is now filed from one of its files."""
    op.create_table(
        "exchange_file",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["exchange_message.id"], name=op.f("fk_exchange_file_message_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_exchange_file_establishment_id")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_exchange_file_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_file")),
        comment="append-only",
    )
    for column in ("message_id", "file_id"):
        op.create_index(op.f(f"ix_exchange_file_{column}"), "exchange_file", [column])
    op.execute(
        "insert into exchange_file (id, message_id, establishment_id, file_id, position)"
        " select gen_random_uuid(), id, establishment_id, file_id, 0"
        " from exchange_message where file_id is not null"
    )
    op.add_column("document", sa.Column("joined_id", sa.Uuid(), nullable=True))
    op.execute("alter table document no force row level security")
    op.execute(
        "update document d set joined_id = f.id from exchange_file f"
        " where d.message_id = f.message_id and d.message_id is not null"
    )
    op.execute("alter table document force row level security")
    op.create_foreign_key(op.f("fk_document_joined_id"), "document", "exchange_file", ["joined_id"], ["id"])
    op.create_unique_constraint(op.f("uq_document_joined_id"), "document", ["joined_id"])
    op.drop_column("document", "message_id")


def _create_transmissions() -> None:
    op.create_table(
        "transmission",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("receipt_asked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role in ('to', 'copy')", name=op.f("ck_transmission_role")),
        sa.CheckConstraint(
            "state in ('waiting', 'uncertain', 'accepted', 'delivered', 'read', 'refused', 'given_up')",
            name=op.f("ck_transmission_state"),
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_transmission_establishment_id")
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_transmission_mailbox_id")),
        sa.ForeignKeyConstraint(["message_id"], ["exchange_message.id"], name=op.f("fk_transmission_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transmission")),
    )
    op.create_index("ix_transmission_message_key", "transmission", ["message_key"])
    op.create_index("ix_transmission_establishment_id_changed_at", "transmission", ["establishment_id", "changed_at"])
    for column in ("mailbox_id", "message_id"):
        op.create_index(op.f(f"ix_transmission_{column}"), "transmission", [column])
    op.create_table(
        "transmission_change",
        sa.Column("transmission_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transmission_id"], ["transmission.id"], name=op.f("fk_transmission_change_transmission_id")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_transmission_change_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transmission_change")),
        comment="append-only",
    )
    op.create_index(op.f("ix_transmission_change_transmission_id"), "transmission_change", ["transmission_id"])


def _protect_mailboxes() -> None:
    """Agents of documents write from the boxes, administrators hold them; whose box it is sees it."""
    ours = may.either(may.staff("documents"), may.staff("administration"), may.SYSTEM)
    held = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("mailbox", read=may.either(ours, may.account("holder_id")), insert=held, update=held)
    unit = may.either(may.staff("documents"), may.SYSTEM)
    may.protect("transmission", read=unit, insert=unit, update=unit)
    may.protect("transmission_change", read=unit, insert=unit)


def _protect_exchanges() -> None:
    """Each side of a thread writes in it, in its own name; nobody else sees it. What hangs on a thread names neither
    its practitioner nor its patient, who may be known later or be linked to another record: it is seen through it."""
    unit = may.either(may.staff("documents"), may.SYSTEM)
    anybody = may.either(may.professional(), may.own(), unit)
    may.protect("exchange", read=anybody, insert=anybody, update=anybody)
    may.restrain("exchange", may.within("medical", unless_masked=True))
    by_side = may.either(
        may.both(_thread("exchange_message", may.professional("e.professional_id")), "sender = 'professional'"),
        may.both(_thread("exchange_message", may.own("e.patient_id")), "sender = 'patient'"),
        may.both(may.staff("documents"), "sender = 'unit'", _thread("exchange_message")),
        may.SYSTEM,
    )
    may.protect("exchange_message", read=may.either(unit, _thread("exchange_message")), insert=by_side)
    by_actor = may.both(may.actor(), _thread("exchange_change"))
    may.protect(
        "exchange_change",
        read=may.either(unit, _thread("exchange_change")),
        insert=may.either(by_actor, may.SYSTEM),
    )
    of_message = (
        "exists (select 1 from exchange_message m where m.id = message_id"
        " and m.establishment_id = exchange_file.establishment_id)"
    )
    may.protect("exchange_file", read=may.either(unit, of_message), insert=may.either(of_message, may.SYSTEM))


def _thread(table: str, *conditions: str) -> str:
    """The thread that this actor sees: its own policies apply inside."""
    hangs_on_it = ("e.id = exchange_id", f"e.establishment_id = {table}.establishment_id")
    return f"exists (select 1 from exchange e where {may.both(*hangs_on_it, *conditions)})"


_OPENED_FROM = (
    "document o where o.file_id = stored_file.id",
    "document o where o.content_id = stored_file.id",
    "piece_page o where o.file_id = stored_file.id",
)


def _open_files(*sources: str) -> None:
    """Somebody else's file is opened from a letter, a piece or a thread that the proxy sees, and from nowhere else."""
    op.execute("drop policy stored_file_mandate on stored_file")
    opened = may.either(*(f"exists (select 1 from {source})" for source in sources))
    may.restrain(
        "stored_file",
        may.either("patient_id is null", f"not {may.proxied()}", may.account(), opened),
        command="select",
    )


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _open_files(*_OPENED_FROM)
    for table in ("transmission_change", "transmission"):
        op.execute(f"drop table {table} cascade")
    for table in _OF_EXCHANGES:
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"drop policy {table}_read on {table}")
        op.execute(f"drop policy {table}_insert on {table}")
    op.execute("drop policy exchange_update on exchange")
    op.execute("drop policy exchange_mandate on exchange")
    _take_files_back()
    _name_professionals()
    _forget_others()
    op.execute("drop table mailbox cascade")
    _protect_as_before()


def _take_files_back() -> None:
    """A message had one file: the first of those it has."""
    message = "exchange_message"
    op.add_column(message, sa.Column("file_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_exchange_message_file_id"), message, "stored_file", ["file_id"], ["id"])
    op.execute("alter table exchange_file no force row level security")
    op.execute(
        f"update {message} m set file_id = f.file_id from exchange_file f where f.message_id = m.id and position = 0"
    )
    op.add_column("document", sa.Column("message_id", sa.Uuid(), nullable=True))
    op.execute("alter table document no force row level security")
    op.execute(
        "update document d set message_id = f.message_id from exchange_file f where f.id = d.joined_id and position = 0"
    )
    op.execute("alter table document force row level security")
    op.drop_column("document", "joined_id")
    op.drop_column("document_arrival", "message_id")
    op.execute("drop table exchange_file cascade")
    for column in ("channel", "message_key", "replaces_id", "raw_file_id", "receipt_wanted"):
        op.drop_column(message, column)


def _name_professionals() -> None:
    for table in ("exchange_message", "exchange_change"):
        op.add_column(table, sa.Column("professional_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_professional_id"), table, "professional", ["professional_id"], ["id"])
        op.execute(
            f"update {table} t set professional_id = e.professional_id from exchange e where e.id = t.exchange_id"
        )


def _forget_others() -> None:
    """Threads with patients and with addresses alone have no place in the former tables."""
    others = "exchange_id in (select id from exchange where professional_id is null or unit_id is null)"
    op.execute(
        f"update document set message_id = null where message_id in (select id from exchange_message where {others})"
    )
    op.execute(f"delete from exchange_change where {others}")
    op.execute(f"delete from exchange_message where {others}")
    op.execute("delete from exchange where professional_id is null or unit_id is null")
    op.execute("delete from exchange_change where to_state = 'closed' or from_state = 'closed'")
    op.execute("update exchange set state = 'read' where state = 'closed'")
    op.create_foreign_key(op.f("fk_document_message_id"), "document", "exchange_message", ["message_id"], ["id"])
    op.create_unique_constraint(op.f("uq_document_message_id"), "document", ["message_id"])
    for table in ("exchange_message", "exchange_change"):
        op.alter_column(table, "professional_id", nullable=False)
    op.drop_index("ix_exchange_establishment_id_state", "exchange")
    for name in ("priority", "one_correspondent", "some_correspondent"):
        op.drop_constraint(op.f(f"ck_exchange_{name}"), "exchange")
    for column in ("patient_id", "mailbox_id", "about_id", "assigned_id", "address", "correspondent", "rpps", "email", "assigned_name", "priority",
                   "answer_by", "masked"):  # fmt: skip
        op.drop_column("exchange", column)
    op.execute("update exchange set birth_on = '1900-01-01' where birth_on is null")
    for column in ("birth_name", "first_name"):
        op.alter_column("exchange", column, server_default=None)
    for column in ("unit_id", "professional_id", "birth_on"):
        op.alter_column("exchange", column, nullable=False)
    op.drop_constraint(op.f("ck_exchange_state"), "exchange")
    op.create_check_constraint(
        op.f("ck_exchange_state"), "exchange", "state in ('received', 'opened', 'delivered', 'read')"
    )
    op.drop_constraint(op.f("ck_exchange_message_sender"), "exchange_message")
    op.create_check_constraint(
        op.f("ck_exchange_message_sender"), "exchange_message", "sender in ('professional', 'unit')"
    )


_FORMER_THREAD = (
    "exists (select 1 from exchange e where e.id = exchange_id and e.professional_id = {0}.professional_id"
    " and e.establishment_id = {0}.establishment_id)"
)


def _protect_as_before() -> None:
    unit, own = may.staff("documents"), may.professional()
    both = may.either(own, unit, may.SYSTEM)
    by_side = may.either(may.both(own, "sender = 'professional'"), may.both(unit, "sender = 'unit'"), may.SYSTEM)
    may.protect("exchange", read=both, insert=both, update=both)
    message = may.both(by_side, _FORMER_THREAD.format("exchange_message"))
    may.protect("exchange_message", read=both, insert=message)
    change = may.both(both, may.either(may.actor(), may.SYSTEM), _FORMER_THREAD.format("exchange_change"))
    may.protect("exchange_change", read=both, insert=change)
