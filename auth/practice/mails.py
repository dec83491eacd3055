"""Messages about delegations: that one changed; the names are in the portal."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, named

CHANGED = named(
    "professionals.delegation_changed",
    Mail(
        subject=_l("A delegation has changed"),
        paragraphs=(
            _l("Hello,"),
            _l("A delegation that you gave or received has just been given, changed or ended."),
            _l("Who may act in whose stead, and until when, is in your space:"),
        ),
        path="/pro/delegations",
    ),
    "professional",
)
