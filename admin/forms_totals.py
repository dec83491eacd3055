"""What a hospital says of one of its months, and a file of many."""

from collections.abc import Iterator
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import FileField, IntegerField
from wtforms.validators import ValidationError
from wtforms.widgets import TextInput

from admin.total_words import HINTS, LABELS
from portal.kpi.hospital_totals import CODES, MOST
from portal.web.fields import EuroField
from portal.web.forms import Form

MAX_BYTES: Final = 2 * 1024 * 1024
"""Whoever sends a file waits for its report; larger ones are for the command line."""


class NumberField(IntegerField):
    """A whole number, zero or more; `data` is None when nothing is written. `1 234` is read."""

    widget = TextInput()  # a browser empties its own number field of what is no number, and of spaces

    def process_formdata(self, valuelist: list[Any]) -> None:
        written, self.data = "".join((valuelist[0] if valuelist else "").split()), None
        if written and not (written.isascii() and written.isdigit() and int(written) <= MOST):
            raise ValueError(_l("Write a whole number, such as 1234"))
        self.data = int(written) if written else None


def _field(code: str) -> Any:
    if code.endswith("_cents"):
        return EuroField(LABELS[code], description=HINTS[code], min_cents=0, max_cents=MOST)
    return NumberField(LABELS[code], description=HINTS[code])


class MonthForm(Form):
    """One month of one hospital: what is left empty is not said."""

    consultations_booked = _field("consultations_booked")
    open_reasons_booked = _field("open_reasons_booked")
    stays_planned = _field("stays_planned")
    bills_issued = _field("bills_issued")
    bills_issued_cents = _field("bills_issued_cents")
    active_patients = _field("active_patients")

    def validate_open_reasons_booked(self, field: Any) -> None:
        whole = self.consultations_booked.data
        if isinstance(whole, int) and isinstance(field.data, int) and field.data > whole:
            raise ValidationError(_l("This is more than all the appointments for consultations"))

    def totals(self) -> Iterator[tuple[str, int]]:
        """Code and value of what was written."""
        for code in CODES:
            if self[code].data is not None:
                yield code, self[code].data


class FileForm(Form):
    """A CSV file of totals."""

    file = FileField(
        _l("File of totals"),
        description=_l(
            "CSV with the columns finess, code, day, grain and value, separated by semicolons, 2 MB at most"
        ),
    )
