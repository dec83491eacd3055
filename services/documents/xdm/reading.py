"""Taking an IHE_XDM package apart (IHE ITI-32; MSSanté référentiel 2, ECO.2.1).

`unpack` gives the documents that METADATA.XML describes, checked against their size and SHA-1, all of one patient. What
is in the ZIP without being described (index, stylesheet, README) is never unpacked.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lxml import etree

from services.documents import untrusted_xml

_RIM: Final = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
# Identification schemes of XDS (IHE ITI TF-3, table 4.2.5.2-1).
_DOCUMENT_PATIENT: Final = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
_DOCUMENT_UNIQUE_ID: Final = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
_SUBMISSION_PATIENT: Final = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
_TYPE_CODE: Final = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"

_METADATA: Final = re.compile(r"(IHE_XDM/[^/]+/)METADATA\.XML", re.IGNORECASE)
_CX: Final = re.compile(r"([^^&]{1,100})\^\^\^(?:[^^&]*)&([0-9.]{1,100})&ISO(?:\^.*)?")
_CENTRAL_ENTRY: Final = b"PK\x01\x02"
_LOCAL_ENTRY: Final = b"PK\x03\x04"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1


class XdmReason(StrEnum):
    """Why a package is refused."""

    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_LARGE_UNPACKED = "too_large_unpacked"
    RATIO = "ratio"  # so well compressed that it is a bomb
    NAME = "name"  # leaves its folder, repeats another, or is not a plain name
    LINK = "link"
    NESTED = "nested"  # a ZIP in the ZIP
    LOCKED = "locked"  # encrypted, or compressed in a way nobody uses
    DAMAGED = "damaged"
    METADATA = "metadata"  # unreadable or incomplete
    DOCUMENT_MISSING = "document_missing"
    SIZE = "size"
    HASH = "hash"
    NO_PATIENT = "no_patient"
    SEVERAL_PATIENTS = "several_patients"


class XdmError(Exception):
    """Why a package could not be taken; the class, and for a refusal the reason, say which."""


class NotXdm(XdmError):
    """Not a ZIP, or a ZIP without IHE_XDM metadata."""


class XdmTooLarge(XdmError):
    """More bytes than the caller accepts."""


class XdmRefused(XdmError):
    """A package that cannot be taken safely; all of it is refused, never a part."""

    def __init__(self, reason: XdmReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """What a package may cost. Sizes in bytes."""

    packed: int = 25 * 1024 * 1024  # the largest mail of the citizens' operator
    unpacked: int = 60 * 1024 * 1024
    entries: int = 100
    ratio: int = 200  # letters compress five to twenty times
    metadata: int = 2 * 1024 * 1024


USUAL_LIMITS: Final = Limits()


@dataclass(frozen=True)
class PatientId:
    """A patient's number and the authority that gave it (an INS root, or a hospital's OID)."""

    number: str
    oid: str


@dataclass(frozen=True)
class Metadata:
    """What METADATA.XML says of one document."""

    uri: str
    unique_id: str
    sha1: str
    size: int
    mime_type: str
    type_code: str
    title: str
    patient: PatientId


@dataclass(frozen=True)
class Entry:
    """One document: its name in the ZIP, its bytes as they were sent, what the metadata say of it."""

    name: str
    data: bytes
    metadata: Metadata


@dataclass(frozen=True)
class Package:
    """The documents of one patient, in the order of the metadata."""

    patient: PatientId
    documents: tuple[Entry, ...]


def unpack(data: bytes, limits: Limits = USUAL_LIMITS) -> Package:
    """Take a package apart. Raises `NotXdm`, `XdmTooLarge`, `XdmRefused`; nothing else, whatever the bytes."""
    if len(data) > limits.packed:
        raise XdmTooLarge
    if data.count(_CENTRAL_ENTRY) > limits.entries:  # before the directory is read: each entry costs memory
        raise XdmRefused(XdmReason.TOO_MANY_ENTRIES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _read(package, limits)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError, OSError) as error:
        raise (XdmRefused(XdmReason.DAMAGED) if data.startswith(_LOCAL_ENTRY) else NotXdm) from error


def _read(package: zipfile.ZipFile, limits: Limits) -> Package:
    entries = _checked_entries(package, limits)
    subsets = {found[1]: name for name in sorted(entries) if (found := _METADATA.fullmatch(name))}
    if not subsets:
        raise NotXdm
    documents: list[Entry] = []
    patients: set[PatientId] = set()
    for folder, name in subsets.items():
        root = _metadata_root(package, entries[name], limits)
        patients |= _patients(root)
        documents += (_document(package, entries, folder, described) for described in _described(root))
    if not documents or len({entry.metadata.unique_id for entry in documents}) != len(documents):
        raise XdmRefused(XdmReason.METADATA)
    return Package(_only(patients), tuple(documents))


def _only(patients: set[PatientId]) -> PatientId:
    """Hold the rule of one single patient per message (MSSanté, ECO.2.1.1)."""
    if len(patients) != 1:
        raise XdmRefused(XdmReason.SEVERAL_PATIENTS if patients else XdmReason.NO_PATIENT)
    return patients.pop()


# --- the ZIP ------------------------------------------------------------------------------------


def _checked_entries(package: zipfile.ZipFile, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """Return the files by name in capitals (the medium is 8.3, senders differ in case), after all the checks."""
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in package.infolist():
        _check_entry(info, limits)
        name = info.filename.upper()
        if name in entries:
            raise XdmRefused(XdmReason.NAME)
        entries[name] = info
    if sum(info.file_size for info in entries.values()) > limits.unpacked:
        raise XdmRefused(XdmReason.TOO_LARGE_UNPACKED)
    return {name: info for name, info in entries.items() if not info.is_dir()}


def _check_entry(info: zipfile.ZipInfo, limits: Limits) -> None:
    if not _is_plain(info.orig_filename):
        raise XdmRefused(XdmReason.NAME)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise XdmRefused(XdmReason.LINK)
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise XdmRefused(XdmReason.LOCKED)
    if info.filename.lower().endswith(".zip"):
        raise XdmRefused(XdmReason.NESTED)
    if info.file_size > limits.ratio * max(info.compress_size, 100):
        raise XdmRefused(XdmReason.RATIO)


def _is_plain(name: str) -> bool:
    """Accept relative paths of plain names; nothing is written to a disk, yet names are shown and logged."""
    if not name or not name.isprintable() or re.search(r'[\\:*?"<>|]', name):
        return False
    return all(part not in ("", ".", "..") for part in name.removesuffix("/").split("/"))


def _content(package: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read an entry to its declared size and no further: ``ZipFile.read`` would unpack all that is really there."""
    with package.open(info) as stream:
        return stream.read(info.file_size)


