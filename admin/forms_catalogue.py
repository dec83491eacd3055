"""What administrators write of services, of links and of notices."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import wtforms
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FormField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from portal import calendar
from portal.catalog.models import AUDIENCES, REACHES
from portal.catalog.notices.models import LEVELS
from portal.catalog.words import FIRST, LANGUAGES, RIGHT_TO_LEFT
from portal.establishments import Establishment
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required

_NO_CONTROLS = Regexp(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
_HOUR = re.compile(r"([01]?[0-9]|2[0-3])\s*[:hH]\s*([0-5][0-9])", re.ASCII)
ICONS: Final = (
    "globe", "heart-pulse", "shield-check", "stethoscope", "hospital", "building-2", "users", "phone", "siren",
    "file-text", "folder-open", "camera", "calendar", "message-square", "id-card", "info",
)  # fmt: skip
AUDIENCE_WORDS: Final[Mapping[str, Any]] = {
    "patient": _l("Patients"),
    "professional": _l("Health professionals"),
    "everybody": _l("Everybody"),
}
REACH_WORDS: Final[Mapping[str, Any]] = {
    "national": _l("A national service"),
    "regional": _l("A service of the region"),
    "own": _l("A service of the hospital"),
}
LEVEL_WORDS: Final[Mapping[str, Any]] = {
    "info": _l("Information"),
    "warning": _l("Warning"),
    "maintenance": _l("Planned maintenance"),
    "closure": _l("Urgent closure"),
}


def _plain(text: str | None) -> str:
    return (text or "").strip().replace("\r\n", "\n")


def _told_in(language: str) -> dict[str, str]:
    """The attributes of a control whose words are in that language."""
    return {"lang": language, "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr"}


def _line(label: Any, most: int, language: str, *validators: Any, description: Any = "") -> StringField:
    return StringField(
        label, [*validators, Length(max=most), _NO_CONTROLS], filters=[_plain], description=description,
        render_kw=_told_in(language),
    )  # fmt: skip


def _text(label: Any, most: int, language: str, *validators: Any, description: Any = "") -> TextAreaField:
    return TextAreaField(
        label, [*validators, Length(max=most), _NO_CONTROLS], filters=[_plain], description=description,
        render_kw=_told_in(language),
    )  # fmt: skip


def _service_texts(language: str, *needed: Any) -> type[wtforms.Form]:
    parts = {
        "title": _line(_l("Name"), 80, language, *needed),
        "lead": _line(_l("In one sentence"), 200, language),
        "scope": _text(_l("Where and for whom"), 500, language, description=_l("Units, sites, ages that it is for")),
        "uses": _text(_l("What one can do there"), 1000, language, description=_l("One a line")),
    }
    return type(f"ServiceTexts{language.title()}", (wtforms.Form,), parts)


def _notice_texts(language: str, *needed: Any) -> type[wtforms.Form]:
    parts = {
        "title": _line(_l("Title"), 120, language, *needed),
        "text": _text(_l("What happens, and what to do"), 600, language),
    }
    return type(f"NoticeTexts{language.title()}", (wtforms.Form,), parts)


class _InLanguages:
    """Forms that hold one small form a language, named by its code."""

    @property
    def languages(self) -> Sequence[tuple[str, str, Any]]:
        """(code, name in its own words, small form)."""
        return [(code, name, self[code]) for code, name in LANGUAGES.items()]  # type: ignore[index]  # a form

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """What was written, language by language."""
        return {
            code: {part.short_name: part.data or "" for part in field.form} for code, _name, field in self.languages
        }


class _DaysForm(Form):
    """From a day to another; no last day for what goes on."""

    closed_on = DateParts(_l("Closed from this day on"), [Optional()], description=_l("Empty while it is to stay open"))
    position = IntegerField(
        _l("Rank on the home page"), [Optional(), NumberRange(-999, 999)], description=_l("The smallest comes first")
    )


class ServiceForm(_InLanguages, _DaysForm):
    """A service of the portal at one hospital. sure: whom the closing touches has been read."""

    opened_on = DateParts(_l("Open from"), [Optional()], description=_l("Empty to take it off the catalogue"))
    fr = FormField(_service_texts(FIRST))
    en = FormField(_service_texts("en"))
    es = FormField(_service_texts("es"))
    ar = FormField(_service_texts("ar"))
    sure = BooleanField(_l("I have read whom this touches, and what happens to them is settled"))

    def validate_closed_on(self, field: DateParts) -> None:
        """Not before it opens."""
        _check_order(field, self.opened_on.data)


class LinkForm(_InLanguages, _DaysForm, OnceForm):
    """A link to somebody else's service."""

    where = SelectField(_l("Shown for"), validate_choice=True)
    code = StringField(
        _l("Short name in its address"),
        [Required(_l("Give it a short name.")), Length(max=40),
         Regexp(r"^[a-z][a-z0-9-]*$", message=_l("Small letters without accents, digits and hyphens only."))],
        filters=[_plain], description=_l("Such as mon-espace-sante"),
    )  # fmt: skip
    url = StringField(
        _l("Address"), [Required(_l("Write the address of the service.")), Length(max=500)], filters=[_plain],
        description=_l("Begins with https://"),
    )  # fmt: skip
    reach = RadioField(
        _l("Whose service is it?"), [Required(), AnyOf(REACHES)], default="national",
        choices=choices((code, REACH_WORDS[code]) for code in REACHES),
    )  # fmt: skip
    audience = RadioField(
        _l("For whom"), [Required(), AnyOf(AUDIENCES)], default="patient",
        choices=choices((code, AUDIENCE_WORDS[code]) for code in AUDIENCES),
    )  # fmt: skip
    icon = SelectField(
        _l("Drawing"), [Required(), AnyOf(ICONS)], default="globe", choices=choices((name, name) for name in ICONS)
    )
    opened_on = DateParts(_l("Shown from"), [InputRequired(_l("Give the first day."))])
    fr = FormField(_service_texts(FIRST, Required(_l("Give its name in French: it is shown when another is missing."))))
    en = FormField(_service_texts("en"))
    es = FormField(_service_texts("es"))
    ar = FormField(_service_texts("ar"))

    def validate_closed_on(self, field: DateParts) -> None:
        """Not before it is shown."""
        _check_order(field, self.opened_on.data)


