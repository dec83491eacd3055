"""What legal pages are made from, as administrators type it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, Length, NumberRange, Optional, Regexp, ValidationError

from portal.catalog.legal.content import Accessibility, Legal, PersonalData
from portal.catalog.legal.models import ACTION_STATES
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required

_NO_CONTROLS = Regexp(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
_PHONE = Regexp(r"^[0-9+(). ]{2,30}$", message=_l("Write a telephone number: digits, spaces and + only."))
_RATE = re.compile(r"(100|[0-9]{1,2})(?:[.,]([0-9]))?", re.ASCII)
STATE_WORDS: Final[Mapping[str, Any]] = {
    "planned": _l("Planned"),
    "under_way": _l("Under way"),
    "done": _l("Done"),
    "dropped": _l("Given up"),
}
_ONE_A_LINE: Final = _l("One a line")


def _plain(text: str | None) -> str:
    return (text or "").strip().replace("\r\n", "\n")


def _line(label: Any, most: int = 200, *validators: Any, description: Any = "") -> StringField:
    return StringField(label, [*validators, Length(max=most), _NO_CONTROLS], filters=[_plain], description=description)


def _text(label: Any, most: int = 4000, description: Any = "") -> TextAreaField:
    return TextAreaField(label, [Length(max=most), _NO_CONTROLS], filters=[_plain], description=description)


class AccessibilityForm(Form):
    """The statement of accessibility."""

    rate = StringField(
        _l("Criteria of the RGAA that are met, in percent"), [Optional(), Length(max=6)], filters=[_plain],
        description=_l("Among those that apply, as the audit says: 87.5. Empty when no audit was made."),
    )  # fmt: skip
    audited_on = DateParts(_l("Day of the audit"), [Optional()])
    auditor = _line(_l("Who made it"))
    rgaa = _line(_l("Version of the RGAA"), 10)
    non_compliances = _text(_l("What does not comply"), description=_ONE_A_LINE)
    derogations = _text(_l("Derogations for a disproportionate burden"), description=_ONE_A_LINE)
    exempt = _text(_l("Content that the law does not subject to accessibility"), description=_ONE_A_LINE)
    technologies = _text(_l("Technologies"), description=_ONE_A_LINE)
    environments = _text(_l("Browsers and assistive technologies of the tests"), description=_ONE_A_LINE)
    pages = _text(_l("Pages that were checked"), description=_ONE_A_LINE)
    email = _line(_l("E-mail address to write to"), 254, Optional(), EmailAddress())
    phone = _line(_l("Telephone"), 30, Optional(), _PHONE)
    scheme = _text(_l("Multi-year scheme, in a few sentences"), description=_l("Three years at the most"))

    def validate_rate(self, field: StringField) -> None:
        """A percentage, and then the day of the audit."""
        found = _RATE.fullmatch((field.data or "").rstrip(" %"))
        if field.data and (found is None or (found[1] == "100" and found[2] not in (None, "0"))):
            raise ValidationError(_l("Write a number from 0 to 100, such as 87.5"))
        if found and not self.audited_on.data:
            raise ValidationError(_l("Give the day of the audit too."))

    @property
    def content(self) -> Accessibility:
        found = _RATE.fullmatch((self.rate.data or "").rstrip(" %"))
        rate = int(found[1]) * 10 + int(found[2] or 0) if found else None
        kept = {name: self[name].data or "" for name in _NAMES if name != "audited_on"}
        return Accessibility(rate_permille=rate, audited_on=self.audited_on.data, **kept)


_NAMES = (
    "audited_on", "auditor", "rgaa", "non_compliances", "derogations", "exempt", "technologies", "environments",
    "pages", "email", "phone", "scheme",
)  # fmt: skip


def accessibility_form(known: Accessibility, **more: Any) -> AccessibilityForm:
    """The form, filled with what is published."""
    rate = "" if known.rate_permille is None else f"{known.rate_permille / 10:g}"
    return AccessibilityForm(data={name: getattr(known, name) for name in _NAMES} | {"rate": rate}, **more)


class LegalForm(Form):
    """Who publishes and who hosts."""

    director = _line(_l("Publication director"), 200, Required(_l("Name them: the law asks for it.")),
                     description=_l("Usually the director of the hospital that runs the portal"))  # fmt: skip
    publisher = _text(_l("More about the publisher"), 1000, description=_l("Legal form, SIRET, head office"))
    host_name = _line(_l("Name of the host"), 200, Required(_l("Name the host: the law asks for it.")),
                      description=_l("The hospital itself, when it runs its own machines"))  # fmt: skip
    host_address = _line(_l("Its address"), 300)
    host_phone = _line(_l("Its telephone"), 30, Optional(), _PHONE)
    host_certificate = _line(_l("Its HDS certificate"), 300, description=_l("Number, activities, until when"))
    security_email = _line(_l("Where security flaws are reported"), 254, Optional(), EmailAddress())
    credits = _text(_l("Credits of pictures"), 1000)

    @property
    def content(self) -> Legal:
        return Legal(**{name: self[name].data or "" for name in vars(Legal())})


class PersonalDataForm(Form):
    """Who answers for data at one hospital."""

    controller = _line(_l("Data controller"), 300, Required(_l("Name the legal person who answers for the data.")))
    dpo_name = _line(_l("Data protection officer"), 200)
    dpo_email = _line(_l("Their e-mail address"), 254, Optional(), EmailAddress())
    dpo_phone = _line(_l("Their telephone"), 30, Optional(), _PHONE)
    dpo_address = _line(_l("Their postal address"), 300)
    more = _text(_l("What your hospital adds"), 2000)

    @property
    def content(self) -> PersonalData:
        return PersonalData(**{name: self[name].data or "" for name in vars(PersonalData())})


class ActionForm(OnceForm):
    """A line of the yearly plan."""

    year = IntegerField(_l("Year"), [Required(_l("Give the year.")), NumberRange(2020, 2100)])
    title = _line(_l("What will be done"), 300, Required(_l("Say what will be done.")))


class ActionStateForm(Form):
    """Where a line of the plan stands."""

    state = SelectField(
        _l("State"), [Required(), AnyOf(ACTION_STATES)],
        choices=choices((code, STATE_WORDS[code]) for code in ACTION_STATES),
    )  # fmt: skip


class AnswerForm(Form):
    """What is said to whoever reported a page."""

    words = TextAreaField(
        _l("Your answer"), [Required(_l("Write what was done, or how to do without.")), Length(max=2000), _NO_CONTROLS],
        filters=[_plain], description=_l("Sent by plain mail: nothing about anybody’s health."),
    )  # fmt: skip
