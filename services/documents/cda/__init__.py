"""Clinical documents (HL7 CDA R2, French profile CI-SIS): read the header, the file or the text; write a letter.

Pure functions over bytes: no database, no network, no side effect. Errors are facts, `CdaError` and its three classes.
"""

from services.documents.cda.body import embedded
from services.documents.cda.document import MAX_BYTES, CdaError, CdaReason, CdaRefused, CdaTooLarge, NotCda
from services.documents.cda.header import Author, CdaWarning, Header, Organization, Patient, read_header
from services.documents.cda.letter import Letter, write_letter
from services.documents.cda.narrative import Section, narrative

__all__ = [
    "MAX_BYTES",
    "Author",
    "CdaError",
    "CdaReason",
    "CdaRefused",
    "CdaTooLarge",
    "CdaWarning",
    "Header",
    "Letter",
    "NotCda",
    "Organization",
    "Patient",
    "Section",
    "embedded",
    "narrative",
    "read_header",
    "write_letter",
]
