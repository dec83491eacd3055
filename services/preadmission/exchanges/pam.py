"""A file as PAM-FR messages (IHE ITI Vol. 4, 4.1; HL7 v2.5, chapter 3): ADT^A05 and ADT^A38. Pure.

Built by the index of each field, never by counting bars. A message tells the file as it is when it leaves. The portal
is no master of identities: PID-32 says how sure ours is, and the INS leaves only with a qualified one.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import CHARACTER_SETS, Component, Message, Segment, Value, header, segment
from services.exchanges.dialect import Dialect
from services.preadmission.exchanges.countries import alpha_3
from services.preadmission.exchanges.request import Contact, Cover, Doctor, Person, Request

PORTAL: Final = "PARVIS"
PREADMIT, CANCEL = "A05", "A38"
_RPPS: Final = ("ASIP-SANTE-PS", "1.2.250.1.71.4.2.1", "ISO")
_RELIABILITY: Final = {"QUAL": "VALI", "VALI": "VALI"}
"""PID-32 (table 0445). A qualified identity is a validated one that bears its INS."""
_LINKS: Final = {"spouse": "SPO", "parent": "PAR", "child": "CHD", "sibling": "SIB", "friend": "FND"}
"""Table 0063; any other one is OTH."""
_ACCIDENTS: Final = {"work": "T", "road": "P"}
"""ACC-2; any other one is U, unknown: what happened is told to care, not to admissions."""
_ARRIVALS: Final = {"ambulance": "3", "taxi": "4", "own": "5", "relative": "5"}
"""PV2-38 (table 0430 of France): private ambulance, taxi, own means."""
_INSURED: Final = {"self": "SEL", "spouse": "SPO", "parent": "PAR"}
_EXEMPTIONS: Final = {"long_illness": "ALD", "disability": "INV", "other": "AUT"}


def write(request: Request, dialect: Dialect) -> bytes:
    """ADT^A05^ADT_A05 (ZBE-4 INSERT or UPDATE), or ADT^A38^ADT_A38 (CANCEL), in the hospital's character set."""
    lines = _cancelled(request, dialect) if request.action == "CANCEL" else _preadmitted(request, dialect)
    encoding = CHARACTER_SETS[dialect.charset]
    return Message(tuple(_folded(each, encoding) for each in lines)).write()


def _preadmitted(request: Request, dialect: Dialect) -> list[Segment]:
    person = request.person
    return [
        _header(request, dialect, PREADMIT),
        _event(request, dialect),
        _patient(request, dialect),
        segment("PD1", {12: "Y" if request.stay.confidential else "N"}),
        *([_doctor(request.doctor)] if request.doctor else []),
        *(_contact(rank, each, request) for rank, each in enumerate(request.contacts, 1)),
        _visit(request, dialect),
        _planned(request),
        _movement(request, dialect),
        _choices(request, dialect),
        segment("ZFV", {}),
        segment("ZFD", {3: "Y" if request.choices.by_text else "N"}),
        *(_cover(rank, each, person) for rank, each in enumerate(request.covers, 1)),
        *([_accident(request)] if request.accident else []),
    ]


def _cancelled(request: Request, dialect: Dialect) -> list[Segment]:
    return [
        _header(request, dialect, CANCEL),
        _event(request, dialect),
        _patient(request, dialect),
        _visit(request, dialect),
        _movement(request, dialect),
    ]


# -- segments ------------------------------------------------------------------------------------------------------


def _header(request: Request, dialect: Dialect, trigger: str) -> Segment:
    return header(
        {
            3: dialect.application,
            4: dialect.facility,
            5: dialect.receiving_application,
            6: dialect.receiving_facility,
            7: hl7v2.stamp(request.sent_at, request.tz, with_offset=dialect.with_offset),
            9: ("ADT", trigger, f"ADT_{trigger}"),
            10: request.control_id,
            11: dialect.processing,
            12: ("2.5", "FRA", dialect.pam_version),
            17: "FRA",
            18: dialect.charset,
            19: "FR",
            21: (dialect.pam_version, f"IHE_FRANCE-{dialect.pam_version}-PAM"),
        }
    )


