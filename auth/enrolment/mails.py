"""What is told about links and possible duplicates; never a number, never a trait."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_HOSPITALS = "/mon-compte/hopitaux"
_NOT_ME = _l("If this is a mistake, call the hospital: its staff can undo it at once.")


@message("account.linked", at_hospital=True)
def linked(hospital: str) -> Mail:
    return Mail(
        _l("Your account is linked to a hospital"),
        (_l("Your account is now linked to your file at %(hospital)s.", hospital=hospital), _NOT_ME),
        _HOSPITALS,
    )


@message("account.unlinked", at_hospital=True)
def unlinked(hospital: str) -> Mail:
    return Mail(
        _l("Your account is no longer linked to a hospital"),
        (
            _l("The link between your account and a file of %(hospital)s was undone.", hospital=hospital),
            _l("What came from that file is no longer shown. The hospital can tell you why."),
        ),
        _HOSPITALS,
    )


@message("account.not_linked", at_hospital=True)
def not_linked(hospital: str) -> Mail:
    return Mail(
        _l("Your request to be linked to a hospital"),
        (
            _l("%(hospital)s could not link your account to a file.", hospital=hospital),
            _l("Come to the admissions desk with an identity document: an agent will do it with you."),
        ),
        _HOSPITALS,
    )
