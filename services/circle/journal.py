"""What the journal says of circles: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "circle.added": _l("named somebody in the circle of care"),
    "circle.declared": _l("named the treating doctor, according to the hospital’s file"),
    "circle.shared": _l("chose what somebody of the circle of care may see"),
    "circle.accepted": _l("let somebody into the circle of care"),
    "circle.refused": _l("refused somebody in the circle of care"),
    "circle.objected": _l("objected to sharing with somebody of the care team"),
    "circle.lifted": _l("took back an objection to sharing"),
    "circle.ended": _l("ended somebody’s place in the circle of care"),
    "circle.treating_doctor_changed": _l("changed the treating doctor"),
    "circle.no_treating_doctor": _l("said that there is no treating doctor"),
    "circle.code_made": _l("made a code to let a professional in"),
    "circle.let_in": _l("let a professional in, by the code you showed"),
    "circle.joined": _l("typed the code you showed, and joined your circle of care"),
    "circle.asked": _l("passed on a professional’s request to join your circle of care"),
    "circle.asked_no_more": _l("took a professional’s request back"),
    "circle.opened": _l("opened what you let them see"),
    "circle.proposed": _l("asked to join the circle of care of somebody they described"),
    "circle.proposal_withdrawn": _l("no longer asks to join a circle of care"),
    "circle.proposal_lapsed": _l("forgot a request to join a circle of care that nobody answered"),
}
