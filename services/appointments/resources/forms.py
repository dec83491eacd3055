"""What an agent says of rooms, devices and interpreters."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import Length, Regexp

from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.forms import OnceForm, Required
from services.appointments.resources.wording import KINDS

_NO_CONTROLS = r"^[^\x00-\x1f]*$"


def _name(label: Any, missing: Any, hint: Any = "") -> StringField:
    return StringField(
        label,
        [
            Required(missing),
            Length(max=100, message=_l("Write %(count)s characters at most", count="100")),
            Regexp(_NO_CONTROLS, message=_l("Write plain text")),
        ],
        filters=[lambda text: " ".join((text or "").split())],
        description=hint,
    )


class PoolForm(OnceForm):
    """Resources that stand for one another."""

    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    kind = RadioField(_l("What they are"), [Required(_l("Choose what they are"))], choices=choices(KINDS.items()))
    name = _name(
        _l("Name"),
        _l("Give them a name"),
        _l("What stands for one another, such as “Ultrasound scanners” or “Interpreters, Arabic”"),
    )

    def offer(self, hospitals: Sequence[Establishment]) -> None:
        self.establishment.choices = choices((str(each.id), each.name) for each in hospitals)
        if len(hospitals) == 1 and not self.establishment.data:
            self.establishment.data = str(hospitals[0].id)


class NameForm(OnceForm):
    """One resource, or another name."""

    name = _name(_l("Name"), _l("Give it a name"), _l("Such as “Room 12” or “Scanner 2”"))
