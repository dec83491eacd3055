"""What is printed on a receipt or a certificate, typed again."""

import re

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length

from portal.web.forms import Form, Required


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class VerifyForm(Form):
    """The number and the code printed on a document."""

    class Meta:
        csrf = False  # a search: nothing is changed, and the address can be shared

    number = StringField(
        _l("Number"),
        [Required(_l("Enter the number of the document")), Length(max=40)],
        filters=[_stripped],
        description=_l("For example, 2026-000042 for a receipt, A2026-000042 for a certificate"),
    )
    code = StringField(
        _l("Verification code"),
        [Required(_l("Enter the verification code")), Length(max=40)],
        filters=[_stripped],
        description=_l("Ten letters and digits, printed on the document"),
    )

    @property
    def plain_number(self) -> str:
        return "".join((self.number.data or "").split()).upper()

    @property
    def plain_code(self) -> str:
        """The code without what makes it easy to read, or does not belong in one."""
        return re.sub("[^A-Z0-9]", "", (self.code.data or "").upper())