def _event(request: Request, dialect: Dialect) -> Segment:
    """EVN-3 says when it is planned; EVN-6, when it happened, is empty for what has not."""
    written = hl7v2.stamp(request.decided_at, request.tz, with_offset=dialect.with_offset)
    return segment("EVN", {2: written, 3: _day(request.stay.planned_on)})


def _patient(request: Request, dialect: Dialect) -> Segment:
    person = request.person
    return segment(
        "PID",
        {
            1: "1",
            3: _numbers(person, dialect),
            5: _names(person),
            7: _day(person.birth_on),
            8: person.sex if person.sex in ("F", "M") else "U",
            11: _addresses(person),
            13: _telecoms(person),
            32: _RELIABILITY.get(person.status, "PROV"),
            33: hl7v2.stamp(request.decided_at, request.tz, with_offset=dialect.with_offset),
        },
    )


def _numbers(person: Person, dialect: Dialect) -> list[Sequence[Component]]:
    found: list[Sequence[Component]] = []
    if person.ipp:
        found.append((person.ipp, "", "", dialect.ipp_authority or (dialect.facility,), "PI"))
    found.append((person.portal_id, "", "", (PORTAL,), "PT"))
    if dialect.with_ins and person.ins and person.status == "QUAL":
        found.append((person.ins, "", "", ("ASIP-SANTE-INS-NIR", person.ins_oid, "ISO"), "INS"))
    return found


def _names(person: Person) -> list[Sequence[Component]]:
    given = " ".join(person.first_names)
    found: list[Sequence[Component]] = [(person.birth_name, person.first_name, given, "", "", "", "L")]
    if person.used_name or person.used_first_name:
        used = person.used_name or person.birth_name, person.used_first_name or person.first_name
        found.append((*used, "", "", "", "", "D"))
    return found


def _addresses(person: Person) -> list[Sequence[Component]]:
    found: list[Sequence[Component]] = []
    if person.street or person.town:
        place = person.town, "", person.postcode, alpha_3(person.country)
        found.append((person.street, person.complement, *place, "H"))
    if person.birthplace:
        found.append(("", "", "", "", "", "", "BDL", "", person.birthplace))
    return found


def _telecoms(person: Person) -> list[Sequence[Component]]:
    found: list[Sequence[Component]] = []
    if person.phone:
        found.append(_telephone(person.phone))
    if person.email:
        found.append(("", "NET", "Internet", person.email))
    return found


def _telephone(number: str) -> Sequence[Component]:
    return "", "PRN", "CP" if number.startswith(("+336", "+337", "06", "07")) else "PH", *[""] * 8, number


def _doctor(doctor: Doctor) -> Segment:
    number: tuple[Component, ...] = (_RPPS, "D", "", "", "RPPS") if doctor.rpps else ()
    return segment(
        "ROL",
        {
            2: "UC",
            3: "ODRP",
            4: (doctor.rpps, doctor.name, "", "", "", "", "", "", *number),
            11: [("", "", doctor.town, "", "", "FRA", "O")] if doctor.town else "",
        },
    )


def _contact(rank: int, contact: Contact, request: Request) -> Segment:
    link = _LINKS.get(contact.link, "OTH")
    return segment(
        "NK1",
        {
            1: str(rank),
            2: (contact.name, "", "", "", "", "", "D"),
            3: (link, "", "HL70063"),
            4: (contact.address,) if contact.address else "",
            5: [_telephone(contact.phone)] if contact.phone else "",
            7: (contact.role,),
            33: (f"{request.reference}-{rank}", "", "", (PORTAL,), "RI"),
        },
    )


def _visit(request: Request, dialect: Dialect) -> Segment:
    stay = request.stay
    known = (request.visit_number, "", "", (dialect.facility,), "VN") if request.visit_number else ""
    return segment(
        "PV1",
        {
            1: "1",
            2: stay.patient_class,
            3: (_uf(request, dialect), "", "", dialect.sites.get(stay.site, stay.site)),
            4: "R",
            5: (request.reference, "", "", (PORTAL,), "RI"),
            16: "I" if stay.confidential else "",
            19: known,
            51: "V",
        },
    )


