"""What every step of a file is: its address, its words, its form, how its answers are told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext as _
from wtforms import HiddenField
from wtforms.validators import ValidationError

from portal.web.forms import Form
from services.preadmission.answers import Answers
from services.preadmission.asked import Facts
from services.preadmission.models import Preadmission

Rows = list[dict[str, Any]]

_PHONE = re.compile(r"\+?[0-9]{6,15}", re.ASCII)


class StepForm(Form):
    """A step's form. version: of the answers that the page shows, so that another device's are never overwritten.
    today: at the hospital."""

    version = HiddenField(default="0")
    today: date

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        """What the fields hold at first: the answers given, or what is known of the person already."""
        return {} if answers is None else dict(answers)

    def prepare(self, facts: Facts) -> None:
        """Fit choices and questions to this person."""

    def answers(self) -> Answers:
        """Of a valid form."""
        raise NotImplementedError

    def helps(self) -> bool:
        """Whether the button pressed only asks for help to fill the form in (find a town, a doctor), and gives it."""
        return False

    def version_read(self) -> int:
        read = self.version.data or ""
        return int(read) if read.isdecimal() else 0


@dataclass(frozen=True)
class Step:
    """code: of `answers.STEPS`. slug: end of the address, in French. desk_title: as an agent reads it about somebody
    else. rows: answers → what a summary tells (`ui.summary_list`); own_rows: what it tells the person themselves,
    when that is more."""

    code: str
    slug: str
    title: Any
    desk_title: Any
    form: type[StepForm]
    rows: Callable[[Any], Rows]
    lead: Any = ""
    own_rows: Callable[[Any], Rows] | None = None

    template: ClassVar[str] = "preadmission/steps/{}.html"

    @property
    def page(self) -> str:
        return self.template.format(self.code)


def told(*pairs: tuple[str, Any]) -> Rows:
    """Rows without those that have nothing to say."""
    return [{"key": key, "value": value} for key, value in pairs if value]


def phone_number(value: str | None) -> str:
    """A telephone number without the signs people put between digits."""
    return re.sub(r"[ .\-()\u00a0\u202f]", "", value or "")


def spelled_phone(number: str) -> str:
    """A French number in pairs, as people read it aloud: +33639980001 is 06 39 98 00 01. Others as they are."""
    home = re.fullmatch(r"(?:\+33|0)([1-9][0-9]{8})", number, re.ASCII)
    if home is None:
        return number
    digits = f"0{home[1]}"
    return "\u00a0".join(digits[at : at + 2] for at in range(0, 10, 2))


def check_phone(_form: Any, field: Any) -> None:
    """A validator. Empty is for `Optional` or `Required` to judge."""
    if field.data and not _PHONE.fullmatch(phone_number(field.data)):
        raise ValidationError(_("Write a telephone number, such as 06 12 34 56 78"))


def text(field: Any) -> str:
    """What was typed in a field, without spaces around."""
    return (field.data or "").strip()
