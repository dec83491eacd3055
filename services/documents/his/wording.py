"""Why a message about a document was not done, or what it became: for agents, and in acknowledgements."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from services.documents import wording

REASONS: Mapping[str, Any] = {
    **wording.REASONS,
    "wrong_clock": _l("The message says that it was written in the future."),
    "no_document": _l("The message carries no document."),
    "unknown_document": _l("No document has this number here."),
    "not_yours": _l("Another organisation keeps this document: it alone may withdraw it."),
    "to_sort": _l("The document waits in the tray: somebody must say whose it is."),
    "no_format": _l("This hospital has not said how its system takes documents (his_documents_format)."),
    "not_readable": _l("The antivirus has not accepted the file yet, or refused it."),
}
