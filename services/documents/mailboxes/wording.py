"""What agents and administrators read of boxes and mails."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

KINDS: Mapping[str, Any] = {
    "ORG": _l("Of a service"),
    "APP": _l("Of an application"),
    "PER": _l("Personal"),
}

TRANSMISSION_STATES: Mapping[str, tuple[Any, str]] = {
    "waiting": (_l("Waits to leave"), "info"),
    "uncertain": (_l("Not known yet"), "warning"),
    "accepted": (_l("Accepted by the operator"), "info"),
    "delivered": (_l("Delivered"), "success"),
    "read": (_l("Read"), "success"),
    "refused": (_l("Refused"), "danger"),
    "given_up": (_l("Given up"), "danger"),
}
"""State of a mail that leaves → words and tone of its tag."""

MEANINGS: Mapping[str, Any] = {
    "waiting": _l("It has not left yet. It is tried again by itself."),
    "uncertain": _l(
        "The line was cut while the operator took it: nobody knows whether it left. If nothing is heard of it, it "
        "leaves again under the same name, so that the recipient’s software knows it."
    ),
    "accepted": _l("Our operator took charge of it. Nothing says yet that it is in the recipient’s box."),
    "delivered": _l("A receipt says that it is in the recipient’s box."),
    "read": _l("A receipt says that the recipient opened it."),
    "refused": _l("It did not arrive."),
    "given_up": _l("It is not tried any more."),
}
"""State → what it means, and no more than what is known."""

REASONS: Mapping[str, tuple[Any, Any]] = {
    "mailbox_closed": (
        _l("The recipient’s box is closed."),
        _l("Look for another box in the directory, or send it on paper."),
    ),
    "unknown_recipient": (
        _l("The operator knows no such box."),
        _l("Check the address in the directory, then send to the right one."),
    ),
    "invalid_address": (
        _l("The address is not one that mails reach."),
        _l("Check the address in the directory, then send to the right one."),
    ),
    "too_large": (_l("The mail is too large."), _l("Send fewer or lighter files, or several messages.")),
    "temporary": (_l("The operator cannot take it now."), _l("Nothing: it is tried again.")),
    "late": (_l("An operator says that it is late."), _l("Nothing: it still tries.")),
    "other": (
        _l("The operator refuses it."),
        _l("Look at the code with whoever runs the operator, or send it on paper."),
    ),
    "not_integrated": (
        _l("The recipient’s software could not take the document in."),
        _l("Check the patient’s identity with the recipient, then send it again."),
    ),
    "deleted": (_l("The recipient deleted it without opening it."), _l("Call the recipient.")),
    "opposed": (
        _l("The patient does not want it to leave by secure mail."),
        _l("Send it on paper, or ask the patient again."),
    ),
    "not_qualified": (
        _l("A patient’s own box is written to from a qualified national identity alone."),
        _l("Have the identity qualified, or publish the document in the patient’s space."),
    ),
    "not_a_mail": (_l("No mail can be made of it."), _l("Check the address and the label of the box.")),
    "documents": (_l("No proper document can be made of its files."), _l("Join a PDF that opens, about one patient.")),
    "file": (
        _l("A joined file was refused by the antivirus, or cannot be sent."),
        _l("Join another file, in another message."),
    ),
    "file_waiting": (_l("A joined file waits for the antivirus."), _l("Nothing: it leaves afterwards.")),
    "storage": (_l("The joined files could not be read."), _l("Nothing: it is tried again.")),
    "box_closed": (
        _l("The hospital closed the box it was to leave from."),
        _l("Ask an administrator for another box."),
    ),
    "personal_box": (
        _l("A personal box opens with its holder’s own session alone."),
        _l("Write from the box of the service."),
    ),
    "no_operator": (_l("No operator is set for this box."), _l("Ask an administrator to give the operator’s address.")),
    "address": (_l("The operator’s address is wrong."), _l("Ask an administrator to correct it.")),
    "not_let_in": (
        _l("The operator does not let the box in."),
        _l("Ask an administrator to check the certificate or the password."),
    ),
    "untrusted": (_l("The operator could not prove who it is."), _l("Ask an administrator to check the certificates.")),
    "away": (_l("The operator does not answer."), _l("Nothing: it is tried again.")),
    "box_refused": (_l("The operator refuses the box."), _l("Ask an administrator to look at the box.")),
    "cut": (_l("The line was cut while the operator took it."), _l("Nothing: it leaves again if nothing is heard.")),
    "other_address": (_l("It was sent to another address."), ""),
    "paper": (_l("It was sent on paper."), ""),
}
"""Reason → what is wrong, and what to do."""

ASIDE: Mapping[str, Any] = {
    "too_large": _l("It is larger than what is read here: open it with the operator’s own webmail."),
    "not_a_mail": _l("It is no mail."),
    "headers": _l("Its headers are malformed."),
    "too_deep": _l("It has parts in parts in parts, as no letter has."),
    "too_many_parts": _l("It has more parts than any letter."),
    "too_many_attachments": _l("It carries too many files."),
    "no_sender": _l("It does not say who wrote it."),
    "broke_us": _l("The portal could not read it, which is a defect of ours: tell whoever runs it."),
    "forged": _l("A receipt or a bounce that does not come from whom we wrote to. It changed nothing."),
    "about_nothing": _l("A receipt or a bounce that does not say of which mail."),
    "no_news": _l("A receipt or a bounce of what was known already."),
    "automatic": _l("An automatic answer to none of our threads."),
}
"""Why a mail that came was put aside, or changed nothing."""

RECEIVED_KINDS: Mapping[str, Any] = {
    "message": _l("Message"),
    "receipt": _l("Receipt"),
    "delivery": _l("Notice of delivery"),
    "bounce": _l("Bounce"),
    "automatic": _l("Automatic answer"),
    "unknown": _l("Unreadable"),
}


def what(reason: str) -> Any:
    """What is wrong; empty when nothing is."""
    return REASONS[reason][0] if reason in REASONS else ""


def remedy(reason: str) -> Any:
    """What to do about it."""
    return REASONS[reason][1] if reason in REASONS else ""


def aside(reason: str) -> Any:
    return ASIDE.get(reason, _("It could not be read."))
