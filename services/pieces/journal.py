"""What the journal says of pieces: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "pieces.asked": _l("asked for documents"),
    "pieces.shared": _l("sent documents to the hospital"),
    "piece.deposited": _l("deposited a document"),
    "piece.opened": _l("opened a deposited document"),
    "piece.accepted": _l("accepted a deposited document"),
    "piece.refused": _l("refused a deposited document"),
    "piece.waived": _l("asked for a document to be shown on the day"),
    "piece.scanned": _l("checked a document with the antivirus"),
    "piece.withdrawn": _l("stopped asking for a document"),
    "piece.asked_again": _l("asked for a document again"),
    "piece.page_added": _l("added a page to a document"),
    "piece.page_removed": _l("took a page away from a document"),
    "piece.page_turned": _l("turned a page of a document"),
    "piece.page_moved": _l("changed the order of a document’s pages"),
    "piece.reused": _l("reused a document that a hospital had accepted"),
    "piece.expired": _l("found that a document is no longer valid"),
    "piece.purged": _l("erased a document"),
}
