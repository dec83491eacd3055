"""What an identity unit types: a search, a decision with its reason, a beneficiary number."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import Length

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required

PROOFS = choices(
    [
        ("", _l("Choose")),
        ("identity_document", _l("Identity document seen at the desk")),
        ("civil_record", _l("Civil-status document received")),
        ("called_back", _l("Called back on the number of the file")),
        ("file_compared", _l("Hospital file compared")),
    ]
)
REFUSALS = choices(
    [
        ("", _l("Choose")),
        ("unknown", _l("Not known at this hospital")),
        ("traits", _l("Traits too different")),
        ("no_answer", _l("No answer to our call")),
        ("other", _l("Other")),
    ]
)
MISTAKES = choices(
    [
        ("", _l("Choose")),
        ("wrong_person", _l("Linked to somebody else’s file")),
        ("stolen_code", _l("Code or number used by somebody else")),
        ("asked", _l("Asked by the person")),
        ("other", _l("Other")),
    ]
)
_WHY = [Required(_l("Choose a reason"))]


class PatientSearchForm(Form):
    """A patient number, or a birth date with or without a name. A post: names stay out of addresses."""

    ipp = StringField(_l("Patient number (IPP)"), [Length(max=40)])
    name = StringField(_l("Birth name or name of use"), [Length(max=100)])
    birth_on = DateParts(_l("Birth date"))

    @property
    def asked(self) -> dict[str, Any] | None:
        """What to search, or None when nothing that narrows was given."""
        ipp, name = (self.ipp.data or "").strip(), (self.name.data or "").strip()
        born: date | None = self.birth_on.data
        return {"ipp": ipp, "name": name, "birth_on": born} if ipp or born else None


class LinkForm(OnceForm):
    """Which patient number, and what was checked."""

    ipp = StringField(_l("Patient number (IPP)"), [Required(_l("Write the patient number")), Length(max=40)])
    proof = SelectField(_l("What you checked"), _WHY, choices=PROOFS)


class RefusalForm(OnceForm):
    reason = SelectField(_l("Reason"), _WHY, choices=REFUSALS)


class UndoForm(OnceForm):
    reason = SelectField(_l("Reason"), _WHY, choices=MISTAKES)


class DecisionForm(OnceForm):
    """Two people, or one: what was checked."""

    proof = SelectField(_l("What you checked"), _WHY, choices=PROOFS)


class NirForm(Form):
    nir = StringField(
        _l("Beneficiary number (NIR)"),
        [Length(max=40)],
        description=_l("13 characters and a key of two digits; 2A or 2B in Corsica. Empty takes it away."),
    )


class RevealForm(Form):
    reason = StringField(
        _l("Why you need to see it"),
        [Required(_l("Write why")), Length(max=200, message=_l("200 characters at most"))],
        description=_l("Written in the journal, with your name"),
    )
