"""What practitioners read of codes."""

from flask_babel import lazy_gettext as _l

CANCEL_REASONS = {
    "unavailable": _l("The patient is not available at that time"),
    "not_needed": _l("It is no longer needed"),
    "seen_elsewhere": _l("The patient was seen elsewhere, or sooner"),
    "other": _l("Another reason"),
}
