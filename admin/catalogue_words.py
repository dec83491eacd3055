"""What the journal says of services on offer, notices and legal pages: action → words, after who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "service.changed": _l("changed how a service is offered"),
    "service_link.added": _l("added a link to somebody else’s service"),
    "service_link.changed": _l("changed a link to somebody else’s service"),
    "link_host.added": _l("let links lead to a site"),
    "link_host.removed": _l("forbade links to lead to a site"),
    "notice.announced": _l("announced something on every page"),
    "notice.changed": _l("changed an announcement"),
    "notice.withdrawn": _l("took back an announcement"),
    "legal_page.published": _l("published a version of a legal page"),
    "accessibility_action.planned": _l("added a line to the plan of accessibility"),
    "accessibility_action.changed": _l("said where a line of the plan of accessibility stands"),
    "accessibility_report.received": _l("reported a page that they could not use"),
    "accessibility_report.taken": _l("looks into a page that somebody could not use"),
    "accessibility_report.answered": _l("answered about a page that somebody could not use"),
    "register.exported": _l("took away the register of processing"),
}
