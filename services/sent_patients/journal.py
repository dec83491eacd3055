"""What the journal says of patients whom practitioners describe: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "patient.described": _l("described you to the hospital, to send you there"),
}
