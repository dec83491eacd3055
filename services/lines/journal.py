"""What the journal says of direct lines: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "line.added": _l("added a direct line"),
    "line.changed": _l("changed a direct line"),
    "line.closed": _l("closed a direct line"),
    "line.opened": _l("opened a direct line again"),
    "line.removed": _l("removed a direct line"),
    "line.kept": _l("kept a direct line at hand"),
    "line.let_go": _l("no longer keeps a direct line at hand"),
    "duty.entered": _l("wrote down who is on duty"),
    "duty.changed": _l("changed who is on duty"),
    "duty.imported": _l("brought a duty from a file"),
    "duty.removed": _l("removed a duty"),
    "callback.asked": _l("asked to be called back"),
    "callback.taken": _l("took a request to call back"),
    "callback.given_back": _l("gave a request to call back to their colleagues"),
    "callback.handed_over": _l("passed a request to call back to another unit: the first one has closed"),
    "callback.turned_away": _l("ended a request to be called back: the unit has closed"),
    "callback.done": _l("called a practitioner back"),
    "callback.unreachable": _l("called a practitioner who could not be reached"),
    "callback.withdrawn": _l("withdrew a request to be called back"),
    "callback.lapsed": _l("ended a request to be called back that nobody answered in time"),
    "callback.delayed": _l("told that a practitioner was not called back in time"),
    "callback.opened": _l("read a request to call back"),
    "callback.forgotten": _l("erased the words of an old request to be called back"),
}
WHO: Mapping[str, Any] = {"lines.follow_callbacks": _l("The portal")}
