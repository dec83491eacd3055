"""The form with which an agent opens an account on an identity document."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired

from portal.web.fields import choices
from portal.web.forms import OnceForm

DOCUMENTS = {
    "identity_card": _l("French identity card"),
    "passport": _l("Passport"),
    "residence_permit": _l("Residence permit"),
    "other_european": _l("Identity card of another European country"),
    "guardian": _l("Document of the parent, guardian or curator, with the judgement or family record book"),
}


class DeskAccountForm(OnceForm):
    """Which document, and that it was compared with the person and the record."""

    document = RadioField(
        _l("Document checked"),
        choices=choices(DOCUMENTS.items()),
        validators=[InputRequired(_l("Choose the document you have checked."))],
    )
    compared = BooleanField(
        _l("The person is here; the document, their face and the traits above agree"),
        validators=[InputRequired(_l("Compare the document with the person and with the traits."))],
    )
