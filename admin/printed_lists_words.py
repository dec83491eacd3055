"""What the journal says of the lists of the day."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "lists.written": _l("wrote the lists of the day to the place that survives the portal"),
    "lists.password_changed": _l("changed the password of the lists of the day"),
}
