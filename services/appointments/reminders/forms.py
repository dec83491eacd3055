"""What people choose of reminders."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.validators import AnyOf

from portal.web.fields import choices
from portal.web.forms import Form, Required

USUAL, DISCREET, NONE = "usual", "discreet", "none"


class ChoiceForm(Form):
    """How much the portal's messages tell, or nothing at all."""

    how = RadioField(
        _l("Reminders of my appointments"),
        [Required(_l("Choose how we remind you")), AnyOf((USUAL, DISCREET, NONE), _l("Choose how we remind you"))],
        choices=choices(
            [
                (USUAL, _l("Remind me, with the time and the hospital")),
                (DISCREET, _l("Remind me discreetly: say neither when nor where")),
                (NONE, _l("Do not remind me")),
            ]
        ),
        validate_choice=False,
    )
