"""What billing agents type about files, differences and debits given back."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length

from portal.web.fields import choices
from portal.web.forms import Form, Required


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class FileForm(Form):
    """A file of payments to read."""

    file = FileField(
        _l("File of payments"),
        [Required(_l("Choose a file"))],
        description=_l(
            "The CSV described in the documentation, or the accountant’s return (PES). Reading the same file again"
            " changes nothing."
        ),
    )


class DecideForm(Form):
    """An agent explains a difference, or closes it."""

    after = RadioField(
        _l("What is to be done?"),
        [Required(_l("Choose what is to be done"))],
        choices=choices(
            [
                ("explained", _l("It is explained: the day may be closed")),
                ("closed", _l("Nothing is left to do: close it")),
                ("open", _l("Look at it again later: leave it open")),
            ]
        ),
    )
    why = TextAreaField(
        _l("Why"),
        [Required(_l("Say why, in a few words")), Length(max=500, message=_l("Enter 500 characters at most"))],
        filters=[_stripped],
        description=_l("Seen by your colleagues and the accountant. No word about anybody’s health."),
    )


class RejectionForm(Form):
    """An agent records that a bank gave a debit order back."""

    entry = HiddenField(validators=[Required(_l("Choose the payment"))])
    note = StringField(
        _l("The accountant’s reference"),
        [
            Required(_l("Enter the accountant’s reference")),
            Length(max=100, message=_l("Enter 100 characters at most")),
        ],
        filters=[_stripped],
        description=_l("As it stands on the accountant’s or the bank’s notice."),
    )
