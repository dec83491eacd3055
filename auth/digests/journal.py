"""What the journal says of the morning's summaries."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "digest_address.added": _l("had a shared address told each morning what waits"),
    "digest_address.stopped": _l("stopped the morning’s summary of a shared address"),
}
