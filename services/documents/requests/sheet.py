"""The sheet of a request, on paper for the archives: what was asked, by whom, what became of it."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import get_locale
from flask_babel import gettext as _

from portal.pdf import Sheet
from portal.web.ui import long_day, moment
from services.documents.requests import wording
from services.documents.requests.models import (
    RecordRequest,
    RecordRequestChange,
    RecordRequestFile,
    RecordRequestMessage,
)


def printed(
    request: RecordRequest,
    changes: Sequence[RecordRequestChange],
    said: Sequence[RecordRequestMessage],
    joined: Sequence[RecordRequestFile],
    made_at: datetime,
) -> bytes:
    """The whole PDF."""
    title = _("Request %(reference)s", reference=request.reference)
    sheet = Sheet(title, str(get_locale() or "fr"), made_at)
    sheet.heading(title)
    sheet.say(f"{wording.KINDS[request.kind]} – {wording.DESK_STATES[request.state][0]}", bold=True)
    sheet.say(wording.clock_words(request))
    sheet.heading(_("What is asked"), 2)
    sheet.facts(wording.facts(request))
    if joined:
        sheet.heading(_("Documents joined"), 2)
        sheet.facts([(str(wording.PROOFS[each.use]), each.file.name) for each in joined])
    if said:
        sheet.heading(_("Messages"), 2)
        for each in said:
            sheet.say(f"{each.by_name}, {moment(each.at)}", bold=True)
            sheet.say(each.text)
    sheet.heading(_("History"), 2)
    sheet.facts([(moment(each.at), _event(each)) for each in changes])
    return sheet.written()


def _event(change: RecordRequestChange) -> str:
    told = str(wording.HAPPENED.get(change.because) or wording.REFUSALS.get(change.because, ""))
    due = str(_("answer due by %(day)s", day=long_day(change.due_on))) if change.due_on else ""
    return " – ".join(filter(None, (told, change.by_name, due)))
