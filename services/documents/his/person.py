"""The people of a message: whom a document is about (PID), who wrote it (TXA-9, OBR-32). Pure.

IHE PAM France: PID-3 of type INS with the OID of its authority, PID-5 of type L for the birth name, PID-11 of type BDL
for the birth place.
"""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import NotHl7, Segment
from services.documents import cda
from services.documents.cda import CdaWarning
from services.documents.ins import INS_OIDS, InsDoubt, doubts_about
from services.documents.matching import plain

_LONGEST: Final = 100
_DOUBTS: Final = {
    InsDoubt.OID: CdaWarning.INS_MISSING,  # a number that no authority gave is no identity
    InsDoubt.FORM: CdaWarning.INS_FORM,
    InsDoubt.KEY: CdaWarning.INS_KEY,
    InsDoubt.SEX: CdaWarning.INS_SEX,
    InsDoubt.MONTH: CdaWarning.INS_MONTH,
}


def read(pid: Segment) -> cda.Patient:
    """The traits as the message writes them; "" for what it does not say."""
    ins, ins_oid = _numbered(pid, "INS", national=True)
    ipp, ipp_oid = _numbered(pid, "PI", national=False)
    legal = _rank(pid, 5, 7, "L") or _rank(pid, 5, 7, "")
    used = _rank(pid, 5, 7, "D")
    place = _rank(pid, 11, 7, "BDL")
    firsts = pid.value(5, 3, legal) if legal else ""
    return cda.Patient(
        ins=ins.upper(),
        ins_oid=ins_oid,
        ipp=ipp,
        ipp_oid=ipp_oid,
        birth_name=pid.value(5, 1, legal)[:_LONGEST] if legal else "",
        used_name=pid.value(5, 1, used)[:_LONGEST] if used else "",
        first_names=firsts[:_LONGEST],
        first_name=pid.value(5, 2, legal)[:_LONGEST] if legal else "",
        used_first_name=pid.value(5, 2, used)[:_LONGEST] if used else "",
        sex=pid.value(8).upper() if pid.value(8).upper() in ("M", "F") else "",
        birth_on=_day(pid.value(7)),
        birthplace_insee=pid.value(11, 9, place)[:5] if place else "",
    )


def _numbered(pid: Segment, kind: str, *, national: bool) -> tuple[str, str]:
    """The number of this kind and the OID of its authority; a national one under no known authority is none."""
    for rank in range(1, pid.repetitions(3) + 1):
        oid = pid.value(3, 4, rank, sub=2)
        if pid.value(3, 5, rank) == kind and (oid in INS_OIDS) is national:
            return pid.value(3, 1, rank)[:_LONGEST], oid[:_LONGEST]
    return "", ""


def _rank(line: Segment, field: int, component: int, wanted: str) -> int:
    ranks = range(1, line.repetitions(field) + 1)
    return next((rank for rank in ranks if line.value(field, component, rank) == wanted), 0)


def _day(text: str) -> date | None:
    """None for a day that is not there, partial or impossible: a doubt, and not a fault of the message."""
    if len(text) < 8:
        return None
    try:
        return hl7v2.moment(text[:8], ZoneInfo("UTC")).date()
    except NotHl7:
        return None


def warnings(told: cda.Patient) -> tuple[CdaWarning, ...]:
    """What is doubtful of these traits, as in the header of a letter."""
    found = [_DOUBTS[doubt] for doubt in doubts_about(told.ins, told.ins_oid)] if told.ins else [CdaWarning.INS_MISSING]
    if told.birth_on is None:
        found.append(CdaWarning.BIRTH_DATE)
    if not told.sex:
        found.append(CdaWarning.SEX)
    return tuple(found)


def has_another_number(message: cda.Patient, letter: cda.Patient) -> bool:
    """Whether a message and the letter in it bear the INS of two people."""
    both = message.ins and letter.ins
    return bool(both) and (message.ins.upper(), message.ins_oid) != (letter.ins.upper(), letter.ins_oid)


def differs(message: cda.Patient, letter: cda.Patient) -> bool:
    """Whether a trait that both give is not the same."""
    pairs = zip(_traits(message), _traits(letter), strict=True)
    return any(mine and theirs and mine != theirs for mine, theirs in pairs)


def _traits(told: cda.Patient) -> tuple[object, ...]:
    return plain(told.birth_name), plain(told.first_name), told.birth_on, told.sex


def author(txa: Segment, obr: Segment) -> cda.Author:
    """Who wrote it (XCN): TXA-9, else the principal interpreter of results (OBR-32), else nobody."""
    for line, field in ((txa, 9), (txa, 22), (obr, 32), (obr, 16)):
        if line.value(field) or line.value(field, 2):
            family, given = line.value(field, 2)[:_LONGEST], line.value(field, 3)[:_LONGEST]
            return cda.Author(id=line.value(field)[:_LONGEST], family=family, given=given)
    return cda.Author()
