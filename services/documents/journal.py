"""What the journal says of documents: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "document.received": _l("received a letter"),
    "document.published": _l("sent a document"),
    "document.assigned": _l("filed a letter"),
    "document.discarded": _l("set a letter aside"),
    "document.taken_back": _l("took a letter back"),
    "document.opened": _l("opened a letter"),
    "document.downloaded": _l("downloaded a letter"),
    "parcel.received": _l("took in a parcel of letters"),
    "parcel.quarantined": _l("refused a parcel of letters"),
}
