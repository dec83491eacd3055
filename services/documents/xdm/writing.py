"""Making an IHE_XDM package of documents of one patient (IHE ITI-32, in the form MSSanté asks for: référentiel 2, 2.1).

All that METADATA.XML says is read from the documents themselves. The same documents, identifiers and moment give the
same bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from html import escape
from typing import Final

from services.documents import cda
from services.documents.cda import Indexing
from services.documents.xdm.registry import SUBSET, Described, registry

_MAX_DOCUMENTS: Final = 50
_OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*)){1,60}")
_EPOCH: Final = datetime(1980, 1, 1, tzinfo=UTC)  # the first day a ZIP can name
_INDEX: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n'
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">\r\n'
    '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">\r\n<head><title>IHE_XDM</title></head>\r\n'
    "<body>\r\n<h1>{sender}</h1>\r\n<ul>\r\n{lines}</ul>\r\n</body>\r\n</html>\r\n"
)
_LINE: Final = '<li><a href="{path}">{title}</a></li>\r\n'
_README: Final = (
    "Emetteur : {sender}\r\nLogiciel : {software}\r\n\r\n"
    "Ce fichier contient des documents de sante d'une seule personne, au format IHE XDM.\r\n"
    "INDEX.HTM en donne la liste ; IHE_XDM/SUBSET01/METADATA.XML les decrit pour les logiciels.\r\n"
)


class PackReason(StrEnum):
    """Why documents are not put in a package."""

    NO_DOCUMENT = "no_document"
    TOO_MANY_DOCUMENTS = "too_many_documents"
    SEVERAL_PATIENTS = "several_patients"
    NO_PATIENT_NUMBER = "no_patient_number"
    REPEATED = "repeated"  # one identifier for two documents
    NO_CLASS = "no_class"  # a type that no class is given to
    NO_FORMAT = "no_format"  # a structured document of a model nobody listed
    NO_CONTEXT = "no_context"  # it does not say where and in what sort of care it was written


class CannotPack(Exception):
    """These documents make no package."""

    def __init__(self, reason: PackReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One sending of documents. unique_id: of this sending alone; source_id: of the portal; both are OIDs.

    sent_at: aware. content: the type of the sending (proposal of the volet "transmission" 2.1: 03 hospitalisation, 07
    consultation, 19 permanence of care, 97 newborn). sender, software: said in README.TXT.
    """

    unique_id: str
    source_id: str
    sent_at: datetime
    sender: str
    software: str = "Parvis"
    content: str = "07"

    def __post_init__(self) -> None:
        if self.sent_at.tzinfo is None or self.content not in CONTENTS:
            raise ValueError("a submission needs a moment with its offset, and a known type")
        if not (_OID.fullmatch(self.unique_id) and _OID.fullmatch(self.source_id)):
            raise ValueError("a submission and its source are OIDs")


CONTENTS: Final = {"03": "Hospitalisation", "07": "Consultation", "19": "Permanence des soins", "97": "Nouveau-né"}


def write(documents: Sequence[bytes], submission: Submission) -> bytes:
    """Return a package of CDA documents. Raises `CannotPack`, and `CdaError` for a document that cannot be read."""
    if not documents:
        raise CannotPack(PackReason.NO_DOCUMENT)
    if len(documents) > _MAX_DOCUMENTS:
        raise CannotPack(PackReason.TOO_MANY_DOCUMENTS)
    described = [_described(number, data) for number, data in enumerate(documents, 1)]
    _check_together(described)
    files = {
        "INDEX.HTM": _index(described, submission),
        "README.TXT": _readme(submission),
        f"{SUBSET}METADATA.XML": registry(described, submission, CONTENTS[submission.content]),
    } | {SUBSET + each.uri: data for each, data in zip(described, documents, strict=True)}
    return _zipped(files, submission.sent_at)


def _described(number: int, data: bytes) -> Described:
    said = cda.read_indexing(data)
    _check(said)
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()  # the profile's; no trust rests on it
    return Described(uri=f"DOC{number:04}.XML", sha1=sha1, size=len(data), said=said)


def _check(said: Indexing) -> None:
    if not (said.header.patient.ins or said.header.patient.ipp):
        raise CannotPack(PackReason.NO_PATIENT_NUMBER)
    if said.format is None:
        raise CannotPack(PackReason.NO_FORMAT)
    if said.practice_setting is None or said.facility is None:
        raise CannotPack(PackReason.NO_CONTEXT)


def _check_together(described: Sequence[Described]) -> None:
    """Hold the rule of one single patient per message (ECO.2.1.1), by every number and trait the documents give."""
    first = described[0].said.header.patient
    for each in described:
        other = each.said.header.patient
        if (first.ins, first.ins_oid, first.ipp, first.ipp_oid) != (other.ins, other.ins_oid, other.ipp, other.ipp_oid):
            raise CannotPack(PackReason.SEVERAL_PATIENTS)
        if (first.birth_name.upper(), first.birth_on) != (other.birth_name.upper(), other.birth_on):
            raise CannotPack(PackReason.SEVERAL_PATIENTS)
        if each.class_ is None:
            raise CannotPack(PackReason.NO_CLASS)
    if len({each.said.header.unique_id for each in described}) != len(described):
        raise CannotPack(PackReason.REPEATED)


def _index(described: Sequence[Described], submission: Submission) -> bytes:
    lines = (_LINE.format(path=SUBSET + each.uri, title=escape(each.said.header.title)) for each in described)
    return _INDEX.format(sender=escape(submission.sender), lines="".join(lines)).encode()


def _readme(submission: Submission) -> bytes:
    """Say who sends it, in the plain ASCII of the profile."""
    said = {
        name: " ".join(words.split())
        for name, words in (("sender", submission.sender), ("software", submission.software))
    }
    return _README.format(**said).encode("ascii", "replace")


def _zipped(files: dict[str, bytes], at: datetime) -> bytes:
    moment = max(at.astimezone(UTC), _EPOCH).timetuple()[:6]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            package.writestr(entry, data)
    return stream.getvalue()
