"""What a payer copies from the hospital's letter."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from portal.web.fields import DateParts, EuroField
from portal.web.forms import Form, Required


def _clean(text: str | None) -> str | None:
    """What was typed without the spaces around it, nor the sign that PostgreSQL cannot hold."""
    return text.replace("\x00", "").strip() if text else text


_REFERENCE = {
    "label": _l("Reference of the bill"),
    "filters": [_clean],
    "description": _l("As it is written on the letter, for example F2026001234"),
}
_REFERENCE_RULES = (
    Required(_l("Enter the reference of the bill")),
    Length(max=64, message=_l("The reference has 64 letters and digits at most")),
)


class KeyForm(Form):
    """The reference and the key; these two names are what a QR code's script fills."""

    reference = StringField(validators=_REFERENCE_RULES, **_REFERENCE)
    access_key = StringField(
        _l("Payment key"),
        [
            Required(_l("Enter the payment key")),
            Length(max=64, message=_l("The payment key has 64 letters and digits at most")),
        ],
        filters=[_clean],
        description=_l("Letters and digits printed beside the reference; capitals and dashes do not matter"),
    )


class BirthForm(Form):
    """For letters that bear no key. Its names differ: both forms stand on one page."""

    class Meta:
        csrf = False  # checked for every post; two fields of that name on a page would share an id

    bill_reference = StringField(validators=_REFERENCE_RULES, **_REFERENCE)
    amount = EuroField(
        _l("Amount to pay, as printed on the letter"),
        [InputRequired(_l("Enter the amount printed on the letter"))],
        min_cents=1,
    )
    birth_on = DateParts(_l("The patient’s date of birth"), [InputRequired(_l("Enter the patient’s date of birth"))])
