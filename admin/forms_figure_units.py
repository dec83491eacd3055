"""Which figure is told unit by unit, and what a file of it is for."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional

from portal.web.fields import choices
from portal.web.forms import Form


class UnitFigureForm(Form):
    """In the address."""

    class Meta:
        csrf = False

    figure = SelectField(_l("Figure"), [Optional()])

    def offer(self, figures: Mapping[str, str]) -> None:
        """figures: code → title. An unknown choice is the first one."""
        if self.figure.data not in figures:
            self.figure.data = next(iter(figures))
        self.figure.choices = choices((code, f"{title} ({code})") for code, title in figures.items())


class UnitForm(Form):
    """One unit of the hospital, or none, in the address."""

    class Meta:
        csrf = False

    unit = SelectField(_l("Unit"), [Optional()])
