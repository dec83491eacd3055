"""Clinical documents (HL7 CDA R2, French profile CI-SIS): read the header, the file or the text; write a letter.

Pure functions over bytes: no database, no network, no side effect. Errors are facts, `CdaError` and its three classes.
"""

from services.documents.cda.body import embedded
from services.documents.cda.document import (
    MAX_BYTES,
    CdaError,
    CdaReason,
    CdaRefused,
    CdaTooLarge,
    NotCda,
    open_document,
)
from services.documents.cda.header import Author, CdaWarning, Header, Organization, Patient, read_header
from services.documents.cda.indexing import Indexing, Signer, read_indexing
from services.documents.cda.letter import (
    Guardian,
    Lacking,
    Letter,
    identifier,
    lacking,
    practitioner_id,
    staff_id,
    structure_id,
    write_letter,
)
from services.documents.cda.media import pdf_copy
from services.documents.cda.narrative import Section, narrative, plain_texts
from services.documents.cda.results import MAX_RESULTS, Quantity, Result, results
from services.documents.cda.study import Study, study

__all__ = [
    "MAX_BYTES",
    "MAX_RESULTS",
    "Author",
    "CdaError",
    "CdaReason",
    "CdaRefused",
    "CdaTooLarge",
    "CdaWarning",
    "Guardian",
    "Header",
    "Indexing",
    "Lacking",
    "Letter",
    "NotCda",
    "Organization",
    "Patient",
    "Quantity",
    "Result",
    "Section",
    "Signer",
    "Study",
    "embedded",
    "identifier",
    "lacking",
    "narrative",
    "open_document",
    "pdf_copy",
    "plain_texts",
    "practitioner_id",
    "read_header",
    "read_indexing",
    "results",
    "staff_id",
    "structure_id",
    "study",
    "write_letter",
]
