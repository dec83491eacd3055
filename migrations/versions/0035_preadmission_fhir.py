"""What the hospital's system calls files and has seen of them in FHIR; places at maternity wards."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_STATES = (
    "received", "studied", "offered", "waiting_list", "refused", "confirmed", "cancelled", "born_elsewhere",
)  # fmt: skip
_FROM_THE_HOSPITAL = "origin in ('hospital', 'invitation')"


def upgrade() -> None:
    _create_versions()
    _stir()
    _show_what_the_hospital_knows()
    _create_maternity()
    _protect_maternity()


def _create_versions() -> None:
    op.create_table(
        "encounter_identifier",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        _foreign("encounter_identifier", "establishment"),
        _foreign("encounter_identifier", "preadmission", ondelete="cascade"),
        sa.PrimaryKeyConstraint("establishment_id", "system", "value", name=op.f("pk_encounter_identifier")),
    )
    op.create_index(op.f("ix_encounter_identifier_preadmission_id"), "encounter_identifier", ["preadmission_id"])
    op.create_table(
        "encounter_stir",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("folder_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encounter_stir")),
    )
    op.create_index(op.f("ix_encounter_stir_establishment_id"), "encounter_stir", ["establishment_id"])
    op.create_table(
        "encounter_version",
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appointment", sa.Text(), nullable=False, server_default=""),
        _foreign("encounter_version", "establishment"),
        _foreign("encounter_version", "preadmission", ondelete="cascade"),
        sa.PrimaryKeyConstraint("preadmission_id", name=op.f("pk_encounter_version")),
    )
    op.create_index("ix_encounter_version_at", "encounter_version", ["establishment_id", "at", "preadmission_id"])
    here = may.either(may.staff("preadmission"), may.SYSTEM)
    for table in ("encounter_identifier", "encounter_version"):
        may.protect(table, read=here, insert=here, update=here, delete=may.SYSTEM)
    # Whoever changes a file stirs it, patients and jobs too: ids alone, that only its hospital reads and takes away.
    may.protect("encounter_stir", read=here, insert=may.ANYBODY, delete=here)


def _foreign(table: str, to: str, column: str = "", ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    column = column or f"{to}_id"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _stir() -> None:
    """In the transaction of the change itself: a poll that comes before its end sees neither, one that comes after
    sees both, however long the transaction took."""
    for table, key, seen in (
        ("preadmission", "id", f"new.submitted_at is not null or new.{_FROM_THE_HOSPITAL} or new.origin = 'desk'"),
        ("piece", "folder_id", "new.shared_at is not null"),
    ):
        op.execute(
            f"create function stir_{table}() returns trigger language plpgsql as $$ begin"
            f" insert into encounter_stir (establishment_id, folder_id) values (new.establishment_id, new.{key});"
            " return null; end $$"
        )
        op.execute(
            f"create trigger {table}_stirs after insert or update on {table} for each row when ({seen})"
            f" execute function stir_{table}()"
        )
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute(
        "insert into encounter_stir (establishment_id, folder_id) select establishment_id, id from preadmission"
        f" where submitted_at is not null or {_FROM_THE_HOSPITAL} or origin = 'desk'"
    )


def _show_what_the_hospital_knows() -> None:
    """The stay that the hospital told us of is its own from the start; what the patient writes there is not, until it
    is sent."""
    here = may.staff("preadmission")
    told = may.both(here, _FROM_THE_HOSPITAL)
    op.execute(f"create policy preadmission_known_read on preadmission for select using ({told})")
    op.execute(f"create policy preadmission_known_insert on preadmission for insert with check ({told})")
    op.execute(f"create policy preadmission_known_update on preadmission for update using ({told}) with check ({told})")
    begun = f"exists (select 1 from preadmission parent where parent.id = folder_id and parent.{_FROM_THE_HOSPITAL})"
    op.execute(f"create policy piece_known_insert on piece for insert with check ({may.both(here, begun)})")
    sent = may.either(may.own("parent.patient_id"), "parent.submitted_at is not null", "parent.origin = 'desk'")
    may.restrain(
        "preadmission_answers",
        f"exists (select 1 from preadmission parent where parent.id = preadmission_id and ({sent}))",
        command="select",
        name="sent",
    )
    # So is whom they name, and what they choose; a companion reads their own line.
    for table, besides in (("companion", (may.account(),)), ("preadmission_choice", ())):
        known = f"exists (select 1 from preadmission parent where parent.id = preadmission_id and ({sent}))"
        may.restrain(table, may.either(known, *besides), command="select", name="sent")


def _create_maternity() -> None:
    op.create_table(
        "maternity_places",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("level in ('I', 'II', 'III')", name=op.f("ck_maternity_places_level")),
        sa.CheckConstraint("places >= 0", name=op.f("ck_maternity_places_places")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_maternity_places_month")),
        _foreign("maternity_places", "establishment"),
        _foreign("maternity_places", "site"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maternity_places")),
        sa.UniqueConstraint("site_id", "month", "level", name=op.f("uq_maternity_places_site_id_month_level")),
    )
    op.create_index(op.f("ix_maternity_places_establishment_id"), "maternity_places", ["establishment_id"])
    op.create_table(
        "maternity_request",
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("multiple", sa.Boolean(), nullable=False),
        sa.Column("follow_up", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _foreign("maternity_request", "preadmission"),
        _foreign("maternity_request", "patient"),
        _foreign("maternity_request", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maternity_request")),
        sa.UniqueConstraint("preadmission_id", name=op.f("uq_maternity_request_preadmission_id")),
    )
    op.create_index(op.f("ix_maternity_request_patient_id"), "maternity_request", ["patient_id"])
    _create_wishes()


def _create_wishes() -> None:
    op.create_table(
        "maternity_wish",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("places_id", sa.Uuid(), nullable=True),
        sa.Column("answer_by", sa.Date(), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("words", sa.Text(), nullable=False, server_default=""),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"state in {_STATES!r}", name=op.f("ck_maternity_wish_state")),
        sa.CheckConstraint(
            "(state in ('offered', 'confirmed', 'waiting_list')) <= (places_id is not null)",
            name=op.f("ck_maternity_wish_place"),
        ),
        *(_foreign("maternity_wish", to) for to in ("preadmission", "patient", "establishment", "site")),
        _foreign("maternity_wish", "maternity_request", "request_id"),
        _foreign("maternity_wish", "maternity_places", "places_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maternity_wish")),
        sa.UniqueConstraint("request_id", "site_id", name=op.f("uq_maternity_wish_request_id_site_id")),
    )
    op.create_index("ix_maternity_wish_tray", "maternity_wish", ["establishment_id", "state"])
    op.create_index(op.f("ix_maternity_wish_patient_id"), "maternity_wish", ["patient_id"])
    op.create_index(op.f("ix_maternity_wish_places_id"), "maternity_wish", ["places_id"])
    op.create_index(
        "uq_maternity_wish_one_place", "maternity_wish", ["request_id"], unique=True,
        postgresql_where=sa.text("state in ('offered', 'confirmed')"),
    )  # fmt: skip
    texts = ("actor", "actor_name", "from_state", "to_state", "reason")
    op.create_table(
        "maternity_change",
        sa.Column("wish_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("id", sa.Uuid(), nullable=False),
        _foreign("maternity_change", "patient"),
        _foreign("maternity_change", "maternity_wish", "wish_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maternity_change")),
    )
    op.create_index(op.f("ix_maternity_change_wish_id"), "maternity_change", ["wish_id"])


def _protect_maternity() -> None:
    theirs = may.either(may.own(), may.staff("preadmission"), may.SYSTEM)
    may.protect("maternity_places", read=may.ANYBODY, write=may.either(may.staff("administration"), may.SYSTEM))
    wished = "exists (select 1 from maternity_wish w where w.request_id = maternity_request.id)"
    may.protect(
        "maternity_request",
        read=may.either(may.own(), wished, may.SYSTEM),
        insert=may.either(may.own(), may.SYSTEM),
        update=may.either(may.own(), may.SYSTEM),
        delete=may.SYSTEM,
    )
    may.protect(
        "maternity_wish", read=theirs, insert=may.either(may.own(), may.SYSTEM), update=theirs, delete=may.SYSTEM
    )
    seen = "exists (select 1 from maternity_wish w where w.id = wish_id)"
    may.protect("maternity_change", read=seen, insert=may.both(may.actor(), seen))
    op.execute("comment on table maternity_change is 'append-only'")
    # Who acts for somebody sees the place asked for a stay that they see.
    shown = "exists (select 1 from preadmission p where p.id = preadmission_id)"
    for table in ("maternity_request", "maternity_wish"):
        may.restrain(table, may.either(f"not {may.proxied()}", shown))


def downgrade() -> None:
    for table in ("maternity_change", "maternity_wish", "maternity_request", "maternity_places"):
        op.execute(f"drop table {table} cascade")
    for table in ("preadmission_answers", "companion", "preadmission_choice"):
        op.execute(f"drop policy {table}_sent on {table}")
    op.execute("drop policy piece_known_insert on piece")
    for command in ("read", "insert", "update"):
        op.execute(f"drop policy preadmission_known_{command} on preadmission")
    for table in ("preadmission", "piece"):
        op.execute(f"drop trigger {table}_stirs on {table}")
        op.execute(f"drop function stir_{table}()")
    for table in ("encounter_version", "encounter_stir", "encounter_identifier"):
        op.execute(f"drop table {table} cascade")
