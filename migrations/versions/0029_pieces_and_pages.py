"""Pieces of many kinds, made of pages; the copy of a file that people see; pieces reused from one stay to the next."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_KINDS = (
    "identity", "address_proof", "health_card", "top_up_card", "insurer_agreement", "c2s", "ame", "work_accident",
    "maternity_booklet", "family_book", "birth_recognition", "european_card", "care_form", "payment_guarantee",
    "military_booklet", "protection_judgement", "protector_identity", "parent_identity", "parental_authority",
    "operating_consent", "prescription", "referral_letter", "advance_directives", "trusted_person_form", "other",
)  # fmt: skip
_STATES = (
    "awaited", "scanning", "deposited", "infected", "accepted", "refused", "waived", "expired", "withdrawn", "purged",
)  # fmt: skip
_FORMER_KINDS = ("identity", "health_card", "top_up_card")
_FORMER_STATES = ("awaited", "scanning", "deposited", "infected", "accepted", "refused", "waived")


def upgrade() -> None:
    _extend_stored_file()
    _extend_piece()
    _create_piece_page()
    _extend_piece_change()
    _give_pages_to_pieces()
    _protect()


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def _constrain(kinds: tuple[str, ...], states: tuple[str, ...]) -> None:
    for column, values in (("kind", kinds), ("state", states)):
        op.drop_constraint(op.f(f"ck_piece_{column}"), "piece", type_="check")
        op.create_check_constraint(op.f(f"ck_piece_{column}"), "piece", _one_of(column, values))


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _extend_stored_file() -> None:
    op.add_column("stored_file", sa.Column("sheets", sa.Integer(), server_default="1", nullable=False))
    op.add_column("stored_file", _text("shown_state"))
    op.add_column("stored_file", sa.Column("shown_key", sa.Text(), nullable=True))
    op.add_column("stored_file", _text("shown_type"))
    op.create_unique_constraint(op.f("uq_stored_file_shown_key"), "stored_file", ["shown_key"])


def _extend_piece() -> None:
    _constrain(_KINDS, _STATES)
    op.add_column("piece", _text("staff_right", "preadmission"))
    op.add_column("piece", _text("note"))
    op.add_column("piece", sa.Column("reused_from", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_piece_reused_from"), "piece", "piece", ["reused_from"], ["id"])
    op.create_index("ix_piece_expiry", "piece", ["expires_on"], postgresql_where=sa.text("state = 'accepted'"))


def _create_piece_page() -> None:
    op.create_table(
        "piece_page",
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("rotation", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("rotation in (0, 90, 180, 270)", name=op.f("ck_piece_page_rotation")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_piece_page_piece_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_piece_page_patient_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_piece_page_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece_page")),
        sa.UniqueConstraint(
            "piece_id", "position", name=op.f("uq_piece_page_piece_id_position"), deferrable=True, initially="DEFERRED"
        ),
    )
    op.create_index(op.f("ix_piece_page_patient_id"), "piece_page", ["patient_id"])
    op.create_index(op.f("ix_piece_page_file_id"), "piece_page", ["file_id"])


def _extend_piece_change() -> None:
    op.add_column("piece_change", _text("note"))
    digests = sa.Column("digests", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    op.add_column("piece_change", digests)
    op.drop_column("piece_change", "file_id")


def _give_pages_to_pieces() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute(
        "insert into piece_page (id, piece_id, patient_id, position, file_id, rotation, added_at)"
        " select gen_random_uuid(), id, patient_id, 1, file_id, 0, changed_at from piece where file_id is not null"
    )
    op.execute("update stored_file f set staff_right = '' from piece_page g where g.file_id = f.id")
    op.execute("drop policy stored_file_mandate on stored_file")
    op.drop_column("piece", "file_id")


def _protect() -> None:
    """A page is seen and changed by whoever sees its piece; its file is opened through it.

    Health pieces are the care team's: the admissions office does not learn that they exist.
    """
    here = may.either(
        may.both("staff_right = 'preadmission'", may.staff("preadmission")),
        may.both("staff_right = 'care'", may.staff("care")),
    )
    sent = may.both(here, "shared_at is not null")
    for command in ("read", "insert", "update"):
        op.execute(f"drop policy piece_{command} on piece")
    theirs = may.either(may.own(), sent, may.SYSTEM)
    op.execute(f"create policy piece_read on piece for select using ({theirs})")
    op.execute(f"create policy piece_update on piece for update using ({theirs}) with check ({theirs})")
    # A clerk asks for a referral letter, which the care team alone will read.
    asking = may.both(may.either(may.staff("preadmission"), may.staff("care")), "shared_at is not null")
    op.execute(
        f"create policy piece_insert on piece for insert with check ({may.either(may.own(), asking, may.SYSTEM)})"
    )

    seen = "exists (select 1 from piece p where p.id = piece_id and p.patient_id = piece_page.patient_id)"
    may.protect("piece_page", read=seen, write=seen)
    _open_files(may.either(*(f"exists (select 1 from {source})" for source in (
        "document o where o.file_id = stored_file.id",
        "document o where o.content_id = stored_file.id",
        "piece_page o where o.file_id = stored_file.id",
    ))))  # fmt: skip
    agent = "(select current_setting('parvis.establishments', true)) <> ''"
    opened = "exists (select 1 from piece_page o where o.file_id = stored_file.id)"
    op.execute(f"create policy stored_file_pieces on stored_file for select using ({may.both(agent, opened)})")


def _open_files(opened_from: str) -> None:
    """Somebody else's file is opened from a letter or a piece that the proxy sees, and from nowhere else."""
    may.restrain(
        "stored_file",
        may.either("patient_id is null", f"not {may.proxied()}", may.account(), opened_from),
        command="select",
    )


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("drop policy stored_file_pieces on stored_file")
    op.execute("drop policy stored_file_mandate on stored_file")
    op.add_column("piece", sa.Column("file_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_piece_file_id"), "piece", "stored_file", ["file_id"], ["id"])
    op.create_index(op.f("ix_piece_file_id"), "piece", ["file_id"])
    op.execute("update piece p set file_id = g.file_id from piece_page g where g.piece_id = p.id and g.position = 1")
    op.execute("update stored_file f set staff_right = 'preadmission' from piece p where p.file_id = f.id")
    _open_files(may.either(*(f"exists (select 1 from {source})" for source in (
        "document o where o.file_id = stored_file.id",
        "document o where o.content_id = stored_file.id",
        "piece o where o.file_id = stored_file.id",
    ))))  # fmt: skip
    op.drop_table("piece_page")
    _forget_new_pieces()
    for command in ("read", "insert", "update"):
        op.execute(f"drop policy piece_{command} on piece")
    theirs = may.either(may.own(), may.both(may.staff("preadmission"), "shared_at is not null"), may.SYSTEM)
    op.execute(f"create policy piece_read on piece for select using ({theirs})")
    op.execute(f"create policy piece_update on piece for update using ({theirs}) with check ({theirs})")
    op.execute(f"create policy piece_insert on piece for insert with check ({may.either(may.own(), may.SYSTEM)})")
    op.drop_index("ix_piece_expiry", "piece")
    for column in ("reused_from", "note", "staff_right"):
        op.drop_column("piece", column)
    op.add_column("piece_change", sa.Column("file_id", sa.Uuid(), nullable=True))
    for column in ("digests", "note"):
        op.drop_column("piece_change", column)
    for column in ("shown_type", "shown_key", "shown_state", "sheets"):
        op.drop_column("stored_file", column)


def _forget_new_pieces() -> None:
    """What the former version had no word for: pieces of new kinds go, new states become the nearest one."""
    known = _one_of("kind", _FORMER_KINDS)
    for table in ("piece_change", "piece"):  # no policy lets anybody delete a row of them
        op.execute(f"alter table {table} no force row level security")
    op.execute("update piece set reused_from = null")
    op.execute(f"delete from piece_change c using piece p where p.id = c.piece_id and not p.{known}")
    op.execute(f"delete from piece where not {known}")
    for table in ("piece_change", "piece"):
        op.execute(f"alter table {table} force row level security")
    op.execute("update piece set state = 'refused', refusal_reason = 'out_of_date' where state = 'expired'")
    op.execute("update piece set state = 'awaited' where state in ('withdrawn', 'purged')")
    _constrain(_FORMER_KINDS, _FORMER_STATES)
