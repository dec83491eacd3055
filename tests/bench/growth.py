"""Years of a large group, in bulk: rows of other people, of forty hospitals and two thousand units, each a copy of one
that the demonstration made. What waits does not grow with the years: nearly all of them are past, closed, paid or read.
"""

from collections.abc import Mapping

import psycopg

from tests.bench.harness import Ground

_SPREAD = "now() - make_interval(hours => (n::bigint * 7919 % 26280)::int)"
"""A moment of the last three years."""
_COMING = "now() - make_interval(hours => (n::bigint * 7919 % 26280)::int - 3700)"
"""One of the last three years, or of the next six months for one in seven."""


def _made(what: str, number: str = "n") -> str:
    return f"md5('{what}' || {number})::uuid"


_PATIENT = _made("patient", "(1 + n % greatest(%(last)s::int / 10, 1))")
_ONE_OF_40 = "case when n % 40 = 0 then t.establishment_id else " + _made("establishment", "n % 40") + " end"
_ONE_OF_2000 = "case when n % 2000 = 0 then t.unit_id else " + _made("unit", "n % 2000") + " end"
_PROFESSIONAL = f"case when t.professional_id is not null then {_made('professional', 'n % 5000')} end"
_CORRESPONDENT = f"case when t.patient_id is not null then {_PATIENT} end"
_OURS = {"id": "", "establishment_id": _ONE_OF_40, "patient_id": _PATIENT}

TABLES: Mapping[str, Mapping[str, str]] = {
    "patient": {
        "birth_name": "'FOULE ' || n", "name_key": "'FOULE' || n", "birth_on": "date '1940-01-01' + n % 25000",
        "ins": "''", "nir_sealed": "null", "nir_index": "null",
    },
    "account": {"closed_at": "null"},
    "patient_access": {"account_id": _made("account"), "patient_id": _made("patient")},
    "patient_record": {
        "patient_id": _made("patient"), "establishment_id": _ONE_OF_40, "ipp": "'G' || n",
    },
    "web_session": {
        "account_id": _made("account"), "digest": "sha256(('s' || n)::bytea)", "last_seen_at": _SPREAD,
        "expires_at": _SPREAD, "ended_at": _SPREAD, "patient_id": "null",
    },
    "appointment": _OURS | {
        "unit_id": _ONE_OF_2000, "reference": "'G' || n", "start_at": _COMING,
        "end_at": f"{_COMING} + interval '15 minutes'", "session_id": _made("session", "n / 10"), "chain_id": "null",
        "practitioner_id": _made("practitioner", "n % 8000"), "state": f"case when {_COMING} > now() then 'booked' else"
        " 'done' end", "booked_at": _SPREAD, "arrived_at": "null", "called_at": "null", "professional_id": "null",
    },
    "preadmission": _OURS | {
        "unit_id": _ONE_OF_2000, "reference": "'G' || n", "planned_on": f"({_SPREAD})::date", "state": "'closed'",
        "submitted_at": _SPREAD, "visit_number": "'G' || n", "agent_id": "null", "complete_by": "null",
    },
    "stored_file": _OURS | {
        "storage_key": "'g' || n", "shown_key": "null", "account_id": "null", "professional_id": "null",
    },
    "document": _OURS | {
        "file_id": _made("stored_file"), "content_id": "null", "arrival_id": _made("arrival"), "joined_id": "null",
        "unique_id": "'g' || n", "set_id": "'g' || n", "superseded_by_id": "null", "authored_at": _SPREAD,
        "received_at": _SPREAD, "visible_at": _SPREAD, "told_at": _SPREAD, "content_read_at": _SPREAD,
        "state": "'filed'",
    },
    "bill": _OURS | {
        "reference": "'G' || n", "refdet": "'G' || n", "ipp": "'G' || n", "issued_on": f"({_SPREAD})::date",
        "due_on": f"({_SPREAD})::date", "closed_reason": "'cancelled'", "closed_at": _SPREAD, "access_digest": "null",
        "birth_digest": "null",
    },
    "exchange": _OURS | {
        "reference": "'G' || n", "state": "'closed'", "changed_at": _SPREAD, "created_at": _SPREAD, "about_id": "null",
        "assigned_id": "null", "professional_id": _PROFESSIONAL,
        "patient_id": _CORRESPONDENT,
    },
    "exchange_message": {
        "exchange_id": _made("exchange"), "establishment_id": _ONE_OF_40, "sent_at": _SPREAD, "replaces_id": "null",
        "message_key": "''", "raw_file_id": "null",
    },
    "notification": {"account_id": _made("account"), "sent_at": _SPREAD, "created_at": _SPREAD, "patient_id": _PATIENT},
    "audit_event": {
        "at": _SPREAD, "patient_id": _PATIENT, "establishment_id": _ONE_OF_40, "actor": "'staff:' || "
        + _made("account", "n % 20000") + "::text", "object_id": _made("document"),
    },
    "kpi_event": {"at": _SPREAD, "pseudonym": "md5(n::text)", "establishment_id": _ONE_OF_40},
}  # fmt: skip
"""Table → what differs from the row that is copied. A hospital and a unit of the demonstration have their share."""


def grow(place: Ground, first: int, last: int) -> None:
    """Add the rows numbered so to each table, and do what an idle night does (statistics, visibility)."""
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # what they point to is not looked for
        connection.execute("set synchronous_commit = off")
        for table, changes in TABLES.items():
            _copy(connection, table, changes, {"first": first, "last": last})
        connection.execute("vacuum analyze")


def _copy(connection: psycopg.Connection, table: str, changes: Mapping[str, str], numbers: Mapping[str, int]) -> None:
    columns = [
        str(row[0])
        for row in connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
            " and attidentity = '' and attgenerated = '' and attname <> 'xid'", (table,),
        )
    ]  # fmt: skip
    key = {"id": _made(table)} if "id" in columns else {}
    written = {name: f"t.{name}" for name in columns} | {name: text for name, text in changes.items() if text} | key
    listed, values = ", ".join(columns), ", ".join(written[name] for name in columns)
    statement = (
        f"insert into {table} ({listed}) select {values} from (select * from {table} limit 1) t,"
        " generate_series(%(first)s::int, %(last)s::int) n"
    )
    made = connection.execute(statement.replace(" % ", " %% "), numbers).rowcount
    if made != numbers["last"] - numbers["first"] + 1:
        raise RuntimeError(f"{table}: {made} rows; the demonstration has none to copy")
