"""Messages about deposits: that something is asked or answered, and nothing of what it is."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_HELLO = _l("Hello,")


@message("documents.asked", at_hospital=True)
def asked() -> Mail:
    """To those who may act for the patient, when a unit asks for a document."""
    return Mail(
        _l("Your hospital asks you for a document"),
        (
            _HELLO,
            _l(
                "A hospital unit asks you for a document. Sign in to your hospital area to see what it needs and to "
                "send it: a photo is enough."
            ),
        ),
        "/documents",
    )


@message("documents.judged", at_hospital=True)
def judged() -> Mail:
    """To those who may act for the patient, when an agent has looked at what they sent."""
    return Mail(
        _l("The hospital has looked at the document you sent"),
        (_HELLO, _l("Its answer is waiting for you in your hospital area, after you sign in.")),
        "/documents",
    )
