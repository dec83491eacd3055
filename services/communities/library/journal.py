"""What the journals say of libraries: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from auth.wording import say

WORDS: Mapping[str, Any] = {
    "library_category.added": _l("added a category to a library"),
    "library_category.renamed": _l("renamed a category of a library"),
    "library_category.moved": _l("moved a category of a library"),
    "library_category.removed": _l("removed a category of a library"),
    "library_document.deposited": _l("put a document in a library"),
    "library_document.renewed": _l("added a version of a document"),
    "library_document.described": _l("changed the description of a document"),
    "library_document.published": _l("published a document"),
    "library_document.withdrawn": _l("withdrew a document"),
    "library_document.opened": _l("opened a document of a library"),
    "library_document.set_aside": _l("set aside a document that may hold something about a patient"),
    "library_document.cleared": _l("decided that a document says nothing about a patient"),
    "library_document.refused": _l("refused a document that says something about a patient"),
    "library_protocol.approved": _l("approved a protocol"),
    "library_protocol.reviewed": _l("reviewed a protocol"),
}
say(WORDS)
