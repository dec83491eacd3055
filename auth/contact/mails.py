"""What is told when contact data changes."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_WHAT = {
    "mail": _l("The mail address of your account was changed. This one no longer receives anything."),
    "mobile": _l("The mobile number of your account was changed."),
}


@message("account.contact_changed", each={kind: {"kind": kind} for kind in _WHAT}, which=lambda given: given["kind"])
def changed(kind: str) -> Mail:
    return Mail(
        _l("Your contact details were changed"),
        (_WHAT[kind], _l("If it was not you, sign in at once and close the other sessions, then call the hospital.")),
        "/mon-compte/coordonnees",
    )
