"""What is told of pre-admissions, to which hospitals, in which format."""

from typing import Final

SUBJECT: Final = "preadmission"
"""How the door of hospital systems calls what is told here (`services.exchanges.subjects`)."""

PREADMIT, CANCEL = "A05", "A38"
EVENTS: Final = (PREADMIT, CANCEL)

FORMAT: Final = "his_preadmission_format"
"""Setting of a hospital: how its system takes our requests. Nothing is sent until somebody says how."""
NONE, HL7, CSV = "none", "hl7", "csv"
FORMATS: Final = (NONE, HL7, CSV)

HIS_ACTOR: Final = "preadmission.his"
"""The system job that writes what the hospital system says: its own changes are not told back to it."""
