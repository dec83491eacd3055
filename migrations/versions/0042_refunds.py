"""Refunds, disputes and payouts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

from migrations import policies as may

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index("ix_ledger_entry_number", "ledger_entry", ["number"], postgresql_where=sa.text("number <> ''"))
    _disputes()
    _refunds()
    _payouts()
    _guard()


def downgrade() -> None:
    for table in ("payout_movement", "payout", "refund_change", "refund", "dispute_change", "dispute"):
        op.execute(f"drop table {table} cascade")
    for function in ("refuse_over_refund()", "refuse_refund_change()", "payment_holds(uuid, uuid)"):
        op.execute(f"drop function {function}")
    op.drop_index("ix_ledger_entry_number", "ledger_entry")


def _key(table: str) -> list[SchemaItem]:
    return [sa.Column("id", sa.Uuid(), nullable=False), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def _to(table: str, column: str, target: str, *, nullable: bool = False) -> list[SchemaItem]:
    return [
        sa.Column(column, sa.Uuid(), nullable=nullable),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}")),
    ]


def _texts(*names: str) -> list[SchemaItem]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[SchemaItem]:
    return [sa.Column(name, _MOMENT, nullable=nullable) for name in names]


def _cents(*names: str) -> list[SchemaItem]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _changes(table: str, *more: str) -> None:
    change = f"{table}_change"
    op.create_table(
        change,
        *_key(change),
        *_to(change, f"{table}_id", table),
        *_to(change, "establishment_id", "establishment"),
        *_texts("before", "after", *more, "actor"),
        *_moments("at"),
    )
    op.create_index(f"ix_{change}_{table}_id", change, [f"{table}_id"])
    op.execute(f"comment on table {change} is 'append-only'")


def _disputes() -> None:
    op.create_table(
        "dispute",
        *_key("dispute"),
        *_to("dispute", "establishment_id", "establishment"),
        *_to("dispute", "entry_id", "ledger_entry", nullable=True),
        *_texts("psp", "psp_ref", "account", "payment_ref", "reason", "state"),
        *_cents("amount_cents"),
        *_moments("state_at", "opened_at"),
        *_moments("respond_by", nullable=True),
        sa.UniqueConstraint("psp_ref", name=op.f("uq_dispute_psp_ref")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_dispute_amount")),
    )
    op.create_index("ix_dispute_entry_id", "dispute", ["entry_id"])
    op.create_index("ix_dispute_list", "dispute", ["establishment_id", "opened_at"])
    _changes("dispute")
    staff = may.either(may.staff("billing"), may.SYSTEM)
    may.protect("dispute", read=staff, insert=may.SYSTEM, update=may.SYSTEM)
    may.protect("dispute_change", read=staff, insert=may.both(may.actor(), may.SYSTEM))


def _refunds() -> None:
    op.create_table(
        "refund",
        *_key("refund"),
        *_to("refund", "establishment_id", "establishment"),
        *_to("refund", "bill_id", "bill"),
        *_to("refund", "entry_id", "ledger_entry"),
        *_to("refund", "asked_by", "account", nullable=True),
        *_to("refund", "approved_by", "account", nullable=True),
        *_texts("psp", "reason", "note", "state", "asked_by_name", "approved_by_name", "failure", "accountant_ref"),
        sa.Column("psp_ref", sa.Text(), nullable=True),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=True),
        *_cents("amount_cents"),
        *_moments("state_at", "asked_at"),
        *_moments("approved_at", "first_sent_at", nullable=True),
        sa.UniqueConstraint("psp_ref", name=op.f("uq_refund_psp_ref")),
        *_rules_of_refunds(),
    )
    op.create_index("ix_refund_bill_id", "refund", ["bill_id"])
    op.create_index("ix_refund_entry_id", "refund", ["entry_id"])
    op.create_index("ix_refund_tray", "refund", ["establishment_id", "state", "asked_at"])
    op.create_index(
        "ix_refund_to_follow",
        "refund",
        ["state_at"],
        postgresql_where=sa.text("psp = 'stripe' and state in ('approved', 'sending', 'unknown', 'under_way')"),
    )
    _changes("refund", "code", "actor_name")
    staff = may.either(may.staff("billing"), may.SYSTEM)
    may.protect("refund", read=staff, insert=staff, update=staff)
    may.protect("refund_change", read=staff, insert=may.both(may.actor(), staff))


def _rules_of_refunds() -> list[sa.CheckConstraint]:
    rules = {
        "state": "state in ('asked', 'approved', 'sending', 'unknown', 'under_way', 'done', 'failed', 'cancelled')",
        "reason": "reason in ('overpaid', 'cancelled_care', 'at_provider')",
        "amount": "amount_cents > 0",
        "note": "length(note) <= 500",
        "four_eyes": "approved_by is null or approved_by <> asked_by",
        "asked_by": "asked_by is not null or reason = 'at_provider'",
        "needs_second": "not needs_second or approved_by is not null or state in ('asked', 'cancelled')",
    }
    return [sa.CheckConstraint(rule, name=op.f(f"ck_refund_{name}")) for name, rule in rules.items()]


def _payouts() -> None:
    op.create_table(
        "payout",
        *_key("payout"),
        *_to("payout", "establishment_id", "establishment"),
        *_texts("account", "psp", "psp_ref", "state"),
        *_cents("amount_cents"),
        *_moments("arrives_at", "heard_at"),
        sa.UniqueConstraint("psp_ref", name=op.f("uq_payout_psp_ref")),
    )
    op.create_index("ix_payout_list", "payout", ["establishment_id", "arrives_at"])
    op.create_table(
        "payout_movement",
        *_key("payout_movement"),
        *_to("payout_movement", "payout_id", "payout"),
        *_to("payout_movement", "establishment_id", "establishment"),
        *_to("payout_movement", "entry_id", "ledger_entry", nullable=True),
        *_texts("psp_ref", "kind", "source"),
        *_cents("amount_cents", "fee_cents", "net_cents"),
        *_moments("moved_at"),
        sa.UniqueConstraint("psp_ref", name=op.f("uq_payout_movement_psp_ref")),
        sa.CheckConstraint("net_cents = amount_cents - fee_cents", name=op.f("ck_payout_movement_net")),
    )
    op.create_index("ix_payout_movement_payout_id", "payout_movement", ["payout_id"])
    op.create_index("ix_payout_movement_entry_id", "payout_movement", ["entry_id"])
    staff = may.either(may.staff("billing"), may.SYSTEM)
    for table in ("payout", "payout_movement"):
        may.protect(table, read=staff, insert=may.SYSTEM, update=may.SYSTEM)


# What a payment still holds for a bill: what it brought, less what was taken back since (refunds, disputes, a rejected
# debit order, each with what undid it), less what is about to leave.
_HOLDS = """
create function payment_holds(payment uuid, of_bill uuid) returns bigint language sql stable as $$
  with undone as (select id from ledger_entry where undoes_id = payment)
  select (coalesce((
    select sum(l.credit_cents - l.debit_cents) from ledger_line l
    where l.bill_id = of_bill and l.account in ('receivable', 'overpaid', 'disputes') and l.entry_id in (
      select payment union all select id from undone
      union all select e.id from ledger_entry e where e.undoes_id in (select id from undone))), 0)
  - coalesce((
    select sum(r.amount_cents) from refund r
    where r.entry_id = payment and r.bill_id = of_bill and r.state in ('asked', 'approved', 'sending', 'unknown')
  ), 0))::bigint
