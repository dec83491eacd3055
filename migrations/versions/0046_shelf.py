"""The patient's shelf: kinds, delays, withdrawals, deposits, letters nobody read."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_SHOWN = ("filed", "superseded")
_PIECES = (
    "identity", "address_proof", "health_card", "top_up_card", "insurer_agreement", "c2s", "ame", "work_accident",
    "maternity_booklet", "family_book", "birth_recognition", "european_card", "care_form", "payment_guarantee",
    "military_booklet", "protection_judgement", "protector_identity", "parent_identity", "parental_authority",
    "operating_consent", "prescription", "referral_letter", "advance_directives", "trusted_person_form", "other",
)  # fmt: skip
_KINDS = ("letter", "prescription", "result", "certificate", "imaging", "other")
_DELAYS = ("none", "days", "business_days", "consultation")
_KIND_OF_CODE = {
    "prescription": ("57833-6", "PRESC-BIO"),
    "result": ("11502-2", "11526-1"),
    "imaging": ("18748-4",),
    "certificate": ("51851-4", "59284-0"),
}
_DRAFTS = may.either("sent_at is not null", "asked_at is not null")
_SIGNED_IN = "(select current_setting('parvis.account', true)) <> ''"


def upgrade() -> None:
    _extend_documents()
    _name_pieces(*_PIECES, "health_document")
    _create_types()
    _create_deposits()
    _create_sendings()
    _protect_documents()
    _protect_deposits()


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _flag(name: str, default: str = "false") -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _name_pieces(*kinds: str) -> None:
    op.drop_constraint(op.f("ck_piece_kind"), "piece", type_="check")
    op.create_check_constraint(op.f("ck_piece_kind"), "piece", _one_of("kind", kinds))


# -- documents -----------------------------------------------------------------------------------------------------

_MOMENTS = ("visible_at", "told_at", "reminded_at", "posted_at")


def _extend_documents() -> None:
    op.add_column("document", _text("kind", "other"))
    for moment in _MOMENTS:
        op.add_column("document", _moment(moment))
    op.add_column("document", _text("posted_by"))
    op.create_check_constraint(op.f("ck_document_kind"), "document", _one_of("kind", _KINDS))
    op.create_index("ix_document_patient_id_authored_at", "document", ["patient_id", "authored_at"])
    op.create_index(
        "ix_document_to_tell",
        "document",
        ["visible_at"],
        postgresql_where=sa.text("state = 'filed' and told_at is null"),
    )
    _fill_documents()


def _fill_documents() -> None:
    """What was on the shelves stays there, is not told again, and nobody is reminded of it."""
    op.execute("alter table document no force row level security")
    op.execute("update document set visible_at = coalesce(filed_at, received_at), told_at = filed_at,"
               f" reminded_at = filed_at where {_one_of('state', _SHOWN)}")  # fmt: skip
    for kind, codes in _KIND_OF_CODE.items():
        op.execute(f"update document set kind = '{kind}' where {_one_of('type_code', codes)}")
    op.execute(f"update document set kind = 'letter' where kind = 'other' and {_one_of('level', ('N1', 'N3'))}")
    op.execute("alter table document force row level security")


def _create_types() -> None:
    op.create_table(
        "document_type",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("delay", sa.Text(), nullable=False),
        sa.Column("delay_days", sa.Integer(), nullable=False),
        sa.Column("remind_days", sa.Integer(), nullable=True),
        sa.Column("paper_days", sa.Integer(), nullable=True),
        sa.Column("notifies", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(_one_of("kind", _KINDS), name=op.f("ck_document_type_kind")),
        sa.CheckConstraint(_one_of("delay", _DELAYS), name=op.f("ck_document_type_delay")),
        sa.CheckConstraint("delay_days >= 0", name=op.f("ck_document_type_delay_days")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_document_type_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_type")),
        sa.UniqueConstraint("establishment_id", "type_code", name=op.f("uq_document_type_establishment_id_type_code")),
    )


# -- deposits ------------------------------------------------------------------------------------------------------


def _create_deposits() -> None:
    op.create_table(
        "deposit",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_text", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        _moment("asked_at"),
        sa.Column("due_on", sa.Date(), nullable=True),
        _moment("created_at", nullable=False),
        _moment("sent_at"),
        _moment("closed_at"),
        _flag("masked"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(_one_of("kind", _KINDS), name=op.f("ck_deposit_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_deposit_account_id")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_deposit_establishment_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_deposit_patient_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_deposit_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposit")),
        sa.UniqueConstraint("reference", name=op.f("uq_deposit_reference")),
    )
    op.create_index(op.f("ix_deposit_patient_id"), "deposit", ["patient_id"])
    op.create_index("ix_deposit_establishment_id_sent_at", "deposit", ["establishment_id", "sent_at"])


# -- Mon espace santé ----------------------------------------------------------------------------------------------


def _create_sendings() -> None:
    op.create_table(
        "mes_sending",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("changed_at", nullable=False),
        sa.CheckConstraint(
            _one_of("state", ("waiting", "sent", "refused", "opposed", "not_qualified")),
            name=op.f("ck_mes_sending_state"),
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_mes_sending_document_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mes_sending_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_mes_sending_patient_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_mes_sending")),
    )
    op.create_index("ix_mes_sending_patient_id_state", "mes_sending", ["patient_id", "state"])
    op.create_table(
        "mes_opposition",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        _moment("opposed_at"),
        _moment("lifted_at"),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_mes_opposition_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_mes_opposition")),
    )


# -- who sees what -------------------------------------------------------------------------------------------------


def _protect_documents() -> None:
    """A patient, and whoever acts for them, sees nothing of a letter before the moment that its hospital chose."""
    staff = may.either(may.staff("documents"), may.SYSTEM)
    shown = may.either(
        f"not coalesce({may.own()}, false)", "coalesce(visible_at <= now(), false)", may.staff("documents")
    )
    may.restrain("document", shown, command="select", name="visible")
    # They are told when and why a letter was withdrawn, and nothing else of what became of it.
    mine = "exists (select 1 from document d where d.id = document_id and {})"
    told = may.both("to_state = 'withdrawn'", mine.format(may.own("d.patient_id")))
    op.execute(f"create policy document_change_withdrawn on document_change for select using ({told})")
    # An agent learns that a letter was read, to know which ones nobody did.
    seen = "exists (select 1 from document d where d.id = document_id)"
    agent = "(select current_setting('parvis.at_documents', true)) <> ''"
    op.execute(f"create policy document_reading_staff on document_reading for select using ({may.both(agent, seen)})")
    may.protect("document_type", read=may.either(_SIGNED_IN, may.SYSTEM), write=staff)
    may.protect("mes_sending", read=may.either(may.own(), staff), insert=may.SYSTEM, update=may.SYSTEM)
    may.restrain("mes_sending", may.either(f"not {may.proxied()}", seen), command="select")
    may.protect(
        "mes_opposition",
        read=may.either(may.own(), may.SYSTEM),
        insert=may.either(may.own(), may.SYSTEM),
        update=may.either(may.own(), may.SYSTEM),
    )
    may.restrain("mes_opposition", may.within("medical"))


def _protect_deposits() -> None:
    """What a patient begins is theirs alone until it is sent; what a hospital asks for is seen by both."""
    agent = may.both(may.staff("documents"), _DRAFTS)
    theirs = may.either(may.own(), agent, may.SYSTEM)
    asked = may.both(may.staff("documents"), "asked_at is not null")
    may.protect("deposit", read=theirs, insert=may.either(may.own(), asked, may.SYSTEM), update=theirs)
    may.restrain("deposit", may.within("medical", unless_masked=True))
    _protect_pieces(
        rights=("preadmission", "care", "documents"),
        folders=("preadmission", "deposit"),
        scope=may.either(
            may.both("staff_right <> 'documents'", may.within("administrative")),
            may.both("staff_right = 'documents'", may.within("medical")),
        ),
    )


def _protect_pieces(rights: tuple[str, ...], folders: tuple[str, ...], scope: str) -> None:
    for name in ("read", "insert", "update", "mandate", "scope"):
        op.execute(f"drop policy piece_{name} on piece")
    here = may.either(*(may.both(f"staff_right = '{right}'", may.staff(right)) for right in rights))
    theirs = may.either(may.own(), may.both(here, "shared_at is not null"), may.SYSTEM)
    # The admissions office asks for what the care team alone reads; whoever sorts letters asks for letters alone.
    office = may.both(may.either(may.staff("preadmission"), may.staff("care")), "staff_right <> 'documents'")
    sorting = may.both(may.staff("documents"), "staff_right = 'documents'")
    asking = may.both(may.either(office, sorting), "shared_at is not null")
    op.execute(f"create policy piece_read on piece for select using ({theirs})")
    op.execute(f"create policy piece_update on piece for update using ({theirs}) with check ({theirs})")
    op.execute(
        f"create policy piece_insert on piece for insert with check ({may.either(may.own(), asking, may.SYSTEM)})"
    )
    seen = [f"exists (select 1 from {folder} o where o.id = folder_id)" for folder in folders]
    may.restrain("piece", may.either("patient_id is null", f"not {may.proxied()}", *seen), command="select")
    may.restrain("piece", scope, name="scope")


# -- back ----------------------------------------------------------------------------------------------------------


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _protect_pieces(("preadmission", "care"), ("preadmission",), may.within("administrative"))
    _forget_deposits()
    op.execute("drop policy document_reading_staff on document_reading")
    op.execute("drop policy document_change_withdrawn on document_change")
    op.execute("drop policy document_visible on document")
    for table in ("mes_opposition", "mes_sending", "deposit", "document_type"):
        op.execute(f"drop table {table} cascade")
    _name_pieces(*_PIECES)
    op.drop_constraint(op.f("ck_document_kind"), "document", type_="check")
    op.drop_index("ix_document_to_tell", "document")
    op.drop_index("ix_document_patient_id_authored_at", "document")
    for column in ("kind", *_MOMENTS, "posted_by"):
        op.drop_column("document", column)


def _forget_deposits() -> None:
    """The former version has no word for what patients deposited here."""
    gone = "(select id from piece where kind = 'health_document')"
    for table in ("piece_page", "piece_change", "piece"):  # no policy lets anybody delete a row of them
        op.execute(f"alter table {table} no force row level security")
    for table in ("piece_page", "piece_change"):
        op.execute(f"delete from {table} where piece_id in {gone}")
    op.execute("delete from piece where kind = 'health_document'")
    for table in ("piece_page", "piece_change", "piece"):
        op.execute(f"alter table {table} force row level security")
