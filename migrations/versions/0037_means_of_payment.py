"""Bill sources, attempts that pay several bills, a ledger that knows more than payments.

An attempt's bills move to `attempt_share`; entries lose their bill, which their lines keep.
"""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_OWN_BILL = "exists (select 1 from bill b where b.id = {table}.bill_id and {own})"
_STATES_IN_PROGRESS = "state in ('created', 'awaiting', 'to_review')"


def upgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _sources()
    _bills()
    _attempts()
    _entries()
    _guard()


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    for table in ("ledger_entry", "ledger_line"):
        op.execute(f"drop trigger {table}_guard on {table}")
    op.execute("drop function refuse_ledger_change")
    _drop_policies("ledger_entry", "receipt", "payment_attempt", "payment_attempt_change", "psp_exchange")
    _entries_back()
    _attempts_back()
    for name in ("bill_source", "access_digest", "birth_digest", "closed_note"):
        op.drop_column("bill", name)
    op.drop_table("bill_source")
    _policies_of_before()


def _sources() -> None:
    op.create_table(
        "bill_source",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("numcli", sa.Text(), nullable=False),
        sa.Column("saisie", sa.Text(), nullable=False),
        sa.Column("means", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("several", sa.Boolean(), nullable=False),
        sa.Column("reminds", sa.Boolean(), nullable=False),
        sa.Column("contact_name", sa.Text(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=False),
        sa.Column("contact_email", sa.Text(), nullable=False),
        sa.Column("contact_hours", sa.Text(), nullable=False),
        sa.Column("difficulties", sa.Text(), nullable=False),
        sa.Column("instalments", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('regie', 'titre', 'private')", name="ck_bill_source_kind"),
        sa.CheckConstraint("access in ('key', 'amount_birth', 'none')", name="ck_bill_source_access"),
        sa.CheckConstraint("means <@ array['payfip', 'stripe']", name="ck_bill_source_means"),
        sa.CheckConstraint("saisie in ('', 'T', 'X', 'W')", name="ck_bill_source_saisie"),
        sa.CheckConstraint(
            "kind <> 'titre' or (not reminds and not several and not 'stripe' = any (means))",
            name="ck_bill_source_titre",
        ),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_bill_source_establishment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_source"),
        sa.UniqueConstraint("establishment_id", "code", name="uq_bill_source_establishment_id_code"),
    )
    op.create_index("ix_bill_source_establishment_id", "bill_source", ["establishment_id"])
    keepers = may.either(may.staff("billing"), may.staff("administration"), may.SYSTEM)
    may.protect("bill_source", read=may.ANYBODY, insert=keepers, update=keepers)


def _bills() -> None:
    op.add_column("bill", sa.Column("bill_source", sa.Text(), server_default="", nullable=False))
    op.add_column("bill", sa.Column("access_digest", sa.LargeBinary(), nullable=True))
    op.add_column("bill", sa.Column("birth_digest", sa.LargeBinary(), nullable=True))
    op.add_column("bill", sa.Column("closed_note", sa.Text(), server_default="", nullable=False))


def _drop_policies(*tables: str) -> None:
    """Until `may.protect` puts new ones: meanwhile the owner, who runs this, sees every row."""
    for table in tables:
        op.execute(f"alter table {table} no force row level security")
        for command in ("read", "insert", "update"):
            op.execute(f"drop policy if exists {table}_{command} on {table}")


# -- attempts ----------------------------------------------------------------------------------------------------


def _attempts() -> None:
    op.create_table(
        "attempt_share",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name="ck_attempt_share_amount"),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempt.id"], name="fk_attempt_share_attempt_id"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_attempt_share_bill_id"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_attempt_share_establishment_id"),
        sa.PrimaryKeyConstraint("attempt_id", "bill_id", name="pk_attempt_share"),
    )
    op.execute(
        "insert into attempt_share (attempt_id, bill_id, establishment_id, amount_cents, live)"
        " select id, bill_id, establishment_id, amount_cents, state in ('created', 'awaiting') from payment_attempt"
    )
    op.create_index("ix_attempt_share_bill_id", "attempt_share", ["bill_id"])
    op.create_index(
        "uq_attempt_share_one_live", "attempt_share", ["bill_id"], unique=True, postgresql_where=sa.text("live")
    )
    op.add_column("payment_attempt", sa.Column("source", sa.Text(), nullable=True))
    op.execute("update payment_attempt a set source = b.source from bill b where b.id = a.bill_id")
    op.alter_column("payment_attempt", "source", nullable=False)
    for name in ("bill_source", "page_url"):
        op.add_column("payment_attempt", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("payment_attempt", sa.Column("currency", sa.Text(), server_default="EUR", nullable=False))
    op.add_column("payment_attempt", sa.Column("page_until", sa.DateTime(timezone=True), nullable=True))
    _drop_policies("payment_attempt", "payment_attempt_change", "psp_exchange")
    for table in ("payment_attempt", "payment_attempt_change", "psp_exchange"):
        op.drop_column(table, "bill_id")
    op.create_check_constraint(op.f("ck_payment_attempt_amount"), "payment_attempt", "amount_cents > 0")
    op.create_index(
        "ix_payment_attempt_unsettled",
        "payment_attempt",
        ["establishment_id", "created_at"],
        postgresql_where=sa.text(_STATES_IN_PROGRESS),
    )
    _protect_attempts()


def _protect_attempts() -> None:
    """A patient sees an attempt through a share of a bill of theirs; what hangs on an attempt, through it."""
    staff = may.staff("billing")
    own_share = "exists (select 1 from attempt_share s where s.attempt_id = payment_attempt.id)"
    may.protect(
        "attempt_share",
        read=may.either(staff, may.SYSTEM, _OWN_BILL.format(table="attempt_share", own=may.own("b.patient_id"))),
        insert=may.either(_OWN_BILL.format(table="attempt_share", own=may.own("b.patient_id")), may.SYSTEM),
        update=may.either(staff, may.SYSTEM),
    )
    may.protect(
        "payment_attempt",
        read=may.either(staff, may.SYSTEM, own_share),
        insert=may.either(may.account(), may.SYSTEM),
        update=may.either(staff, may.SYSTEM),
    )
    of_attempt = "exists (select 1 from payment_attempt a where a.id = payment_attempt_change.attempt_id)"
    may.protect(
        "payment_attempt_change",
        read=may.either(staff, may.SYSTEM, of_attempt),
        insert=may.both(may.actor(), may.either(staff, may.SYSTEM)),
    )
    may.protect("psp_exchange", read=may.either(staff, may.SYSTEM), insert=may.SYSTEM)


def _attempts_back() -> None:
    for table in ("payment_attempt", "payment_attempt_change", "psp_exchange"):
        op.add_column(table, sa.Column("bill_id", sa.Uuid(), nullable=True))
    op.execute(
        "update payment_attempt a set bill_id ="
        " (select s.bill_id from attempt_share s where s.attempt_id = a.id order by s.bill_id limit 1)"
    )
    for table in ("payment_attempt_change", "psp_exchange"):
        op.execute(f"update {table} x set bill_id = a.bill_id from payment_attempt a where a.id = x.attempt_id")
    for table in ("payment_attempt", "payment_attempt_change", "psp_exchange"):
        op.alter_column(table, "bill_id", nullable=False)
        op.create_foreign_key(f"fk_{table}_bill_id", table, "bill", ["bill_id"], ["id"])
    op.create_index("ix_payment_attempt_bill_id", "payment_attempt", ["bill_id"])
    op.create_index(
        "uq_payment_attempt_one_live",
        "payment_attempt",
        ["bill_id"],
        unique=True,
        postgresql_where=sa.text("state in ('created', 'awaiting')"),
    )
    op.drop_index("ix_payment_attempt_unsettled", "payment_attempt")
    op.drop_constraint(op.f("ck_payment_attempt_amount"), "payment_attempt")
    for name in ("source", "bill_source", "page_url", "currency", "page_until"):
        op.drop_column("payment_attempt", name)
    op.drop_table("attempt_share")


# -- the ledger --------------------------------------------------------------------------------------------------


def _entries() -> None:
    _drop_policies("ledger_entry", "receipt")
    op.add_column("ledger_line", sa.Column("kind", sa.Text(), nullable=True))
    op.execute("update ledger_line l set kind = e.kind from ledger_entry e where e.id = l.entry_id")
    op.alter_column("ledger_line", "kind", nullable=False)
    op.alter_column("ledger_line", "bill_id", nullable=True)
    op.alter_column("ledger_entry", "numcli", new_column_name="account")
    op.alter_column("ledger_entry", "numauto", new_column_name="number", server_default="")
    op.alter_column("ledger_entry", "means", server_default="")
    op.alter_column("ledger_entry", "attempt_id", nullable=True)
    for name in ("bill_source", "note"):
        op.add_column("ledger_entry", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("ledger_entry", sa.Column("currency", sa.Text(), server_default="EUR", nullable=False))
    for name in ("is_memo", "is_test"):
        op.add_column("ledger_entry", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))
    op.add_column("ledger_entry", sa.Column("undoes_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_ledger_entry_undoes_id", "ledger_entry", "ledger_entry", ["undoes_id"], ["id"])
    op.execute("update ledger_entry e set is_test = a.mode = 'T' from payment_attempt a where a.id = e.attempt_id")
    op.drop_column("ledger_entry", "bill_id")
    op.drop_column("receipt", "bill_id")
    op.create_check_constraint(
        op.f("ck_ledger_entry_kind"),
        "ledger_entry",
        "kind in ('payment', 'rejection', 'refund', 'refund_failed', 'dispute', 'dispute_won', 'dispute_fee', 'fee',"
        " 'payout')",
    )
    op.drop_index("ix_ledger_entry_establishment_id", "ledger_entry")
    op.create_index("ix_ledger_entry_journal", "ledger_entry", ["establishment_id", "booked_at", "id"])
    op.create_index("ix_ledger_entry_attempt_id", "ledger_entry", ["attempt_id"])
    op.create_index(
        "ix_ledger_entry_undoes_id", "ledger_entry", ["undoes_id"], postgresql_where=sa.text("undoes_id is not null")
    )
    _protect_entries()


def _protect_entries() -> None:
    # The cheap conditions first: they are tried in this order, and a journal is a million rows.
    staff = may.staff("billing")
    own_line = "exists (select 1 from ledger_line l where l.entry_id = ledger_entry.id)"
    own_entry = "exists (select 1 from ledger_entry e where e.id = receipt.entry_id)"
    _drop_policies("ledger_line")
    may.protect(
        "ledger_line",
        read=may.either(staff, may.SYSTEM, _OWN_BILL.format(table="ledger_line", own=may.own("b.patient_id"))),
        insert=may.either(staff, may.SYSTEM),
    )
    may.protect("ledger_entry", read=may.either(staff, may.SYSTEM, own_line), insert=may.either(staff, may.SYSTEM))
    may.protect("receipt", read=may.either(staff, may.SYSTEM, own_entry), insert=may.SYSTEM)


def _entries_back() -> None:
    """What the former ledger cannot hold, entries about no bill, is lost."""
    _drop_policies("ledger_line")
    op.execute(
        "delete from ledger_line where entry_id in"
        " (select e.id from ledger_entry e where e.attempt_id is null or not exists"
        " (select 1 from ledger_line l where l.entry_id = e.id and l.bill_id is not null))"
    )
    op.execute("delete from ledger_entry e where not exists (select 1 from ledger_line l where l.entry_id = e.id)")
    for table in ("ledger_entry", "receipt"):
        op.add_column(table, sa.Column("bill_id", sa.Uuid(), nullable=True))
    op.execute(
        "update ledger_entry e set bill_id = (select l.bill_id from ledger_line l"
        " where l.entry_id = e.id and l.bill_id is not null order by l.bill_id limit 1)"
    )
    op.execute("update receipt r set bill_id = e.bill_id from ledger_entry e where e.id = r.entry_id")
    op.execute(
        "update ledger_line l set bill_id = e.bill_id from ledger_entry e where e.id = l.entry_id and l.bill_id is null"
    )
    op.alter_column("ledger_line", "bill_id", nullable=False)
    for table in ("ledger_entry", "receipt"):
        op.alter_column(table, "bill_id", nullable=False)
        op.create_foreign_key(f"fk_{table}_bill_id", table, "bill", ["bill_id"], ["id"])
        op.create_index(f"ix_{table}_bill_id", table, ["bill_id"])
    op.drop_constraint(op.f("ck_ledger_entry_kind"), "ledger_entry")
    for name in ("ix_ledger_entry_journal", "ix_ledger_entry_attempt_id", "ix_ledger_entry_undoes_id"):
        op.drop_index(name, "ledger_entry")
    op.create_index("ix_ledger_entry_establishment_id", "ledger_entry", ["establishment_id"])
    for name in ("bill_source", "note", "currency", "is_memo", "is_test", "undoes_id"):
        op.drop_column("ledger_entry", name)
    op.alter_column("ledger_entry", "account", new_column_name="numcli")
    op.alter_column("ledger_entry", "number", new_column_name="numauto", server_default=None)
    op.alter_column("ledger_entry", "means", server_default=None)
    op.alter_column("ledger_entry", "attempt_id", nullable=False)
    op.drop_column("ledger_line", "kind")


# Not even the owner of the tables rewrites the past: corrections are new entries.
_REFUSE_CHANGE = """
create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is added to, never changed' using errcode = 'insufficient_privilege';
end $$
"""


def _guard() -> None:
    op.execute(_REFUSE_CHANGE)
    for table in ("ledger_entry", "ledger_line"):
        op.execute(
            f"create trigger {table}_guard before update or delete or truncate on {table}"
            " for each statement execute function refuse_ledger_change()"
        )


def _policies_of_before() -> None:
    staff = may.staff("billing")

    def own(table: str) -> str:
        return _OWN_BILL.format(table=table, own=may.own("b.patient_id"))

    may.protect(
        "payment_attempt",
        read=may.either(own("payment_attempt"), staff, may.SYSTEM),
        insert=may.either(own("payment_attempt"), may.SYSTEM),
        update=may.either(staff, may.SYSTEM),
    )
    may.protect(
        "payment_attempt_change",
        read=may.either(own("payment_attempt_change"), staff, may.SYSTEM),
        insert=may.both(may.actor(), may.either(staff, may.SYSTEM)),
    )
    may.protect("psp_exchange", read=may.either(staff, may.SYSTEM), insert=may.SYSTEM)
    for table in ("ledger_entry", "ledger_line", "receipt"):
        may.protect(table, read=may.either(own(table), staff, may.SYSTEM), insert=may.SYSTEM)
