"""Patients as the hospital's own system describes them: added or brought up to date by their number (IPP).

What a provider vouched for is never overwritten: a line about a linked account goes to the hospital's own description,
kept aside; only the INS and its status, which are the hospital's to say, reach the account's patient.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from auth.enrolment.patient_file import PatientLine
from auth.identity import traits
from portal import audit
from portal.db import session

_TYPES = {"birth_on": "date", "deceased_on": "date", "first_names": "jsonb", "id": "uuid", "establishment_id": "uuid"}
_DESCRIBED = (
    "birth_name",
    "used_name",
    "first_names",
    "sex",
    "birth_on",
    "birth_on_raw",
    "birthplace_insee",
    "birthcountry_insee",
    "ins",
    "ins_oid",
    "identity_status",
    "email",
    "mobile",
    "name_key",
    "first_key",
)
_FIELDS = ("id", "establishment_id", "ipp", "deceased_on", *_DESCRIBED)
_COLUMNS = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _FIELDS)
_ROWS = f"jsonb_to_recordset(cast(:rows as jsonb)) as r({_COLUMNS})"
_WAIT = text("select pg_advisory_xact_lock(hashtextextended('patients ' || :place, 0))")


def _value(name: str) -> str:
    return "array(select jsonb_array_elements_text(r.first_names))" if name == "first_names" else f"r.{name}"


_VALUES = ", ".join(map(_value, _DESCRIBED))
_ADD = text(
    f"with fresh as (select * from {_ROWS} where not exists (select 1 from patient_record p"
    "  where p.establishment_id = r.establishment_id and p.ipp = r.ipp)),"
    f" people as (insert into patient (id, {', '.join(_DESCRIBED)}, created_at)"
    f"  select r.id, {_VALUES}, now() from fresh r)"
    " insert into patient_record (patient_id, establishment_id, ipp, created_at)"
    "  select r.id, r.establishment_id, r.ipp, now() from fresh r"
)
# Whom a line describes: the hospital's own description while a link holds, else whoever bears the number. An account
# that bears it without a link keeps its provider's traits.
_DESCRIBES = (
    f"select r.*, coalesce(l.record_patient_id, p.patient_id) as patient_id from {_ROWS}"
    " join patient_record p on p.establishment_id = r.establishment_id and p.ipp = r.ipp"
    " left join enrolment_link l on l.establishment_id = r.establishment_id and l.ipp = r.ipp and l.undone_at is null"
)
_HAS_ACCOUNT = "exists (select 1 from patient_access a where a.patient_id = t.id and a.relation = 'self')"
_UPDATE = text(
    f"update patient t set {', '.join(f'{n} = {_value(n)}' for n in _DESCRIBED)} from ({_DESCRIBES}) r"
    f" where t.id = r.patient_id and not {_HAS_ACCOUNT}"
    f" and ({', '.join(f't.{n}' for n in _DESCRIBED)}) is distinct from ({_VALUES}) returning t.id"
)
_INS = ("ins", "ins_oid", "identity_status")
_QUALIFY = text(
    f"update patient t set {', '.join(f'{n} = r.{n}' for n in _INS)} from {_ROWS}"
    " join patient_record p on p.establishment_id = r.establishment_id and p.ipp = r.ipp"
    f" where t.id = p.patient_id and {_HAS_ACCOUNT} and r.ins <> '' and (t.ins = '' or r.identity_status = 'QUAL')"
    f" and ({', '.join(f't.{n}' for n in _INS)}) is distinct from ({', '.join(f'r.{n}' for n in _INS)}) returning t.id"
)
_DEATHS = text(
    f"select p.patient_id, r.establishment_id, r.deceased_on from {_ROWS}"
    " join patient_record p on p.establishment_id = r.establishment_id and p.ipp = r.ipp"
    " join patient t on t.id = p.patient_id where r.deceased_on is not null and t.deceased_on is null"
)


@dataclass(frozen=True)
class Merged:
    """deaths: who is newly said to be dead, and where."""

    added: int
    changed: int
    deaths: Sequence[Any] = ()


def merge_patients(lines: Sequence[PatientLine], places: Mapping[str, UUID]) -> Merged:
    """Add these patients or bring them up to date; each (hospital, number) at most once among them. As the system."""
    for place in sorted({str(places[line.finess]) for line in lines}):
        session.execute(_WAIT, {"place": place})
    rows = {"rows": json.dumps([_row(line, places[line.finess]) for line in lines], default=str)}
    changed = {row.id for statement in (_UPDATE, _QUALIFY) for row in session.execute(statement, rows)}
    added = session.connection().execute(_ADD, rows).rowcount
    deaths = session.execute(_DEATHS, rows).all()
    for establishment_id in {places[line.finess] for line in lines}:
        audit.record("patients.imported", establishment_id=establishment_id, object_kind="patient",
                     added=added, changed=len(changed))  # fmt: skip
    return Merged(added, len(changed), deaths)


def _row(line: PatientLine, establishment_id: UUID) -> dict[str, Any]:
    keys = {"name_key": traits.key(line.birth_name), "first_key": traits.first_key(line.first_names)}
    return {**asdict(line), **keys, "id": uuid4(), "establishment_id": establishment_id}
