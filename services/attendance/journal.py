"""What the journal says of emergency departments: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "emergency_department.added": _l("described an emergency department"),
    "emergency_department.changed": _l("changed an emergency department"),
    "emergency_department.removed": _l("removed an emergency department"),
    "attendance.reported": _l("said how an emergency department stands"),
    "attendance.withdrawn": _l("withdrew the waiting time of an emergency department"),
}
