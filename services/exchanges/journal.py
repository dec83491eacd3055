"""What the journal says of exchanges with hospital systems: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "exchange.begun": _l("began to tell the hospital’s system of what changes"),
    "exchange.ended": _l("stopped telling the hospital’s system of what changes"),
    "exchange.refused": _l("noted that the hospital’s system refused a message"),
    "exchange.replayed": _l("told the hospital’s system or a subscriber again"),
    "exchange.set_aside": _l("set a change aside that was to be told"),
    "exchange.forgotten": _l("deleted old messages of the hospital’s system"),
    "subscription.added": _l("let a system subscribe to appointments"),
    "subscription.rotated": _l("gave a subscription a new secret"),
    "subscription.stopped": _l("stopped a subscription for a while"),
    "subscription.resumed": _l("started a subscription again"),
    "subscription.tried": _l("tried a subscription"),
    "subscription.given_up": _l("gave up a subscription that did not answer for days"),
    "subscription.ended": _l("ended a subscription"),
    "his.changed": _l("changed the address of the hospital’s system"),
    "his_dialect.changed": _l("changed the codes of the hospital’s system"),
    "his_message.received": _l("took a message of the hospital’s system"),
    "his_message.opened": _l("looked at a message of the hospital’s system"),
    "delivery.opened": _l("looked at a message to the hospital’s system"),
    "his_message.settled": _l("settled a message of the hospital’s system"),
    "siu_message.received": _l("took a message of the hospital’s system about an appointment"),
    "siu_message.opened": _l("looked at a message of the hospital’s system"),
    "exchange.sent": _l("began an exchange between a unit and a practitioner"),
    "exchange.opened": _l("opened an exchange with a practitioner"),
    "exchange.answered": _l("answered in an exchange with a practitioner"),
    "exchange.filed": _l("filed a practitioner’s document"),
}
