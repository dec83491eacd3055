"""A page of figures kept under a name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import Length

from portal.web.fields import choices
from portal.web.forms import OnceForm, Required

LONGEST_NAME = 80


def _stripped(text: Any) -> Any:
    return " ".join(text.split()) if isinstance(text, str) else text


class ShareForm(OnceForm):
    """Who may open a view: oneself, or those who administer a hospital."""

    shared_with = SelectField(_l("Who may open it"))

    def offer(self, hospitals: Mapping[UUID, str]) -> None:
        """hospitals: those that it may be shared with."""
        pairs = [
            (str(place), _("The administrators of %(hospital)s", hospital=name)) for place, name in hospitals.items()
        ]
        self.shared_with.choices = choices([("", _("Me alone")), *pairs])

    @property
    def place(self) -> UUID | None:
        """The hospital that it is shared with; the validated form only."""
        return UUID(self.shared_with.data) if self.shared_with.data else None


class ViewForm(ShareForm):
    name = StringField(
        _l("Name of the view"),
        [Required(_l("Write a name")), Length(max=LONGEST_NAME, message=_l("Write 80 characters at most"))],
        filters=[_stripped],
    )
    starts = BooleanField(_l("Open my dashboard with this view"))