def _document(package: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], folder: str, described: Metadata) -> Entry:
    info = entries.get(folder.upper() + described.uri.upper())
    if info is None:
        raise XdmRefused(XdmReason.DOCUMENT_MISSING)
    if info.file_size != described.size:
        raise XdmRefused(XdmReason.SIZE)
    data = _content(package, info)
    if data.startswith(_LOCAL_ENTRY):
        raise XdmRefused(XdmReason.NESTED)
    if hashlib.sha1(data, usedforsecurity=False).hexdigest() != described.sha1:  # the profile's; no trust rests on it
        raise XdmRefused(XdmReason.HASH)
    return Entry(info.filename, data, described)


# --- METADATA.XML (ebRIM 3.0) -------------------------------------------------------------------


def _metadata_root(package: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> etree._Element:
    if info.file_size > limits.metadata:
        raise XdmRefused(XdmReason.METADATA)
    try:
        return untrusted_xml.parse(_content(package, info), limits.metadata)
    except (untrusted_xml.NotXml, untrusted_xml.XmlTooLarge, untrusted_xml.XmlRefused):
        raise XdmRefused(XdmReason.METADATA) from None


def _described(root: etree._Element) -> Iterable[Metadata]:
    uris: set[str] = set()
    for described in root.iter(_RIM + "ExtrinsicObject"):
        metadata = _metadata_of(described)
        if metadata.uri.upper() in uris:  # one entry described a thousand times would be unpacked a thousand times
            raise XdmRefused(XdmReason.METADATA)
        uris.add(metadata.uri.upper())
        yield metadata


def _metadata_of(described: etree._Element) -> Metadata:
    patient = _patient_id(_external(described, _DOCUMENT_PATIENT))
    if patient is None:
        raise XdmRefused(XdmReason.NO_PATIENT)
    unique_id, size = _external(described, _DOCUMENT_UNIQUE_ID), _slot(described, "size")
    if not 0 < len(unique_id) <= 128 or not re.fullmatch(r"[0-9]{1,12}", size):
        raise XdmRefused(XdmReason.METADATA)
    return Metadata(
        uri=_slot(described, "URI"),
        unique_id=unique_id,
        sha1=_slot(described, "hash").lower(),
        size=int(size),
        mime_type=described.get("mimeType", "")[:100],
        type_code=_type_code(described),
        title=_title(described),
        patient=patient,
    )


def _patients(root: etree._Element) -> set[PatientId]:
    """Collect every patient named, by documents and by the submission; an unreadable one counts as none."""
    named = (
        _patient_id(identifier.get("value", ""))
        for identifier in root.iter(_RIM + "ExternalIdentifier")
        if identifier.get("identificationScheme", "").lower() in (_DOCUMENT_PATIENT, _SUBMISSION_PATIENT)
    )
    return {patient for patient in named if patient}


def _patient_id(value: str) -> PatientId | None:
    """Read an HL7 v2 CX, ``number^^^&OID&ISO^type``."""
    found = _CX.fullmatch(value.strip())
    return PatientId(found[1].strip().upper(), found[2]) if found else None


def _external(described: etree._Element, scheme: str) -> str:
    for identifier in described.iterfind(_RIM + "ExternalIdentifier"):
        if identifier.get("identificationScheme", "").lower() == scheme:
            return identifier.get("value", "").strip()
    return ""


def _slot(described: etree._Element, name: str) -> str:
    for slot in described.iterfind(_RIM + "Slot"):
        if slot.get("name") == name:
            return (slot.findtext(f"{_RIM}ValueList/{_RIM}Value") or "").strip()
    return ""


def _type_code(described: etree._Element) -> str:
    for classification in described.iterfind(_RIM + "Classification"):
        if classification.get("classificationScheme", "").lower() == _TYPE_CODE:
            return classification.get("nodeRepresentation", "").strip()[:100]
    return ""


def _title(described: etree._Element) -> str:
    name = described.find(f"{_RIM}Name/{_RIM}LocalizedString")
    return " ".join(name.get("value", "").split())[:300] if name is not None else ""