def _check_order(field: DateParts, first: date | None) -> None:
    if field.data and first and field.data < first:
        raise ValidationError(_l("It would close before it opens."))
    if field.data and first is None:
        raise ValidationError(_l("Give the day when it opens too."))


class HostForm(OnceForm):
    """A name that links may lead to."""

    where = SelectField(_l("For the links of"))
    host = StringField(
        _l("Name of the site"), [Required(_l("Write the name of the site.")), Length(max=200)], filters=[_plain],
        description=_l("Such as imagerie.exemple.fr; the sites below it are let too"),
    )  # fmt: skip
    reason = StringField(
        _l("Why it can be trusted"), [Required(_l("Say who runs it.")), Length(max=200)], filters=[_plain]
    )


class UndoForm(Form):
    """To set what was before a change."""

    sure = BooleanField(_l("I have read whom this touches, and what happens to them is settled"))


# -- notices -----------------------------------------------------------------------------------------------------


def _hour(label: Any) -> StringField:
    return StringField(label, [Length(max=8)], filters=[_plain])


class NoticeForm(_InLanguages, OnceForm):
    """A notice. Moments are typed by the clock of the place that it is about."""

    where = SelectField(_l("Shown for"))
    level = RadioField(
        _l("Kind"), [Required(), AnyOf(LEVELS)], default="info",
        choices=choices((code, LEVEL_WORDS[code]) for code in ("info", "warning", "maintenance", "closure")),
    )  # fmt: skip
    fr = FormField(_notice_texts(FIRST, Required(_l("Write the French title: it is shown when another is missing."))))
    en = FormField(_notice_texts("en"))
    es = FormField(_notice_texts("es"))
    ar = FormField(_notice_texts("ar"))
    from_day = DateParts(_l("Shown from"), [Optional()], description=_l("Empty for at once"))
    from_hour = _hour(_l("At"))
    until_day = DateParts(_l("Shown until"), [Optional()], description=_l("Empty until it is taken back"))
    until_hour = _hour(_l("At"))
    stop_day = DateParts(_l("The service stops on"), [Optional()])
    stop_hour = _hour(_l("At"))
    back_day = DateParts(_l("It is back on"), [Optional()])
    back_hour = _hour(_l("At"))

    def moments(self, zone: ZoneInfo) -> dict[str, datetime | None]:
        """As the notice keeps them."""
        names = (("shown_from", "from"), ("shown_until", "until"), ("window_from", "stop"), ("window_until", "back"))
        return {name: self._moment(prefix, zone) for name, prefix in names}

    def _moment(self, prefix: str, zone: ZoneInfo) -> datetime | None:
        day, hour = self[f"{prefix}_day"].data, _HOUR.fullmatch(self[f"{prefix}_hour"].data or "")
        if day is None:
            return None
        at = time(int(hour[1]), int(hour[2])) if hour else time()
        return calendar.to_utc_or_after(day, at, zone)

    def validate(self, extra_validators: Any = None) -> bool:
        """Hours are hours, and ends come after beginnings."""
        fine = bool(super().validate(extra_validators))
        for prefix in ("from", "until", "stop", "back"):
            field = self[f"{prefix}_hour"]
            if field.data and not _HOUR.fullmatch(field.data):
                field.errors = [*field.errors, _l("Write an hour such as 22:00")]
                fine = False
        return fine and self._is_in_order()

    def _is_in_order(self) -> bool:
        found = self.moments(ZoneInfo("UTC"))
        fine = True
        for first, last, field in (("shown_from", "shown_until", self.until_day),
                                   ("window_from", "window_until", self.back_day)):  # fmt: skip
            if found[first] and found[last] and found[last] <= found[first]:  # type: ignore[operator]  # both are there
                field.errors = [*field.errors, _l("The end comes before the beginning.")]
                fine = False
        if self.level.data == "maintenance" and not found["window_from"]:
            self.stop_day.errors = [*self.stop_day.errors, _l("Say when the service stops.")]
            fine = False
        return fine


def offer_places(field: SelectField, hospitals: Sequence[Establishment], *, group: bool) -> None:
    """Where it applies: the whole group, for whoever administers all of it, or one hospital."""
    whole = [("group", _l("The whole group"))] if group else []
    field.choices = choices([*whole, *((each.finess, each.name) for each in hospitals)])
