"""What an invitation says. Neither the unit nor the day: an address may be wrong, and others read over shoulders."""

from flask_babel import force_locale
from flask_babel import gettext as _

from portal import notifications

PATH = "/pre-admission/invitation"


def invitation(hospital: str, code: str) -> tuple[str, str]:
    """Subject and text, in French: the person's language is not known yet. code: as it is typed."""
    with force_locale("fr"):
        lines = (
            _("Hello,"),
            _("%(hospital)s invites you to prepare your coming from home: it saves you the queue.", hospital=hospital),
            _("1. Open this page: %(address)s", address=notifications.address(PATH)),
            _("2. Sign in with FranceConnect."),
            _("3. Type this code: %(code)s", code=code),
            _("Nobody but you can use it. You may also prepare your coming on paper or at the admissions office."),
        )
        return str(_("An invitation from the hospital")), "\n\n".join(map(str, lines))
