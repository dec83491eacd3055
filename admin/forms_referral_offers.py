"""What a unit takes by referral, as typed: rules, the urgency grid and the files asked, line by line."""

import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

import wtforms
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional

from portal.web.fields import choices
from portal.web.forms import EmailAddress, OnceForm, Required
from services.offer import specialities
from services.referrals import definition, wording
from services.referrals.actions.offers import OfferDraft
from services.referrals.definition import NotADefinition
from services.referrals.models import ReferralOffer

_LINES = 12
_LINE = Length(max=300, message=_l("300 characters at most."))
_AGE = NumberRange(0, 130, _l("Write an age between 0 and 130."))
_WORDS = {
    "label": _l("Name this line."),
    "when": _l("300 characters at most."),
    "answer_hours": _l("Write a number of hours between 1 and 2,160, or leave it empty: then one calls."),
    "no_written_level": _l("One level at least is answered in writing: give it a number of hours."),
    "twice": _l("Two lines have the same name: tell them apart."),
    "code": _l("Name this line with letters or digits."),
    "too_many": _l("12 lines at most."),
}


class LevelRow(wtforms.Form):
    """A degree of urgency. code: of a line that is there already."""

    code = HiddenField()
    label = StringField(_l("Name"), [_LINE])
    when = StringField(_l("When to choose it"), [_LINE])
    answer_hours = StringField(_l("Answered within (hours of business days)"), [Length(max=6)])


class FileRow(wtforms.Form):
    """A file that comes with the request."""

    code = HiddenField()
    label = StringField(_l("File"), [_LINE])
    required = BooleanField(_l("Needed"))


class OfferForm(OnceForm):
    """All the rules of an offer."""

    unit_id = SelectField(_l("Unit"), [Required(_l("Choose the unit."))])
    kind = SelectField(
        _l("What is asked"),
        [Required(_l("Choose what is asked."))],
        choices=choices((code, wording.KINDS[code]) for code in definition.KINDS),
    )
    name = StringField(_l("Name, as practitioners read it"), [Required(_l("Give it a name.")), Length(max=120)])
    presentation = TextAreaField(_l("What it is for"), [Optional(), Length(max=2000)])
    requires = TextAreaField(_l("What you need before"), [Optional(), Length(max=2000)])
    speciality = SelectField(_l("Speciality"), [Optional()])
    age_from = IntegerField(_l("From which age"), [Optional(), _AGE], default=0)
    age_to = IntegerField(_l("Up to which age"), [Optional(), _AGE], default=130)
    questionnaire = SelectField(_l("Your own questions"), [Optional()], description=_l("A published questionnaire."))
    levels = FieldList(FormField(LevelRow), max_entries=_LINES + 1)
    files = FieldList(FormField(FileRow), max_entries=_LINES + 1)
    usual_days = IntegerField(
        _l("Usual delay of the visit, in days"),
        [Optional(), NumberRange(0, 999, _l("Write a number of days between 0 and 999."))],
    )
    phone = StringField(
        _l("Telephone for what cannot wait"),
        [Optional(), Length(max=30)],
        description=_l("Shown wherever a practitioner could wait; the unit’s own when empty."),
    )
    escalate_to = StringField(
        _l("Who is told when nobody answered in time"),
        [Optional(), EmailAddress()],
        description=_l(
            "An e-mail address, of the head of the unit for instance. The mail says nothing of the request."
        ),
    )

    def offer(self, units: Iterable[Any], questionnaires: Iterable[Any]) -> None:
        """Where, and which questions may be chosen."""
        self.unit_id.choices = choices(
            (str(each.id), f"{each.establishment.short_name or each.establishment.name} – {each.name}")
            for each in units
        )
        self.speciality.choices = choices([("", _l("None in particular")), *specialities.every()])
        asked = {each.code: each.title for each in questionnaires}
        if self.questionnaire.data and self.questionnaire.data not in asked:
            asked[self.questionnaire.data] = self.questionnaire.data
        self.questionnaire.choices = choices([("", _l("None")), *asked.items()])

    def grow(self) -> None:
        """An empty line at the foot of each list."""
        for rows in (self.levels, self.files):
            if len(rows) < _LINES and (not len(rows) or (rows[-1].form.label.data or "").strip()):
                rows.append_entry()

    def draft(self, position: int = 0) -> OfferDraft | None:
        """The rules, or None: what is wrong is said beside its line."""
        levels, level_rows = self._levels()
        files, file_rows = self._files()
        if _checked(definition.levels, levels, level_rows) and _checked(definition.asked_files, files, file_rows):
            return self._draft(levels, files, position)
        return None

    def _levels(self) -> tuple[list[dict[str, Any]], list[Any]]:
        rows = [each.form for each in self.levels if (each.form.label.data or each.form.when.data or "").strip()]
        taken = {each.code.data for each in rows if each.code.data}
        return [_level(each, taken) for each in rows], rows

    def _files(self) -> tuple[list[dict[str, Any]], list[Any]]:
        rows = [each.form for each in self.files if (each.form.label.data or "").strip()]
        taken = {each.code.data for each in rows if each.code.data}
        return [
            {
                "code": each.code.data or new_code(each.label.data or "", taken),
                "label": (each.label.data or "").strip(),
                "required": each.required.data,
            }
            for each in rows
        ], rows

    def _draft(self, levels: list[dict[str, Any]], files: list[dict[str, Any]], position: int) -> OfferDraft | None:
        age_from = self.age_from.data or 0
        age_to = 130 if self.age_to.data is None else self.age_to.data
        if age_from > age_to:
            self.age_to.errors = [_l("Write an age that is not below the first one.")]
            return None
        words = {name: (self[name].data or "").strip() for name in _TEXTS}
        return OfferDraft(
            age_from=age_from,
            age_to=age_to,
            urgencies=tuple(levels),
            files=tuple(files),
            usual_days=self.usual_days.data,
            position=position,
            **words,
        )


