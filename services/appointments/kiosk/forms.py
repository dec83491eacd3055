"""What is scanned, typed and touched at a terminal."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField
from wtforms.validators import Length

from portal.web.fields import choices
from portal.web.forms import Form, Required
from services.appointments.kiosk.wording import months

_DAYS = [(str(number), str(number)) for number in range(1, 32)]


class CodeForm(Form):
    """A scanner types the code and ends it with Enter; people type the reference."""

    code = StringField(
        _l("Scan the code of your appointment, or type its reference"),
        [Required(_l("Scan the code, or type the reference of your appointment")), Length(max=80)],
    )


class BirthForm(Form):
    """Who stands there? The year is not asked: others may look on."""

    code = HiddenField(validators=[Required(), Length(max=80)])
    day = RadioField(_l("Day"), [Required(_l("Touch the day"))], choices=choices(_DAYS))
    month = RadioField(_l("Month"), [Required(_l("Touch the month"))])

    def offer(self) -> None:
        self.month.choices = choices(months())


class ActivationForm(Form):
    """Typed once, by an agent, when the terminal is put in service."""

    code = StringField(
        _l("Code of the terminal"),
        [Required(_l("Type the code that the administrator gave you")), Length(max=20)],
        description=_l("Eight signs, good for half an hour."),
    )
