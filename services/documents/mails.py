"""Messages that say something waits, and nothing of what it is."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail


def new_document() -> Mail:
    """To those who may act for the patient."""
    return Mail(
        _l("Something new in your hospital area"),
        (
            _l("Hello,"),
            _l(
                "A new message is waiting for you in your hospital area. To protect your privacy, it can only "
                "be read there, after you sign in."
            ),
        ),
        "/documents",
    )


def new_answer(path: str) -> Mail:
    """To a practitioner, when a unit has written. path: the exchange's page."""
    return Mail(
        _l("A hospital unit has written to you"),
        (_l("Hello,"), _l("A message from a hospital unit is waiting for you in your professional area.")),
        path,
    )


def new_exchange(path: str) -> Mail:
    """To the mailbox of a hospital's documents, when a practitioner has written. path: the exchange's page."""
    return Mail(
        _l("A practitioner has written to one of your units"),
        (_l("Hello,"), _l("A message from a practitioner is waiting in the documents tray.")),
        path,
    )
