"""Messages that say something waits, and nothing of what it is."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("documents.new", at_hospital=True)
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


@message("documents.unit_wrote", "professional")
def new_answer(path: str) -> Mail:
    """To a practitioner, when a unit has written. path: the exchange's page."""
    return Mail(
        _l("A hospital unit has written to you"),
        (_l("Hello,"), _l("A message from a hospital unit is waiting for you in your professional area.")),
        path,
        kind="messages",
    )


@message("documents.practitioner_wrote", "staff")
def new_exchange(path: str) -> Mail:
    """To the mailbox of a hospital's documents, when a practitioner has written. path: the exchange's page."""
    return Mail(
        _l("A practitioner has written to one of your units"),
        (_l("Hello,"), _l("A message from a practitioner is waiting in the documents tray.")),
        path,
    )


@message("documents.taken_back")
def letter_taken_back() -> Mail:
    """To whoever opened a document that was not theirs. Nothing of what it was."""
    return Mail(
        _l("A document was removed from your hospital area"),
        (
            _l("Hello,"),
            _l(
                "A document had been put in your hospital area by mistake: it was not about you. It has been removed. "
                "If you kept a copy of it, please destroy it and tell nobody what it said."
            ),
            _l("Your own documents have not changed. We apologise for this mistake."),
        ),
        "/documents",
    )


@message("documents.misfiled", "staff")
def misfiling(path: str) -> Mail:
    """To whoever protects the data of a hospital. path: the letter's page, for those who may open it."""
    return Mail(
        _l("A letter had been given to the wrong person"),
        (
            _l("Hello,"),
            _l(
                "An agent of your hospital has taken back a letter that was in the documents of somebody else. Who "
                "opened it meanwhile is written on its page, which agents of the documents tray can open. Decide "
                "whether this breach must be declared (GDPR, articles 33 and 34)."
            ),
        ),
        path,
    )