$$
"""
# Two agents at once take turns at the lock; what one has reserved, the other then sees.
_REFUSE_TOO_MUCH = """
create function refuse_over_refund() returns trigger language plpgsql as $$
begin
  if new.reason = 'at_provider' then
    return new;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(new.entry_id::text, 42));
  if new.amount_cents > payment_holds(new.entry_id, new.bill_id) then
    raise exception 'this payment does not hold so much' using errcode = 'check_violation';
  end if;
  return new;
end $$
"""
_REFUSE_CHANGE = """
create function refuse_refund_change() returns trigger language plpgsql as $$
begin
  if (new.establishment_id, new.bill_id, new.entry_id, new.psp, new.amount_cents, new.reason, new.asked_by,
      new.needs_second) is distinct from (old.establishment_id, old.bill_id, old.entry_id, old.psp, old.amount_cents,
      old.reason, old.asked_by, old.needs_second)
    or (old.state in ('failed', 'cancelled') and new.state not in (old.state, 'under_way', 'done'))
    or (old.approved_by is not null and new.approved_by is distinct from old.approved_by) then
    raise exception 'what was asked and approved is not changed' using errcode = 'check_violation';
  end if;
  return new;
end $$
"""


def _guard() -> None:
    for function in (_HOLDS, _REFUSE_TOO_MUCH, _REFUSE_CHANGE):
        op.execute(function)
    op.execute(
        "create trigger refund_within_payment before insert on refund for each row execute function"
        " refuse_over_refund()"
    )
    op.execute(
        "create trigger refund_guard before update on refund for each row execute function refuse_refund_change()"
    )
