"""The reminder, which says that something waits and nothing of what it is."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("documents.unread", at_hospital=True)
def reminder() -> Mail:
    """To those who may act for the patient, once for each document."""
    return Mail(
        _l("Something still waits in your hospital area"),
        (
            _l("Hello,"),
            _l(
                "A message from your hospital has been waiting for you for some time. To protect your privacy, it can "
                "only be read in your hospital area, after you sign in."
            ),
            _l("If you have already been told by telephone or by letter, you need not do anything."),
        ),
        "/documents",
    )
