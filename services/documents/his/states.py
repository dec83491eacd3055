"""Names of what is exchanged with hospital systems about documents."""

from typing import Final

SUBJECT: Final = "document"
"""MDM, both ways. `Delivery.subject_id` is the document's."""
RESULTS: Final = "result"
"""ORU, which only comes."""
HIS_ACTOR: Final = "documents.his"
CHANNEL: Final = "his"
"""Of arrivals: what came from there does not go back."""
FORMAT: Final = "his_documents_format"
"""A hospital's setting: how its system takes documents; nothing is sent until it is said."""
NONE, HL7 = "none", "hl7"
FORMATS: Final = (NONE, HL7)
TELLS: Final = ("exchange", "mssante", "deposit")
"""Channels of arrivals whose documents the hospital's system is told of once agents put them on a shelf: what
practitioners and patients sent."""
