"""What the journal says of referrals: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "referral.sent": _l("sent a referral about you to the hospital"),
    "referral.opened": _l("opened a referral about you"),
    "referral.read": _l("read the answer to a referral about you"),
    "referral.assigned": _l("said who has a referral in charge"),
    "referral.asked": _l("asked for more about a referral"),
    "referral.written": _l("wrote about a referral"),
    "referral.accepted": _l("accepted a referral"),
    "referral.rescheduled": _l("changed the date of a referral"),
    "referral.opinion_given": _l("gave an opinion"),
    "referral.refused": _l("refused a referral"),
    "referral.redirected": _l("named another unit for a referral"),
    "referral.handed_over": _l("gave a referral to another unit, since its own closed"),
    "referral.completed": _l("ended a referral"),
    "referral.reopened": _l("opened a referral again"),
    "referral.patient_told": _l("wrote down that you were told of the answer to a referral"),
    "referral.letter_made": _l("printed the answer to a referral, for you"),
    "referral_list.opened": _l("looked at a list of referrals"),
    "referral.forgotten": _l("erased the words of a referral that was over"),
    "referral.withdrawn": _l("took a referral back"),
    "referral.objected": _l("objected to a referral"),
    "referral.lapsed": _l("was not answered in time: another unit was asked"),
    "referral.proposal_left": _l("did not want the unit that was named for a referral"),
    "referral_draft.begun": _l("began a referral"),
    "referral_draft.discarded": _l("threw away a referral that was not sent"),
    "referral_draft.forgotten": _l("erased a referral that was never sent"),
    "referral.claimed": _l("found again a referral sent by their software"),
    "referral_file.downloaded": _l("took away a file of a referral"),
    "referral_offer.opened": _l("opened what a unit takes by referral"),
    "referral_offer.changed": _l("changed what a unit takes by referral"),
    "referral_offer.reopened": _l("opened again what a unit takes by referral"),
    "referral_offer.closed": _l("closed what a unit takes by referral"),
    "referral.sent_by_software": _l("sent a request from a practice’s software"),
    "referral.read_by_machine": _l("read a request from another system"),
    "referral_list.read_by_machine": _l("read a list of requests from another system"),
}
