"""What patients read of the requests that doctors make for them: plain words, and nothing of what doctors discuss."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.referrals.models import ReferralTarget
from services.referrals.objecting import REASONS

KINDS: Mapping[str, Any] = {
    "opinion": _l("to give an opinion about you"),
    "consultation": _l("to receive you in consultation"),
    "examination": _l("to do an examination"),
    "day_hospital": _l("to receive you for a day in hospital"),
    "hospitalisation": _l("to receive you in hospital"),
    "follow_up": _l("to receive you for follow-up and rehabilitation care"),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "received": (_l("The unit is studying the request"), "info"),
    "asked": (_l("The unit asked your practitioner for more"), "info"),
    "accepted": (_l("Accepted"), "success"),
    "refused": (_l("The unit cannot receive you"), "warning"),
    "redirected": (_l("The unit names another unit"), "info"),
    "completed": (_l("Done"), "success"),
    "withdrawn": (_l("Taken back by your practitioner"), "neutral"),
    "objected": (_l("You objected"), "neutral"),
    "lapsed": (_l("No answer in time"), "neutral"),
}
"""State → words and tone of a tag."""
WHY: Mapping[str, Any] = {
    "no_wish": _l("I do not wish this care"),
    "followed_elsewhere": _l("I am already followed elsewhere"),
    "no_sharing": _l("I do not want information about me to be sent"),
}
assert tuple(WHY) == REASONS


def what_next(target: ReferralTarget) -> str:
    """What happens now, in a sentence."""
    doctor = target.referral.professional_name
    if target.state == "completed" and target.outcome_kind == "opinion":
        return str(_("The unit has given its opinion to %(name)s, who will tell you about it.", name=doctor))
    said = {
        "received": _("The unit answers %(name)s. You will be told here.", name=doctor),
        "asked": _("%(name)s must answer the unit. You have nothing to do.", name=doctor),
        "accepted": _("The unit will call you to agree on a date.") if target.outcome_at is None else "",
        "refused": _("%(name)s knows it, and will tell you what to do.", name=doctor),
        "redirected": _("%(name)s decides whether to ask the other unit.", name=doctor),
        "withdrawn": _("Ask %(name)s if you do not know why.", name=doctor),
        "objected": _("The unit has stopped, and %(name)s is told.", name=doctor),
        "lapsed": _("Another unit is asked, or %(name)s tells you what to do.", name=doctor),
    }
    return str(said.get(target.state, ""))
