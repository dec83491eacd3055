"""What the journal says of requests: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "record_request.begun": _l("began a request to the hospital"),
    "record_request.filled": _l("filled in a request to the hospital"),
    "record_request.joined": _l("joined a document to a request"),
    "record_request.unjoined": _l("took a document off a request"),
    "record_request.dropped": _l("deleted the draft of a request"),
    "record_request.sent": _l("sent a request to the hospital"),
    "record_request.supplied": _l("gave what a request lacked"),
    "record_request.written": _l("wrote about a request"),
    "record_request.cancelled": _l("cancelled a request to the hospital"),
    "record_request.reopened": _l("asked the hospital to look at a request again"),
    "record_request.opened": _l("opened a request to the hospital"),
    "record_request.taken": _l("took charge of a request"),
    "record_request.released": _l("left a request to colleagues"),
    "record_request.asked": _l("asked for what a request lacks"),
    "record_request.completed": _l("noted that a request is complete"),
    "record_request.dated": _l("said how old the information of a request is"),
    "record_request.matched": _l("noted a patient number on a request"),
    "record_request.refused": _l("refused a request to the hospital"),
    "record_request.answered": _l("answered a request to the hospital"),
    "record_request.passed_on": _l("passed thanks on to a unit"),
    "record_request.downloaded": _l("downloaded a document of a request"),
    "record_requests.counted": _l("counted the requests of the hospital"),
    "record_requests.set": _l("changed the settings of requests"),
    "record_answer.kept": _l("kept a prepared answer about requests"),
    "record_answer.dropped": _l("removed a prepared answer about requests"),
    "certificate.issued": _l("issued a certificate"),
    "certificate.revoked": _l("revoked a certificate"),
}
