"""What readers of the directory ask and report."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, RadioField, StringField, TextAreaField
from wtforms.validators import AnyOf, Length, Optional, Regexp

from portal.web.fields import choices
from portal.web.forms import EmailAddress, OnceForm, Required
from services.offer import specialities
from services.offer.models import MISTAKES
from services.offer.seeking import Asked
from services.offer.wording import MISTAKES as MISTAKE_WORDS

_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
_LONGEST = 100
_OLDEST = 130


def asked(given: MultiDict[str, str], audience: str) -> Asked:
    """What the address of the search asks for; what makes no sense is left aside."""
    code = _short(given, "speciality")
    return Asked(
        words=_short(given, "q"),
        finess=_short(given, "establishment"),
        town=_short(given, "town"),
        speciality=code if specialities.is_code(code) else "",
        language=_short(given, "language"),
        for_wheelchairs=given.get("wheelchair") == "1",
        age=_number(given, "age", _OLDEST),
        page=_number(given, "page", 9999) or 1,
        audience=audience,
    )


def _short(given: MultiDict[str, str], name: str) -> str:
    return given.get(name, "").replace("\0", "").strip()[:_LONGEST]


def _number(given: MultiDict[str, str], name: str, most: int) -> int | None:
    text = given.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) <= most else None


class ReportForm(OnceForm):
    """An error on a page of the directory."""

    mistake = RadioField(
        _l("What is wrong?"),
        [Required(_l("Choose what is wrong.")), AnyOf(MISTAKES, _l("Choose what is wrong."))],
        choices=choices(MISTAKE_WORDS.items()),
        validate_choice=False,
    )
    words = TextAreaField(
        _l("What should it say?"),
        [
            Required(_l("Tell us what you saw, in a few words.")),
            Length(max=1000, message=_l("1,000 characters at most.")),
            Regexp(_NO_CONTROLS),
        ],
        description=_l("Nothing about your health or anybody’s: this message goes to the directory’s editors."),
    )
    email = EmailField(
        _l("Your e-mail address, if you would like an answer"),
        [Optional(), EmailAddress()],
        filters=[lambda text: (text or "").strip()],
        description=_l("It is used for this answer alone, then forgotten."),
    )
    website = StringField(_l("Leave this empty"))
    """Nobody sees this field: what fills it is a robot."""

    @property
    def is_from_a_robot(self) -> bool:
        return bool(self.website.data)

    @property
    def facts(self) -> Mapping[str, Any]:
        words = (self.words.data or "").strip().replace("\r\n", "\n")
        return {"mistake": self.mistake.data, "words": words, "email": self.email.data or ""}
