"""The life of a report of an error, as data."""

RECEIVED, CORRECTED, DECLINED = "received", "corrected", "declined"
REPORT_STATES = (RECEIVED, CORRECTED, DECLINED)
TRANSITIONS = {
    "correct": ({RECEIVED, DECLINED}, CORRECTED),
    "decline": ({RECEIVED}, DECLINED),
}
"""gesture → (from which states, to which one)."""
