"""What payers ask and what agents answer."""

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from portal.web.fields import choices
from portal.web.forms import OnceForm, Required
from services.billing.questions import wording
from services.billing.questions.states import KINDS

LONGEST = 2000
_NUMBER = re.compile(r"\d(?:[ .\-]?\d){12,}")


def plain_words(_form: Any, field: Any) -> None:
    """Words a person reads: no control character, and no number that could be a card's or an account's."""
    text = field.data or ""
    if any(ord(character) < 32 and character not in "\r\n\t" for character in text):
        raise ValidationError(_("Write plain text."))
    if _NUMBER.search(text):
        raise ValidationError(_("Write no card, bank account or social security number here."))


_LENGTH = Length(max=LONGEST, message=_l("Write 2,000 characters at most."))


class AskForm(OnceForm):
    kind = RadioField(
        _l("What is it about?"),
        [Required(_l("Choose what it is about"))],
        choices=choices((code, wording.KINDS[code]) for code in KINDS),
    )
    text = TextAreaField(
        _l("Your message to the billing office"),
        [Required(_l("Write your message")), _LENGTH, plain_words],
        description=_l("Say nothing of your health: the billing office does not need it."),
    )


class GoOnForm(OnceForm):
    text = TextAreaField(
        _l("Write again"),
        [Required(_l("Write your message")), _LENGTH, plain_words],
        description=_l("Say nothing of your health: the billing office does not need it."),
    )


class AnswerForm(OnceForm):
    """An agent's. version: what the answer was written from."""

    version = HiddenField()
    text = TextAreaField(
        _l("Your answer"),
        [Required(_l("Write the answer")), _LENGTH, plain_words],
        description=_l("Plain words, nothing about health. The payer reads it in their space, under your name."),
    )
    closes = BooleanField(_l("Nothing is left to say: close the question"))


class TemplateForm(OnceForm):
    kind = SelectField(_l("For which questions"), choices=choices([("", _l("All")), *wording.KINDS.items()]))
    title = StringField(_l("Title, for agents"), [Required(_l("Write a title")), Length(max=100)])
    body = TextAreaField(_l("What the payer reads"), [Required(_l("Write the answer")), _LENGTH, plain_words])
