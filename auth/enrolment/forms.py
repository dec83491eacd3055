"""What a person types to be linked to a hospital."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length

from portal.web.forms import Form, Required


class ProofForm(Form):
    """A code, an invoice number or a file number: one box, so that nobody needs to know which one they have."""

    proof = StringField(
        _l("Code or number"),
        [Required(_l("Write the code or the number")), Length(max=60, message=_l("Check the number: it is too long"))],
        description=_l(
            "The code of the hospital’s letter, or a number on its papers: invoice number, pre-admission number"
        ),
    )