def _planned(request: Request) -> Segment:
    stay = request.stay
    return segment(
        "PV2",
        {8: _day(stay.planned_on), 22: "Y" if stay.confidential else "N", 38: _ARRIVALS.get(stay.transport, "")},
    )


def _movement(request: Request, dialect: Dialect) -> Segment:
    """One movement for the whole life of the request: what changes or cancels it bears the same ZBE-1."""
    unit: tuple[Component, ...] = (
        request.stay.unit_name, "", "", "", "", (dialect.facility,), "UF", "", "", _uf(request, dialect),
    )  # fmt: skip
    return segment(
        "ZBE",
        {
            1: (request.reference, PORTAL, dialect.facility),
            2: hl7v2.stamp(request.decided_at, request.tz, with_offset=dialect.with_offset),
            4: request.action,
            5: "N",
            6: "" if request.action == "INSERT" else PREADMIT,
            7: unit,
            8: unit,
            9: "HMS",
        },
    )


def _choices(request: Request, dialect: Dialect) -> Segment:
    """ZFA of PAM-FR 2.11: 9 feeding Mon espace santé, of which one is informed; 11 consultation, to which one consents.

    Nothing is written for a consent that was not asked or not answered: silence is no consent.
    """
    chosen = request.choices
    at = hl7v2.stamp(chosen.at or request.decided_at, request.tz, with_offset=dialect.with_offset)
    fields: dict[int, Value] = {9: "IO" if chosen.record_opposed else "INO", 10: at}
    if chosen.outside_team is not None:
        fields |= {11: "IC" if chosen.outside_team else "INC", 12: at}
    return segment("ZFA", fields)


def _cover(rank: int, cover: Cover, person: Person) -> Segment:
    is_own = cover.insured == "self"
    insured = (person.birth_name, person.first_name) if is_own else (cover.insured_name,)
    born_on = person.birth_on if is_own else cover.insured_on
    return segment(
        "IN1",
        {
            1: str(rank),
            2: (cover.payer,),
            3: (cover.code or cover.kind,),
            4: (cover.name or cover.kind,),
            13: _day(cover.until) if cover.until else "",
            15: _EXEMPTIONS.get(cover.exemption, ""),
            16: insured,
            17: (_INSURED.get(cover.insured, "OTH"),),
            18: _day(born_on) if born_on else "",
            31: cover.nature,
            36: cover.number,
            45: cover.proof,
            49: (cover.insured_id,) if cover.insured_id else "",
        },
    )


def _accident(request: Request) -> Segment:
    assert request.accident is not None, "called with one"
    return segment("ACC", {1: _day(request.accident.happened_on), 2: _ACCIDENTS.get(request.accident.kind, "U")})


def _uf(request: Request, dialect: Dialect) -> str:
    return dialect.units.get(request.stay.uf, request.stay.uf)


def _day(day: date) -> str:
    return day.strftime("%Y%m%d") if day.year > 999 else f"{day.year:04d}{day.month:02d}{day.day:02d}"


# -- the character set ---------------------------------------------------------------------------------------------


def _folded(line: Segment, encoding: str) -> Segment:
    """What the character set has no sign for loses its accents, rather than becoming a question mark."""
    return Segment(line.name, tuple(_fold(each, encoding) for each in line.fields), line.delimiters)


def _fold(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_sign(each, encoding) for each in text)
    return text


def _sign(each: str, encoding: str) -> str:
    try:
        each.encode(encoding)
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", _STROKES.get(each, each)).encode("ascii", "ignore").decode()
        return plain or "?"
    return each


_STROKES: Final = {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "’": "'", "‘": "'", "–": "-", "œ": "oe", "Œ": "OE",
                   "“": '"', "”": '"'}  # fmt: skip