_TEXTS = (
    "kind", "name", "presentation", "requires", "speciality", "questionnaire", "phone", "escalate_to",
)  # fmt: skip


def data_of(offer: ReferralOffer) -> dict[str, Any]:
    """What the form shows of rules that are there already."""
    kept = {name: getattr(offer, name) for name in (*_TEXTS, "age_from", "age_to", "usual_days")}
    return kept | {"unit_id": str(offer.unit_id), "levels": shown_levels(offer.levels), "files": list(offer.files)}


def shown_levels(levels: Iterable[definition.Level]) -> list[dict[str, Any]]:
    """A grid as the form has it: no hours means that one calls."""
    return [
        {"code": each.code, "label": each.label, "when": each.when, "answer_hours": str(each.answer_hours or "")}
        for each in levels
    ]


def without(posted: MultiDict[str, str], rows: str, rank: int) -> MultiDict[str, str]:
    """What was posted, but for one line of a list."""
    start = f"{rows}-{rank}-"
    return MultiDict([(name, value) for name, value in posted.items(multi=True) if not name.startswith(start)])


def new_code(label: str, taken: Collection[str]) -> str:
    """A code for a line, made of its name: unaccented, short, never one that is taken."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    base = "_".join("".join(sign if sign.isalnum() else " " for sign in plain).split())[:30] or "line"
    found, number = base, 2
    while found in taken:
        found, number = f"{base}_{number}", number + 1
    if isinstance(taken, set):
        taken.add(found)
    return found


def _level(row: Any, taken: set[str]) -> dict[str, Any]:
    typed = (row.answer_hours.data or "").strip()
    hours: Any = 0 if not typed else int(typed) if typed.isdecimal() and typed.isascii() and int(typed) else None
    return {
        "code": row.code.data or new_code(row.label.data or "", taken),
        "label": (row.label.data or "").strip(),
        "when": (row.when.data or "").strip(),
        "answer_hours": hours,
    }


def _checked(read: Any, lines: list[dict[str, Any]], rows: list[Any]) -> bool:
    if not lines:
        return True
    try:
        read(lines)
    except NotADefinition as wrong:
        row = rows[min(wrong.rank, len(rows) - 1)]
        name = {"when": "when", "answer_hours": "answer_hours", "no_written_level": "answer_hours"}.get(
            wrong.code, "label"
        )
        row[name].errors = [*row[name].errors, _WORDS[wrong.code]]
        return False
    return True
