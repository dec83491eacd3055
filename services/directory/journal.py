"""What the journal says of the directory: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "directory.import_began": _l("began to read a file of the national directory"),
    "directory.imported": _l("brought the national directory up to date"),
    "directory.import_refused": _l("refused a file of the national directory"),
}
