"""How often each kind of news is told by each channel, when nothing is, and a professional box."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired

from auth.news import kinds
from auth.news.actions import Clock
from auth.news.kinds import Kind
from auth.news.wishes import ZONES, Wishes
from portal.web.fields import choices
from portal.web.forms import EmailAddress, Form, Required

RHYTHMS: Final[Mapping[str, Any]] = {
    kinds.AT_ONCE: _l("At once"),
    kinds.HOURLY: _l("Once an hour"),
    kinds.DAILY: _l("Once a day"),
    kinds.NEVER: _l("Never"),
}
CHANNELS: Final[Mapping[str, Any]] = {kinds.MAIL: _l("By mail"), kinds.MSSANTE: _l("By MSSanté")}
_ZONES: Final[Mapping[str, Any]] = {
    "Europe/Paris": _l("France, Paris"),
    "America/Guadeloupe": _l("Guadeloupe"),
    "America/Martinique": _l("Martinique"),
    "America/Cayenne": _l("French Guiana"),
    "America/Miquelon": _l("Saint Pierre and Miquelon"),
    "Indian/Reunion": _l("Réunion"),
    "Indian/Mayotte": _l("Mayotte"),
    "Pacific/Noumea": _l("New Caledonia"),
    "Pacific/Tahiti": _l("French Polynesia"),
    "Pacific/Wallis": _l("Wallis and Futuna"),
}

_NEEDED: Final = (InputRequired(_l("Choose one of the answers")),)


def _hours(first: int, last: int) -> list[Any]:
    return choices([(str(hour), f"{hour:02}:00") for hour in range(first, last + 1)])


class HoursForm(Form):
    """The part that is the same for everybody."""

    quiet_from = SelectField(_l("Send nothing from"), _NEEDED, coerce=int, choices=_hours(0, 24))
    quiet_until = SelectField(_l("Until the hour of"), _NEEDED, coerce=int, choices=_hours(0, 24))
    daily_at = SelectField(_l("“Once a day” means at"), _NEEDED, coerce=int, choices=_hours(0, 23))
    weekends = BooleanField(_l("Write to me on Saturdays, Sundays and holidays too"))
    time_zone = SelectField(
        _l("My clock is that of"), _NEEDED, choices=choices([(zone, _ZONES[zone]) for zone in ZONES])
    )

    @property
    def clock(self) -> Clock:
        """What was chosen; the validated form only."""
        return Clock(
            self.quiet_from.data, self.quiet_until.data, self.daily_at.data, self.weekends.data, self.time_zone.data
        )

    def rhythms(self) -> dict[tuple[str, str], str]:
        """(kind, channel) → rhythm, of the fields that this form has."""
        found = {}
        for kind in kinds.KINDS:
            for channel in kinds.CHANNELS:
                if (name := field_name(kind, channel)) in self:
                    found[kind, channel] = self[name].data
        return found


class BoxForm(Form):
    address = StringField(
        _l("Address of your professional box"),
        [Required(_l("Write the address of your professional box")), EmailAddress()],
        description=_l("It ends with mssante.fr. A link sent to this box proves that you read it."),
    )


def field_name(kind: str, channel: str) -> str:
    return f"{kind}_{channel}"


def choices_form(wanted: Wishes) -> HoursForm:
    """The form of this person, filled with their choices, or with what they have just posted."""
    audience = wanted.account.audience
    channels = kinds.CHANNELS if wanted.has_box else (kinds.MAIL,)
    hours = wanted.hours
    filled = {
        field_name(kind.code, channel): wanted.rhythm(kind.code, channel)
        for kind in kinds.of(audience)
        for channel in channels
    }
    return _form_class(audience, channels)(
        quiet_from=hours.quiet_from, quiet_until=hours.quiet_until, daily_at=hours.daily_at, weekends=hours.weekends,
        time_zone=hours.tz.key, **filled,
    )  # fmt: skip


@lru_cache
def _form_class(audience: str, channels: tuple[str, ...]) -> type[HoursForm]:
    fields: dict[str, Any] = {}
    for kind in kinds.of(audience):
        for channel in channels:
            if channel == kinds.MAIL or kind.code != kinds.DIGESTS:
                fields[field_name(kind.code, channel)] = SelectField(
                    kind.title, choices=_rhythms(kind, audience, channels)
                )
    return type("ChoicesForm", (HoursForm,), fields)


def _rhythms(kind: Kind, audience: str, channels: tuple[str, ...]) -> list[Any]:
    """Never is not offered where it would leave nothing: of what must be heard of, by the only channel."""
    only = audience in kind.needed and len(channels) == 1
    return choices([(each, RHYTHMS[each]) for each in kind.rhythms if not (only and each == kinds.NEVER)])
