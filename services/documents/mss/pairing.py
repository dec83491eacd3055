"""The two forms in which documents travel together: a package for software, PDF for people (ECO.2.1.1, ECO.2.1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from services.documents import cda, pdfa, value_sets, xdm
from services.documents.cda import Patient
from services.documents.ins import INS_OIDS
from services.documents.mss import subjects
from services.documents.mss.outgoing import Copy, Pair
from services.documents.mss.subjects import Traits

_PARIS: Final = ZoneInfo("Europe/Paris")


def pair(documents: Sequence[bytes], submission: xdm.Submission, zone: tzinfo = _PARIS, file_number: str = "") -> Pair:
    """Return CDA documents of one patient as a mail carries them; the same bytes for the same documents and submission.

    zone: of the hospital, for the days in names. file_number: the hospital's, in the names when given. Raises
    `xdm.CannotPack` (two patients, among others), `pdfa.CannotCopy`, `cda.CdaError`.
    """
    package = xdm.write(documents, submission)
    headers = [cda.read_header(data) for data in documents]
    patient = headers[0].patient
    traits = Traits(patient.birth_name, patient.first_name or patient.first_names, patient.birth_on)
    labels = [value_sets.type_label(header.type_code, header.type_label) for header in headers]
    names = _names(labels, [_act_on(data, zone) for data in documents], traits, file_number)
    return Pair(
        package=package,
        copies=tuple(_copy(name, data, zone) for name, data in zip(names, documents, strict=True)),
        type_codes=tuple(header.type_code for header in headers),
        label=labels[0],
        traits=traits,
        number=patient.ins,
        has_ins=has_ins(patient),
    )


def has_ins(patient: Patient) -> bool:
    """Whether the number, its authority and the four traits are there (ECO.2.4.2)."""
    first_names = patient.first_names or patient.first_name
    is_numbered = bool(patient.ins) and patient.ins_oid in INS_OIDS
    return is_numbered and all((patient.birth_name, first_names, patient.birth_on, patient.sex))


def _act_on(data: bytes, zone: tzinfo) -> date:
    """Find the day of the act that a document tells of, at the hospital."""
    said = cda.read_indexing(data)
    return (said.started_at or said.header.created_at).astimezone(zone).date()


def _names(labels: Sequence[str], days: Sequence[date], traits: Traits, file_number: str) -> list[str]:
    """Name each copy; a second of the same name says so."""
    names: list[str] = []
    for label, day in zip(labels, days, strict=True):
        name = subjects.pdf_name(label, traits, day, file_number)
        same = sum(before == name or before.startswith(f"{name[:-4]} (") for before in names)
        names.append(f"{name[:-4]} ({same + 1}).pdf" if same else name)
    return names


def _copy(name: str, data: bytes, zone: tzinfo) -> Copy:
    written = pdfa.copy_of(data, zone).data
    return Copy(name, written, is_pdfa=bool(pdfa.claim(written)))
