"""What the journal says of boxes and mails: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "mailbox.added": _l("declared a secure mailbox"),
    "mailbox.changed": _l("changed a secure mailbox"),
    "mailbox.closed": _l("closed a secure mailbox"),
    "mailbox.operator_set": _l("set the operator of secure mailboxes"),
    "mailbox.checked": _l("tried the connection of a secure mailbox"),
    "mail.accepted": _l("handed a secure mail to its operator"),
    "mail.delivered": _l("learnt that a secure mail arrived"),
    "mail.read": _l("learnt that a secure mail was read"),
    "mail.refused": _l("learnt that a secure mail was refused"),
    "mail.given_up": _l("gave a secure mail up"),
    "mail.sent_again": _l("asked for a secure mail to leave again"),
    "mail.sent_elsewhere": _l("sent a secure mail to another address"),
    "mail.sent_on_paper": _l("sent on paper what a secure mail could not carry"),
    "mail.received": _l("received a secure mail"),
    "received_mail.quarantined": _l("put a secure mail aside"),
    "received_mail.asked_again": _l("asked for a secure mail to be read again"),
    "received_mail.released": _l("read a secure mail that was aside"),
    "received_mail.discarded": _l("discarded a secure mail"),
    "mail_opposition.written": _l("wrote down that a patient opposes secure mails"),
    "mail_opposition.withdrawn": _l("wrote down that a patient no longer opposes secure mails"),
}
