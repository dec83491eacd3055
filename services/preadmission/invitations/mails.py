"""What an invitation says. Neither the unit nor the day: an address may be wrong, and others read over shoulders."""

from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _

from portal import notifications
from portal.message_texts import writing
from portal.message_texts.kinds import message

PATH = "/pre-admission/invitation"
_CODE = "preadmission.invitation"


def invitation(hospital: str, code: str, establishment_id: UUID | None = None) -> tuple[str, str]:
    """Subject and text, in French: the person's language is not known yet. code: as it is typed."""
    own = writing.chosen(_CODE, establishment_id, "fr", {"hospital": hospital, "code": code}, PATH)
    if own is not None:
        return own.subject, own.body
    with force_locale("fr"):
        return _own_words(hospital, code)


@message(_CODE, at_hospital=True, required=("code",), path=PATH, only="fr")
def _own_words(hospital: str, code: str) -> tuple[str, str]:
    lines = (
        _("Hello,"),
        _("%(hospital)s invites you to prepare your coming from home: it saves you the queue.", hospital=hospital),
        _("1. Open this page: %(address)s", address=notifications.address(PATH)),
        _("2. Sign in with FranceConnect."),
        _("3. Type this code: %(code)s", code=code),
        _("Nobody but you can use it. You may also prepare your coming on paper or at the admissions office."),
    )
    return str(_("An invitation from the hospital")), "\n\n".join(map(str, lines))
