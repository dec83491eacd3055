"""Those who sign with the patient, what they signed; choices as they were made; the price of a room."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_FILE = "exists (select 1 from preadmission parent where parent.id = preadmission_id)"
_COMPANION = "exists (select 1 from companion parent where parent.id = companion_id)"
_STATES = (
    "named", "invited", "to_check", "opened", "signed", "declined", "on_paper", "waived", "revoked", "withdrawn",
)  # fmt: skip


def upgrade() -> None:
    _create_companions()
    _create_changes()
    _create_signatures()
    _create_choices()
    _create_prices()
    _protect()


def _in(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(table: str) -> tuple[Any, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _to(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _create_companions() -> None:
    op.create_table(
        "companion",
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        *map(_text, ("role", "state", "first_name", "family_name", "link", "phone", "email", "address")),
        sa.Column("account_id", sa.Uuid()),
        _text("signer_name"),
        _text("words"),
        sa.Column("link_digest", sa.LargeBinary()),
        sa.Column("link_number", sa.SmallInteger(), nullable=False),
        _moment("link_expires_at", nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        _moment("reminded_at", nullable=True),
        *_key("companion"),
        sa.CheckConstraint(_in("role", ("holder", "trust")), name=op.f("ck_companion_role")),
        sa.CheckConstraint(_in("state", _STATES), name=op.f("ck_companion_state")),
        sa.CheckConstraint("rank in (1, 2)", name=op.f("ck_companion_rank")),
        sa.CheckConstraint(
            "state not in ('to_check', 'opened') or account_id is not null",
            name=op.f("ck_companion_opened_by_somebody"),
        ),
        _to("companion", "preadmission_id", "preadmission", "cascade"),
        _to("companion", "establishment_id", "establishment"),
        _to("companion", "patient_id", "patient"),
        _to("companion", "account_id", "account"),
        sa.UniqueConstraint("link_digest", name=op.f("uq_companion_link_digest")),
    )
    for column in ("preadmission_id", "patient_id", "account_id"):
        op.create_index(op.f(f"ix_companion_{column}"), "companion", [column])
    op.create_index(
        "uq_companion_one_of_a_rank",
        "companion",
        ["preadmission_id", "role", "rank"],
        unique=True,
        postgresql_where=sa.text("state not in ('revoked', 'withdrawn')"),
    )


def _create_changes() -> None:
    op.create_table(
        "companion_change",
        sa.Column("companion_id", sa.Uuid(), nullable=False),
        _moment("at"),
        *map(_text, ("actor", "actor_name", "from_state", "to_state", "reason")),
        *_key("companion_change"),
        _to("companion_change", "companion_id", "companion", "cascade"),
    )
    op.create_index(op.f("ix_companion_change_companion_id"), "companion_change", ["companion_id"])


def _create_signatures() -> None:
    decisions = ("signed", "declined", "revoked", "received")
    op.create_table(
        "companion_signature",
        sa.Column("companion_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("by_patient", sa.Boolean(), nullable=False, server_default="false"),
        _moment("at"),
        *map(_text, ("decision", "signer_name", "provider", "acr", "text_kind", "text_version", "locale", "words")),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_key("companion_signature"),
        sa.CheckConstraint(_in("decision", decisions), name=op.f("ck_companion_signature_decision")),
        _to("companion_signature", "companion_id", "companion", "cascade"),
        _to("companion_signature", "account_id", "account"),
    )
    op.create_index(op.f("ix_companion_signature_companion_id"), "companion_signature", ["companion_id"])


def _create_choices() -> None:
    op.create_table(
        "preadmission_choice",
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        _moment("at"),
        *map(_text, ("actor", "actor_name", "choices", "text_version", "locale")),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_key("preadmission_choice"),
        _to("preadmission_choice", "preadmission_id", "preadmission", "cascade"),
    )
    op.create_index(op.f("ix_preadmission_choice_preadmission_id"), "preadmission_choice", ["preadmission_id"])


def _create_prices() -> None:
    op.create_table(
        "room_price",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid()),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        _moment("created_at"),
        _text("created_by_name"),
        *_key("room_price"),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_room_price_price")),
        _to("room_price", "establishment_id", "establishment"),
        _to("room_price", "unit_id", "unit"),
    )
    op.create_index("ix_room_price_establishment_id_starts_on", "room_price", ["establishment_id", "starts_on"])


def _protect() -> None:
    """A companion reads the row that is theirs, and nothing of the file behind it; evidence is written once."""
    theirs = may.either(_FILE, may.account(), may.SYSTEM)
    may.protect(
        "companion",
        read=theirs,
        insert=may.either(_FILE, may.SYSTEM),
        update=theirs,
        delete=may.SYSTEM,
    )
    seen = may.either(_COMPANION, may.SYSTEM)
    may.protect("companion_change", read=seen, insert=may.both(may.actor(), seen), delete=may.SYSTEM)
    at_the_desk = f"{_COMPANION[:-1]} and {may.staff('preadmission', 'parent.establishment_id')})"
    received = may.both("account_id is null", "decision = 'received'", at_the_desk)
    own_hand = may.either(may.account(), received, may.SYSTEM)
    may.protect("companion_signature", read=seen, insert=may.both(own_hand, seen), delete=may.SYSTEM)
    file = may.either(_FILE, may.SYSTEM)
    may.protect("preadmission_choice", read=file, insert=may.both(may.actor(), file), delete=may.SYSTEM)
    managed = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("room_price", read=may.ANYBODY, insert=managed, delete=managed)


def downgrade() -> None:
    for table in ("room_price", "preadmission_choice", "companion_signature", "companion_change", "companion"):
        op.drop_table(table)
