"""Bills, payment attempts and the ledger."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("payment_attempt_change", "psp_exchange", "ledger_entry", "ledger_line", "receipt")
_TABLES = ("bill", "payment_attempt", *_APPEND_ONLY, "receipt_counter")


def upgrade() -> None:
    _create_tables()
    _balance_the_ledger()
    _protect()
    for table in _APPEND_ONLY:
        op.execute(f"comment on table {table} is 'append-only'")


def _create_tables() -> None:
    op.create_table(
        "bill",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("exer", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("refdet", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("care_on", sa.Date(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("amo_cents", sa.BigInteger(), nullable=False),
        sa.Column("amc_cents", sa.BigInteger(), nullable=False),
        sa.Column("due_cents", sa.BigInteger(), nullable=False),
        sa.Column("closed_reason", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("closed_reason in ('', 'paid_elsewhere', 'cancelled')", name="ck_bill_closed_reason"),
        sa.CheckConstraint("source in ('regie', 'titre', 'private')", name="ck_bill_source"),
        sa.CheckConstraint("least(total_cents, amo_cents, amc_cents, due_cents) >= 0", name="ck_bill_amounts"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_bill_establishment_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_bill_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill"),
        sa.UniqueConstraint(
            "establishment_id", "source", "exer", "reference", name="uq_bill_establishment_id_source_exer_reference"
        ),
    )
    op.create_index("ix_bill_establishment_id_issued_on", "bill", ["establishment_id", "issued_on"])
    op.create_index("ix_bill_patient_id", "bill", ["patient_id"])
    op.create_table(
        "receipt_counter",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_receipt_counter_establishment_id"),
        sa.PrimaryKeyConstraint("establishment_id", "year", name="pk_receipt_counter"),
    )
    op.create_table(
        "payment_attempt",
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("psp", sa.Text(), nullable=False),
        sa.Column("psp_ref", sa.Text(), nullable=True),
        sa.Column("return_digest", sa.LargeBinary(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("refdet", sa.Text(), nullable=False),
        sa.Column("exer", sa.Text(), nullable=False),
        sa.Column("numcli", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_code", sa.Text(), nullable=False),
        sa.Column("mismatch", sa.Text(), nullable=False),
        sa.Column("polls", sa.SmallInteger(), nullable=False),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state in ('created', 'awaiting', 'to_review', 'paid', 'debit_accepted', 'refused', 'abandoned', 'expired', 'failed')",
            name="ck_payment_attempt_state",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_payment_attempt_account_id"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_payment_attempt_bill_id"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_payment_attempt_establishment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_attempt"),
        sa.UniqueConstraint("psp_ref", name="uq_payment_attempt_psp_ref"),
        sa.UniqueConstraint("return_digest", name="uq_payment_attempt_return_digest"),
    )
    op.create_index("ix_payment_attempt_bill_id", "payment_attempt", ["bill_id"])
    op.create_index("ix_payment_attempt_establishment_id", "payment_attempt", ["establishment_id"])
    op.create_index(
        "ix_payment_attempt_next_poll_at",
        "payment_attempt",
        ["next_poll_at"],
        postgresql_where=sa.text("next_poll_at is not null"),
    )
    op.create_index(
        "uq_payment_attempt_one_live",
        "payment_attempt",
        ["bill_id"],
        unique=True,
        postgresql_where=sa.text("state in ('created', 'awaiting')"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("psp", sa.Text(), nullable=False),
        sa.Column("psp_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("numcli", sa.Text(), nullable=False),
        sa.Column("numauto", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name="ck_ledger_entry_amount"),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempt.id"], name="fk_ledger_entry_attempt_id"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_ledger_entry_bill_id"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_ledger_entry_establishment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entry"),
        sa.UniqueConstraint("psp", "psp_ref", "kind", name="uq_ledger_entry_psp_psp_ref_kind"),
    )
    op.create_index("ix_ledger_entry_bill_id", "ledger_entry", ["bill_id"])
    op.create_index("ix_ledger_entry_establishment_id", "ledger_entry", ["establishment_id"])
    op.create_table(
        "payment_attempt_change",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempt.id"], name="fk_payment_attempt_change_attempt_id"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_payment_attempt_change_bill_id"),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name="fk_payment_attempt_change_establishment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_attempt_change"),
    )
    op.create_index("ix_payment_attempt_change_attempt_id", "payment_attempt_change", ["attempt_id"])
    op.create_table(
        "psp_exchange",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempt.id"], name="fk_psp_exchange_attempt_id"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_psp_exchange_bill_id"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_psp_exchange_establishment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_psp_exchange"),
    )
    op.create_index("ix_psp_exchange_attempt_id", "psp_exchange", ["attempt_id"])
    op.create_table(
        "ledger_line",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("debit_cents", sa.BigInteger(), nullable=False),
        sa.Column("credit_cents", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "least(debit_cents, credit_cents) = 0 and greatest(debit_cents, credit_cents) > 0",
            name="ck_ledger_line_one_side",
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_ledger_line_bill_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name="fk_ledger_line_entry_id"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_ledger_line_establishment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_line"),
    )
    op.create_index("ix_ledger_line_bill_id", "ledger_line", ["bill_id"])
    op.create_index("ix_ledger_line_entry_id", "ledger_line", ["entry_id"])
    op.create_table(
        "receipt",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_receipt_bill_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name="fk_receipt_entry_id"),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name="fk_receipt_establishment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_receipt"),
        sa.UniqueConstraint("code", name="uq_receipt_code"),
        sa.UniqueConstraint("entry_id", name="uq_receipt_entry_id"),
        sa.UniqueConstraint("establishment_id", "year", "number", name="uq_receipt_establishment_id_year_number"),
    )
    op.create_index("ix_receipt_bill_id", "receipt", ["bill_id"])


# At commit, since the two sides of an entry are two rows. Both tables are watched: an entry without lines is refused.
_CHECK_BALANCE = """
create function check_ledger_balance() returns trigger language plpgsql as $$
declare
  entry uuid;
  balanced boolean;
