"""Sending a file of bills from the back office."""

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FileField, SelectField

from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.forms import Form

MAX_BYTES = 10 * 1024 * 1024
"""Whoever sends a file waits for its report; larger ones are for the command line, at night."""


class ImportForm(Form):
    """A CSV file of bills, or titres in PES v2."""

    file = FileField(
        _l("File of bills"),
        description=_l("CSV as the documentation describes it, or titres in PES v2 (XML), 10 MB at most"),
    )
    establishment_id = SelectField(
        _l("Hospital of the titres"),
        description=_l("For a PES file only, when it does not name its hospital"),
        default="",
    )
    ref_tiers_is_ipp = BooleanField(
        _l("In this PES file, the debtor’s reference (RefTiers) is the patient’s number (IPP)"),
        description=_l("Only if your billing system says so: with another number, bills would reach other patients."),
    )

    def offer(self, hospitals: Iterable[Establishment]) -> None:
        named = ((str(each.id), each.name) for each in hospitals)
        self.establishment_id.choices = choices([("", _l("The file says it")), *named])
