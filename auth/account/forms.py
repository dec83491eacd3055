"""The forms of the account's pages, and the hospital's answers to requests."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from auth.account.states import ANSWERS, KINDS
from auth.account.texts import Text
from auth.account.wording import REQUEST_KINDS
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required

LONGEST = 3000
_TOO_LONG = _l("Shorten this text: 3,000 characters at most.")


def agreement_form(due: Sequence[Text]) -> Form:
    """One box per text, never ticked beforehand. Its name holds the version: a text that changed meanwhile is asked
    for again."""
    boxes = {
        f"agree_{text.kind}_{text.version.replace('-', '_')}": BooleanField(
            text.promise, [InputRequired(_l("Tick the box to go on, or sign out."))]
        )
        for text in due
    }
    form: Form = type("AgreementForm", (Form,), boxes)()
    return form


class DataRequestForm(OnceForm):
    """What somebody asks of a hospital about their data."""

    kind = RadioField(
        _l("What do you ask for?"),
        [InputRequired(_l("Choose what you ask for."))],
        choices=choices([(kind, REQUEST_KINDS[kind]) for kind in KINDS]),
    )
    establishment = SelectField(_l("To which hospital?"), [Required(_l("Choose a hospital."))])
    what = TextAreaField(
        _l("Which data?"),
        [Required(_l("Say which data it is about.")), Length(max=LONGEST, message=_TOO_LONG)],
        description=_l("For example: my address, the letter of 3 March, the birth name on my file"),
    )
    why = TextAreaField(_l("Why?"), [Length(max=LONGEST, message=_TOO_LONG)])


class AnswerForm(Form):
    """The hospital's answer."""

    decision = RadioField(
        _l("Decision"),
        [InputRequired(_l("Choose a decision."))],
        choices=choices(list(zip(ANSWERS, (_l("Accept"), _l("Accept in part"), _l("Refuse")), strict=True))),
    )
    answer = TextAreaField(
        _l("What the person will read"),
        [Required(_l("Say what was done, or why not.")), Length(max=LONGEST, message=_TOO_LONG)],
        description=_l("What was done, or the reason of the refusal and how to contest it. No medical details."),
    )


class ExtendForm(Form):
    """Two more months, with a reason (GDPR, article 12.3)."""

    reason = TextAreaField(
        _l("Why more time is needed"),
        [Required(_l("The person must be told why.")), Length(max=LONGEST, message=_TOO_LONG)],
    )


def hospital_choices(names: Sequence[tuple[str, Any]]) -> list[Any]:
    """The hospitals of a request; nothing chosen beforehand when there are several."""
    first = [("", _l("Choose a hospital"))] if len(names) > 1 else []
    return choices([*first, *names])
