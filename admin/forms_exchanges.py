"""What agents and administrators type about exchanges: telling again, the hospital's system, a subscription."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length, StopValidation

from portal import calendar
from portal.gateways import UnsupportedUrl, his, webhooks
from portal.gateways.reach import Inside
from portal.web.fields import DateParts, choices
from portal.web.forms import INSIDE, Form, OnceForm, Required
from services.appointments.exchanges import states, wording
from services.exchanges import dialect
from services.exchanges.dialect import NotADialect
from services.preadmission.exchanges import states as stay_states
from services.preadmission.exchanges import wording as stay_words
from services.referrals import followers


class ReplayForm(OnceForm):
    """To whom, and from which day on."""

    follower = SelectField(_l("To whom"), [Required(_l("Choose to whom"))])
    day = DateParts(_l("Changes of this day"), [Required(_l("Give a day"))])
    reach = RadioField(
        _l("Which changes"),
        [Required(_l("Choose which changes"))],
        choices=choices([("since", _l("That day and since")), ("day", _l("That day alone"))]),
        default="since",
    )

    def span(self, tz: ZoneInfo) -> tuple[datetime, datetime | None]:
        """From when, and until when."""
        day = self.day.data
        since = calendar.to_utc(day, time(), tz) or datetime.combine(day, time(), tz)
        return since, since + timedelta(days=1) if self.reach.data == "day" else None


class HisForm(Form):
    """Where the hospital's system listens, and how it writes our codes."""

    url = StringField(
        _l("Address of the hospital’s system"),
        [Length(max=300)],
        description=_l("mllp://name:port, mllps://name:port under TLS, or none: when there is none"),
    )
    codes = TextAreaField(
        _l("Its codes"),
        [Length(max=200_000)],
        description=_l("A JSON document; the documentation lists what it may hold. Empty: our own codes are sent."),
    )

    stays = RadioField(
        _l("How it takes pre-admissions"),
        [Required(_l("Say how it takes pre-admissions"))],
        choices=choices(stay_words.FORMATS.items()),
        default=stay_states.NONE,
    )

    def validate_url(self, field: StringField) -> None:
        """An address that the door opens; a folder of this machine is for its operators."""
        field.data = (field.data or "").strip() or "none:"
        if field.data.startswith("folder:") and field.data != field.object_data:
            raise StopValidation(_l("A folder is set by operators: parvis establishment set … his_url"))
        try:
            (his.connect if field.data == field.object_data else his.check)(field.data)
        except Inside as error:
            raise StopValidation(INSIDE) from error
        except UnsupportedUrl as error:
            raise StopValidation(
                _l("This address cannot be opened: mllp://name:port, mllps://name:port or none:")
            ) from error

    def validate_codes(self, field: TextAreaField) -> None:
        """Codes that we understand."""
        try:
            dialect.read(field.data or "")
        except NotADialect as error:
            raise StopValidation(_l("These codes are not understood: %(reason)s", reason=str(error))) from error


class SubscriptionForm(OnceForm):
    """A system that is told of appointments."""

    anywhere = False
    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    name = StringField(
        _l("Name of the system"),
        [Required(_l("Name the system")), Length(max=100)],
        description=_l("As the journal will call it, such as “Territory’s agenda”"),
    )
    url = StringField(
        _l("Address to call"),
        [Required(_l("Give the address to call")), Length(max=1000)],
        description=_l("It begins with https:// and is reached from the Internet"),
    )
    events = SelectMultipleField(
        _l("What it is told"),
        [Required(_l("Choose one event at least"))],
        choices=choices(
            [*((event, wording.EVENTS[event]) for event in states.WEBHOOK_EVENTS), *followers.WORDS.items()]
        ),
    )

    def validate_url(self, field: StringField) -> None:
        """Public, and under TLS."""
        field.data = (field.data or "").strip()
        try:
            webhooks.checked(field.data, anywhere=self.anywhere)
        except Inside as error:
            raise StopValidation(INSIDE) from error
        except UnsupportedUrl as error:
            raise StopValidation(
                _l("The address must begin with https://, hold no password, and be reached from the Internet")
            ) from error


def offer_hospitals(form: Any, hospitals: Any) -> None:
    """The hospitals among which one chooses."""
    form.establishment.choices = choices((each.finess, each.name) for each in hospitals)
