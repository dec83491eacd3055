"""Fields that WTForms does not have: a day in three boxes, an amount in euros."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from babel.numbers import get_decimal_symbol
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import Field
from wtforms.fields import choices as wtforms_choices
from wtforms.validators import ValidationError
from wtforms.widgets import TextInput

PARTS = ("day", "month", "year")
MISSING = {
    "day": _l("The date must have a day"),
    "month": _l("The date must have a month"),
    "year": _l("The date must have a year"),
}
# Spaces people and keyboards put between thousands: plain, non-breaking, narrow non-breaking.
SPACES = re.compile("[\\s\u00a0\u202f]")
AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.ASCII)


def choices(pairs: Iterable[tuple[str, Any]]) -> list[Any]:
    """The choices of a list, of radio buttons or of boxes to tick, from (value, text) pairs."""
    # WTForms 3.3 deprecates bare pairs; the type stubs do not know its class for choices yet.
    choice: Any = getattr(wtforms_choices, "SelectChoice")  # noqa: B009 - the stubs lack it
    return [choice(value, label) for value, label in pairs]


class DateBoxes:
    """Bare boxes, for whoever prints the field without `ui.date`."""

    def __call__(self, field: "DateParts", **_attributes: Any) -> Markup:
        boxes = [
            Markup('<input type="text" id="{}-{}" name="{}-{}" value="{}">').format(
                field.id, part, field.name, part, field.typed[part]
            )
            for part in PARTS
        ]
        return Markup(" ").join(boxes)


YEARS = range(1800, 3000)
"""Nobody alive was born before, and nothing is planned after: days near the ends of the calendar have no eve, or no
moment in another zone."""


class DateParts(Field):
    """A day typed as three numbers, posted as `name-day`, `name-month`, `name-year`.

    `data` is a `date`, or None when nothing was typed or when it is not a day.
    """

    widget = DateBoxes()

    def __init__(self, label: Any = None, validators: list[Any] | None = None, **kwargs: Any) -> None:
        self.typed: dict[str, str] = dict.fromkeys(PARTS, "")
        self._refused: frozenset[str] = frozenset()
        super().__init__(label, validators, **kwargs)

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        self._posted = formdata
        super().process(formdata, *args, **kwargs)

    def process_data(self, value: date | None) -> None:
        self.data = value
        if value is not None:
            self.typed = {part: str(getattr(value, part)) for part in PARTS}

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        posted = self._posted
        if not any(f"{self.name}-{part}" in posted for part in PARTS):
            return
        self.typed = {part: str(posted.get(f"{self.name}-{part}", "")).strip() for part in PARTS}
        # InputRequired and Optional look here to know whether anything was typed.
        self.raw_data = ["-".join(self.typed.values())] if any(self.typed.values()) else []
        self.data = None
        if self.raw_data:
            self.data = self._read()

    def _read(self) -> date:
        if empty := [part for part in PARTS if not self.typed[part]]:
            self._refused = frozenset(empty)
            raise ValueError(MISSING[empty[0]])
        if wrong := [part for part in PARTS if not _is_number(part, self.typed[part])]:
            self._refused = frozenset(wrong)
            raise ValueError(_("Write the date in numbers, with four of them for the year"))
        try:
            year, month, day = (int(self.typed[part]) for part in reversed(PARTS))
            if year not in YEARS:
                raise ValueError
            return date(year, month, day)
        except ValueError as refusal:  # 31 February, year 0
            self._refused = frozenset(PARTS)
            raise ValueError(_("This day does not exist: check the date")) from refusal

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        # "Fill in this answer" must not replace the reason why what was typed is not a day.
        if self.process_errors:
            self.errors = list(self.process_errors)

    @property
    def bad_parts(self) -> frozenset[str]:
        """The boxes to mark: those at fault, or all three when another rule refused the whole day."""
        return self._refused or (frozenset(PARTS) if self.errors else frozenset())

    @property
    def error_id(self) -> str:
        """Where a link of the error summary goes: the first box at fault."""
        return f"{self.id}-{next((part for part in PARTS if part in self.bad_parts), 'day')}"


def _is_number(part: str, text: str) -> bool:
    return text.isdecimal() and (len(text) == 4 if part == "year" else len(text) <= 2)


class EuroField(Field):
    """An amount of money; `data` is an int, in cents. `12`, `12,5`, `12.50`, `1 234,56 €` are read.

    No float takes part, and `1.234` (a thousand? one and a quarter?) is refused rather than guessed.
    """

    widget = TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: list[Any] | None = None,
        *,
        min_cents: int | None = None,
        max_cents: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.min_cents, self.max_cents = min_cents, max_cents

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        text = SPACES.sub("", valuelist[0]).removesuffix("€") if valuelist else ""
        self.data = None
        if text:
            self.data = self._read(text)

    def _read(self, text: str) -> int:
        amount = AMOUNT.fullmatch(text)
        if amount is None:
            raise ValueError(_("Write an amount in euros, such as %(example)s", example=_shown(1250)))
        euros, cents = amount.groups(default="")
        return int(euros) * 100 + int(cents.ljust(2, "0"))

    def pre_validate(self, form: Any) -> None:
        if self.data is None:
            return
        if self.min_cents is not None and self.data < self.min_cents:
            raise ValidationError(_("The amount must be at least %(amount)s €", amount=_shown(self.min_cents)))
        if self.max_cents is not None and self.data > self.max_cents:
            raise ValidationError(_("The amount must be at most %(amount)s €", amount=_shown(self.max_cents)))

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.process_errors:
            self.errors = list(self.process_errors)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else _shown(self.data)


def _shown(cents: int) -> str:
    """An amount as people of the page's language type it: `12,50` in French."""
    return f"{cents // 100}{get_decimal_symbol(get_locale() or 'fr')}{cents % 100:02d}"
