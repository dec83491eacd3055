"""billing.journal: the journal of the ledger over a million entries (SIZE of them), by an agent and under the policies:
its first page with the totals of seven days, and one deep in the past; p95 in ms, against the same statements sent
straight through psycopg. billing.balances: the balances of every account, today."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from tests.bench.harness import Ground, application, ground, p95_ms, report, signed_in, size
from tests.bench.replay import player, recorded
from tests.factories import hospitals, people

NAMES = ("billing.journal", "billing.balances")
ENTRIES = 1_000_000
LOOKS = 60
A_YEAR = 365 * 24 * 3600

# Over a year, one refund in a hundred; each entry with its two sides. The ledger’s checks, row by row, are not what is
# measured here.
_ENTRIES = """
insert into ledger_entry (id, establishment_id, psp, psp_ref, kind, means, amount_cents, bill_source, account, number,
  booked_at)
select gen_random_uuid(), %(place)s, 'payfip', n::text, case when n %% 100 = 0 then 'refund' else 'payment' end,
  case when n %% 9 = 0 then 'direct_debit' else 'card' end, 1000 + n %% 9000, 'regie', '090909', n || '-tip',
  now() - make_interval(secs => n * (%(year)s::float / %(entries)s))
from generate_series(1, %(entries)s) n
"""
_LINES = """
insert into ledger_line (id, entry_id, establishment_id, kind, account, debit_cents, credit_cents)
select gen_random_uuid(), e.id, e.establishment_id, e.kind, side.account, side.debit * e.amount_cents,
  side.credit * e.amount_cents
from ledger_entry e, lateral (values ('clearing:payfip:090909', (e.kind = 'payment')::int, (e.kind <> 'payment')::int),
  ('receivable', (e.kind <> 'payment')::int, (e.kind = 'payment')::int)) as side(account, debit, credit)
"""


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context(), db.transaction(db.system("bench")):
            where = hospitals.hospital().establishment
            agent = people.agent(where.id, "billing")
            browser = signed_in(app, agent.id)
        _fill(place, where.id)
        note = f"{size(ENTRIES)} entries"
        _measure("billing.journal", app, place, browser, "/admin/factures/journal", f"{note}, seven days and totals")
        _measure("billing.journal", app, place, browser, _deep(), f"{note}, a page of six months ago")
        _measure("billing.balances", app, place, browser, "/admin/factures/soldes", note, looks=8)


def _fill(place: Ground, establishment_id: UUID) -> None:
    facts = {"place": establishment_id, "entries": size(ENTRIES), "year": A_YEAR}
    with psycopg.connect(place.server.url(), dbname="bench", autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(_ENTRIES, facts)
        connection.execute(_LINES)
        connection.execute("vacuum analyze ledger_entry, ledger_line")


def _deep() -> str:
    """A page of the whole year, thousands of pages behind the first."""
    moment = datetime.now(UTC) - timedelta(days=180)
    first, last = (moment - timedelta(days=170)).date(), datetime.now(UTC).date()
    there = f"{moment:%Y-%m-%dT%H:%M:%S}%2B00:00_00000000-0000-0000-0000-000000000000"
    return f"/admin/factures/journal?from={first}&to={last}&apres={there}"


def _measure(
    name: str, app: Flask, place: Ground, browser: FlaskClient, address: str, note: str, looks: int = LOOKS
) -> None:
    def look() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}")

    look()
    with recorded(app) as statements:
        look()
    with player(place, statements, writes=False) as play:
        ours, limit = p95_ms(look, looks), p95_ms(play, looks)
    report(name, ours, "ms p95", limit, lower_is_better=True, note=f"{note}, {len(statements)} statements")
