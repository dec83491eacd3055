"""What the journal says of the operational directory: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "offer_report.received": _l("reported an error in the directory"),
    "offer_report.corrected": _l("corrected an error that was reported"),
    "offer_report.declined": _l("closed a report: the page was right"),
    "offer_site.described": _l("changed what the directory says of a site"),
    "offer_unit.described": _l("changed what the directory says of a unit"),
    "offer_hours.changed": _l("changed opening hours"),
    "offer_closure.added": _l("announced a closure or other hours"),
    "offer_closure.removed": _l("took back a closure or other hours"),
    "offer_contact.written": _l("wrote a contact of the directory"),
    "offer_contact.removed": _l("removed a contact of the directory"),
    "offer_plan.changed": _l("changed the plan of a site"),
    "offer_plan.removed": _l("removed the plan of a site"),
    "activity.created": _l("added an activity to the directory"),
    "activity.described": _l("changed an activity of the directory"),
}
