"""The words of a reminder: something waits. Neither the hospital, nor the day, nor what it is."""

from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _

from portal import notifications
from portal.message_texts import telephone, writing
from portal.message_texts.kinds import TEXT, message

PATH = "/mon-compte"
"""An address that says nothing either."""
_CHOICES = "/mon-compte/coordonnees"
_MAIL, _TEXT = "preadmission.reminder", "preadmission.reminder_text"


def mail(locale: str, establishment_id: UUID | None = None) -> tuple[str, str]:
    """Subject and text. establishment_id: the hospital, which may say it in its own words."""
    language = locale or "fr"
    own = writing.chosen(_MAIL, establishment_id, language, {"choices": notifications.address(_CHOICES)}, PATH)
    if own is not None:
        return own.subject, own.body
    with force_locale(language):
        return _mail(notifications.address(_CHOICES))


@message(_MAIL, at_hospital=True, path=PATH)
def _mail(choices: str) -> tuple[str, str]:
    lines = (
        _("Hello,"),
        _("Something waits for you in your hospital’s space, and its day is near. Sign in to see what it is:"),
        notifications.address(PATH),
        _("To choose how we write to you: %(address)s", address=choices),
    )
    return str(_("A reminder from the hospital")), "\n\n".join(map(str, lines))


def text(locale: str, establishment_id: UUID | None = None) -> str:
    """A text message; establishment_id: as for a mail."""
    language = locale or "fr"
    own = writing.chosen(_TEXT, establishment_id, language, {}, "")
    if own is not None:
        return telephone.plain(own.body)
    with force_locale(language):
        return _text(notifications.address(""))


@message(_TEXT, at_hospital=True, channel=TEXT, sample={"link": "{link}"}, path="")
def _text(link: str) -> str:
    return str(_("Something waits for you on your hospital’s portal: %(address)s", address=link))
