"""What the poller and the sender keep of each box: how far it was read, what came, what is tried again."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_KINDS = ("message", "receipt", "delivery", "bounce", "automatic", "unknown")
_OUTCOMES = ("message", "report", "noted", "quarantined", "released", "discarded")
_RECEIPTS = ("", "wanted", "due", "sent", "refused")


def upgrade() -> None:
    for column in ("begun_at", "next_at"):
        op.add_column("transmission", sa.Column(column, _MOMENT, nullable=True))
    _create_readings()
    _create_operators()
    _create_received()
    _create_oppositions()
    _protect()


def _create_readings() -> None:
    op.create_table(
        "mailbox_reading",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("again_at", _MOMENT, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("leased_until", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_mailbox_reading_mailbox_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mailbox_reading_establishment_id")
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_mailbox_reading")),
    )
    op.create_index(op.f("ix_mailbox_reading_establishment_id"), "mailbox_reading", ["establishment_id"])


def _create_operators() -> None:
    op.create_table(
        "mail_operator",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("again_at", _MOMENT, nullable=True),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mail_operator_establishment_id")
        ),
        sa.PrimaryKeyConstraint("establishment_id", "host", name=op.f("pk_mail_operator")),
    )


def _create_received() -> None:
    table = "received_mail"
    op.create_table(
        table,
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("transmission_id", sa.Uuid(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("receipt_code", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(_among("kind", _KINDS), name=op.f("ck_received_mail_kind")),
        sa.CheckConstraint(_among("outcome", _OUTCOMES), name=op.f("ck_received_mail_outcome")),
        sa.CheckConstraint(_among("receipt", _RECEIPTS), name=op.f("ck_received_mail_receipt")),
        *(
            sa.ForeignKeyConstraint([column], [points_at], name=op.f(f"fk_{table}_{column}"))
            for column, points_at in (
                ("establishment_id", "establishment.id"),
                ("mailbox_id", "mailbox.id"),
                ("file_id", "stored_file.id"),
                ("message_id", "exchange_message.id"),
                ("transmission_id", "transmission.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("mailbox_id", "message_key", name=op.f("uq_received_mail_mailbox_id_message_key")),
    )
    op.create_index("ix_received_mail_establishment_id_received_at", table, ["establishment_id", "received_at"])
    for column in ("file_id", "message_id", "transmission_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _create_oppositions() -> None:
    op.create_table(
        "mail_opposition",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("audience in ('professional', 'patient')", name=op.f("ck_mail_opposition_audience")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_mail_opposition_patient_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mail_opposition_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_opposition")),
    )
    op.create_index(op.f("ix_mail_opposition_establishment_id"), "mail_opposition", ["establishment_id"])
    op.create_index(
        "uq_mail_opposition_standing",
        "mail_opposition",
        ["patient_id", "establishment_id", "audience"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )


def _protect() -> None:
    """Jobs read the boxes; agents of documents see what came, administrators how the boxes go."""
    seen = may.either(may.staff("documents"), may.staff("administration"), may.SYSTEM)
    for table in ("mailbox_reading", "mail_operator"):
        may.protect(table, read=seen, write=may.SYSTEM)
    unit = may.either(may.staff("documents"), may.SYSTEM)
    may.protect("received_mail", read=unit, insert=may.SYSTEM, update=unit)
    theirs = may.either(may.oneself(), unit)
    may.protect("mail_opposition", read=theirs, insert=theirs, update=theirs)
    # Whoever acts for somebody does not learn what that person refuses.
    may.restrain("mail_opposition", f"not {may.proxied()}")


def _among(column: str, words: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(word) for word in words)})"


def downgrade() -> None:
    for table in ("mail_opposition", "received_mail", "mail_operator", "mailbox_reading"):
        op.execute(f"drop table {table} cascade")
    for column in ("next_at", "begun_at"):
        op.drop_column("transmission", column)