begin
  if tg_table_name = 'ledger_entry' then entry := new.id; else entry := new.entry_id; end if;
  select sum(l.debit_cents) = sum(l.credit_cents)
         and sum(l.debit_cents) = (select e.amount_cents from ledger_entry e where e.id = entry)
    into balanced from ledger_line l where l.entry_id = entry;
  if balanced is not true then
    raise exception 'ledger entry % is not balanced', entry using errcode = 'check_violation';
  end if;
  return null;
end $$
"""


def _balance_the_ledger() -> None:
    op.execute(_CHECK_BALANCE)
    for table in ("ledger_entry", "ledger_line"):
        op.execute(
            f"create constraint trigger {table}_balance after insert on {table} deferrable initially deferred"
            " for each row execute function check_ledger_balance()"
        )


def _of_own_bill(table: str) -> str:
    return f"exists (select 1 from bill b where b.id = {table}.bill_id and {may.own('b.patient_id')})"


def _protect() -> None:
    """Staff see their hospital's rows, a patient what hangs on a bill of theirs; only the system books money."""
    staff = may.staff("billing")
    may.protect(
        "bill", read=may.either(may.own(), staff, may.SYSTEM), insert=may.SYSTEM, update=may.either(staff, may.SYSTEM)
    )
    may.protect(
        "payment_attempt",
        read=may.either(_of_own_bill("payment_attempt"), staff, may.SYSTEM),
        insert=may.either(_of_own_bill("payment_attempt"), may.SYSTEM),
        update=may.either(staff, may.SYSTEM),
    )
    may.protect(
        "payment_attempt_change",
        read=may.either(_of_own_bill("payment_attempt_change"), staff, may.SYSTEM),
        insert=may.both(may.actor(), may.either(staff, may.SYSTEM)),
    )
    may.protect("psp_exchange", read=may.either(staff, may.SYSTEM), insert=may.SYSTEM)
    for table in ("ledger_entry", "ledger_line", "receipt"):
        may.protect(table, read=may.either(_of_own_bill(table), staff, may.SYSTEM), insert=may.SYSTEM)
    may.protect("receipt_counter", read=may.SYSTEM, write=may.SYSTEM)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"drop table {table} cascade")
    op.execute("drop function check_ledger_balance")
