"""IHE_XDM packages: the ZIP in which letters travel by MSSanté (IHE ITI-32; MSSanté référentiel 2, ECO.2.1).

Read and written here, over bytes. Errors are facts: `XdmError` and its classes, `CannotPack`.
"""

from services.documents.xdm.reading import (
    USUAL_LIMITS,
    Entry,
    Limits,
    Metadata,
    NotXdm,
    Package,
    PatientId,
    XdmError,
    XdmReason,
    XdmRefused,
    XdmTooLarge,
    unpack,
)
from services.documents.xdm.writing import CannotPack, PackReason, Submission, write

__all__ = [
    "USUAL_LIMITS",
    "CannotPack",
    "Entry",
    "Limits",
    "Metadata",
    "NotXdm",
    "PackReason",
    "Package",
    "PatientId",
    "Submission",
    "XdmError",
    "XdmReason",
    "XdmRefused",
    "XdmTooLarge",
    "unpack",
    "write",
]
