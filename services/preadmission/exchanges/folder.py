"""A file for a hospital whose system reads a folder: `preadmission.csv` and a summary to print. Pure.

The columns, in order, are the format's contract (docs/preadmission-exchanges.md): new ones are added at the end.
"""

import csv
import re
from collections.abc import Sequence
from datetime import date
from io import StringIO
from typing import Final

from portal.pdf import Sheet
from services.preadmission.exchanges.request import Contact, Cover, Request

CSV_NAME: Final = "preadmission.csv"
SUMMARY_NAME: Final = "resume.pdf"
_AS_FORMULA: Final = ("=", "@", "+", "-")
_NUMBER: Final = re.compile(r"[+-][0-9 .,]*", re.ASCII)
"""A spreadsheet would run what begins so (OWASP, CSV injection); a telephone number, or an amount, it does not."""


def as_csv(request: Request) -> bytes:
    """A header and one line; `;` between cells, UTF-8 with its mark, as hospitals' spreadsheets open it."""
    cells = columns(request)
    out = StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([name for name, _value in cells])
    writer.writerow([_harmless(value) for _name, value in cells])
    return out.getvalue().encode("utf-8-sig")


def columns(request: Request) -> Sequence[tuple[str, str]]:
    """Every column and its value, in the order of the format."""
    return [*_who(request), *_where(request), *_around(request), *_paid(request), *_chosen(request)]


def _who(request: Request) -> list[tuple[str, str]]:
    person = request.person
    return [
        ("reference", request.reference),
        ("action", request.action),
        ("message", request.control_id),
        ("sent_at", request.sent_at.astimezone(request.tz).isoformat(timespec="seconds")),
        ("portal_patient", person.portal_id),
        ("ipp", person.ipp),
        ("visit_number", request.visit_number),
        ("identity_status", person.status),
        ("ins", person.ins if person.status == "QUAL" else ""),
        ("ins_oid", person.ins_oid if person.ins and person.status == "QUAL" else ""),
        ("birth_name", person.birth_name),
        ("used_name", person.used_name),
        ("first_names", " ".join(person.first_names)),
        ("used_first_name", person.used_first_name),
        ("birth_on", person.birth_on.isoformat()),
        ("sex", person.sex),
        ("birthplace", person.birthplace),
        ("phone", person.phone),
        ("email", person.email),
        ("street", person.street),
        ("complement", person.complement),
        ("postcode", person.postcode),
        ("town", person.town),
        ("country", person.country),
        ("interpreter", request.interpreter),
    ]


def _where(request: Request) -> list[tuple[str, str]]:
    stay = request.stay
    return [
        ("stay_kind", stay.kind),
        ("patient_class", stay.patient_class),
        ("planned_on", stay.planned_on.isoformat()),
        ("uf", stay.uf),
        ("unit", stay.unit_name),
        ("site", stay.site),
        ("confidential", _flag(stay.confidential)),
        ("room", stay.room),
        ("companion", _flag(stay.companion)),
        ("transport", stay.transport),
    ]


def _around(request: Request) -> list[tuple[str, str]]:
    doctor, accident = request.doctor, request.accident
    return [
        ("doctor_name", doctor.name if doctor else ""),
        ("doctor_town", doctor.town if doctor else ""),
        ("doctor_rpps", doctor.rpps if doctor else ""),
        *_contact("notify", next((each for each in request.contacts if each.role == "C"), None)),
        *_contact("trust", next((each for each in request.contacts if each.role == "K"), None)),
        ("accident", accident.kind if accident else ""),
        ("accident_on", accident.happened_on.isoformat() if accident else ""),
        ("accident_number", accident.number if accident else ""),
    ]


def _contact(prefix: str, contact: Contact | None) -> list[tuple[str, str]]:
    values = (contact.name, contact.link, contact.phone) if contact else ("", "", "")
    return [(f"{prefix}_{name}", value) for name, value in zip(("name", "link", "phone"), values, strict=True)]


def _paid(request: Request) -> list[tuple[str, str]]:
    covers = {each.payer: each for each in request.covers}
    return [*_cover("amo", covers.get("AMO")), *_cover("amc", covers.get("AMC"))]


def _cover(prefix: str, cover: Cover | None) -> list[tuple[str, str]]:
    found = cover or Cover("AMO", "", exemption="", insured="")
    return [
        (f"{prefix}_kind", found.kind),
        (f"{prefix}_code", found.code),
        (f"{prefix}_name", found.name),
        (f"{prefix}_insured", found.insured),
        (f"{prefix}_insured_name", found.insured_name),
        (f"{prefix}_insured_on", _day(found.insured_on)),
        (f"{prefix}_number", found.insured_id),
        (f"{prefix}_exemption", found.exemption),
        (f"{prefix}_until", _day(found.until)),
        (f"{prefix}_nature", found.nature),
    ]


def _chosen(request: Request) -> list[tuple[str, str]]:
    chosen = request.choices
    outside = "" if chosen.outside_team is None else _flag(chosen.outside_team)
    return [
        ("record_opposed", _flag(chosen.record_opposed)),
        ("outside_team", outside),
        ("by_text", _flag(chosen.by_text)),
        ("pieces", " ".join(f"{each.kind}={','.join(each.files)}" for each in request.pieces)),
    ]


def _flag(value: bool) -> str:
    return "yes" if value else "no"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _harmless(value: str) -> str:
    """One line, and no formula."""
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(_AS_FORMULA) and not _NUMBER.fullmatch(line) else line


# -- the summary ---------------------------------------------------------------------------------------------------


def as_pdf(request: Request, title: str, words: Sequence[tuple[str, str]]) -> bytes:
    """One sheet with these lines, for a desk without a screen."""
    sheet = Sheet(title, made_at=request.sent_at)
    sheet.heading(title)
    sheet.facts([(name, value) for name, value in words if value])
    return sheet.written()
