"""How the room says when somebody can come."""

from babel.dates import get_day_names
from flask import Flask
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web.ui import long_day, short_day
from services.appointments.wishes import Wishes

WEEKDAYS = (
    _l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"),
)  # fmt: skip
HALVES = {"": _l("Any time"), "morning": _l("In the morning"), "afternoon": _l("In the afternoon")}


def register(app: Flask) -> None:
    app.jinja_env.globals["wishes_in_words"] = in_words


def in_words(wishes: Wishes, *, with_spans: bool = True, brief: bool = False) -> str:
    """`from 4 to 15 January, on Monday or Tuesday, in the morning`."""
    day = short_day if brief else long_day
    parts = [
        str(_("from %(first)s to %(last)s", first=day(first), last=day(last)))
        for first, last in (wishes.spans if with_spans else ())
    ]
    said = [str(_(" or ")).join(parts)] if parts else []
    if wishes.weekdays:
        names = get_day_names("wide", locale=get_locale())
        said.append(str(_("on %(days)s", days=", ".join(names[day] for day in sorted(wishes.weekdays)))))
    if wishes.half:
        said.append(str(HALVES[wishes.half]).lower())
    return ", ".join(said) or str(_("any day, at any time"))
