"""What the journal says of terminals: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "kiosk.added": _l("described a terminal"),
    "kiosk.changed": _l("changed a terminal"),
    "kiosk.code_given": _l("gave a terminal another code"),
    "kiosk.activated": _l("put a terminal in service"),
    "kiosk.revoked": _l("shut a terminal out"),
    "kiosk.answered": _l("answered you about an appointment"),
}
WHO: Mapping[str, Any] = {
    "appointments.kiosk": _l("A terminal of the hospital"),
}
