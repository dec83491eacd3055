"""What members type. Texts are looked through for marks of a patient before anything is kept."""

import re
from typing import Any, ClassVar
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from stdnum import luhn
from wtforms import BooleanField, EmailField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.communities import identifiers, rights, wording
from services.communities.actions.inviting import Invitee

MOST_INVITED = 50


def _trimmed(value: str | None) -> str | None:
    return re.sub(r"\r\n?", "\n", value).strip() if value else value


class CheckedForm(OnceForm):
    """A form whose texts name no patient: a number with its key refuses them; a doubt asks to be looked at.

    Nothing typed is ever lost: the page comes back with it. doubts: what `wording.doubts` says of it.
    """

    CHECKED: ClassVar[tuple[str, ...]] = ("body",)
    certain = BooleanField(_l("I have looked: no patient can be recognised in it"))
    doubts: list[dict[str, Any]]

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        self.doubts = []
        for name in self.CHECKED:
            valid = self._names_nobody(self[name]) and valid
        if self.doubts and valid and not self.certain.data:
            self.certain.errors = [*self.certain.errors, _("Look at what we found, then tick this box or change it.")]
            return False
        return valid

    @property
    def asks_to_be_certain(self) -> bool:
        """Whether the box is shown."""
        return bool(getattr(self, "doubts", []))

    def _names_nobody(self, field: Any) -> bool:
        text = field.data or ""
        marks = identifiers.found(text)
        if identifiers.refused(marks):
            field.errors = [
                *field.errors,
                _("There is a patient’s number in it (INS or social security). Take it out: nothing about an"
                  " identified patient is written here."),
            ]  # fmt: skip
            return False
        self.doubts += wording.doubts(marks, text)
        return True


class AnswerForm(CheckedForm):
    body = TextAreaField(
        _l("Your message"),
        [Required(_l("Write your message.")), Length(max=8000, message=_l("At most 8,000 characters."))],
        filters=[_trimmed],
    )


class TopicForm(AnswerForm):
    CHECKED = ("title", "body")
    title = StringField(
        _l("Subject"),
        [Required(_l("Say what it is about.")), Length(max=150, message=_l("At most 150 characters."))],
        filters=[_trimmed],
    )
    theme = SelectField(_l("Theme"), [Optional()], validate_choice=True)

    def offer_themes(self, themes: Any) -> None:
        self.theme.choices = choices([("", _("No theme")), *((str(each.id), each.name) for each in themes)])

    def has_theme(self, theme: str) -> bool:
        """Whether it is one of those offered."""
        offered: list[Any] = list(self.theme.choices or [])
        return any(choice.value == theme for choice in offered)

    @property
    def theme_id(self) -> UUID | None:
        return UUID(self.theme.data) if self.theme.data else None


class AnnouncementForm(TopicForm):
    body = TextAreaField(
        _l("Announcement"),
        [Required(_l("Write the announcement.")), Length(max=8000, message=_l("At most 8,000 characters."))],
        filters=[_trimmed],
    )
    starts_on = DateParts(_l("First day it is about"), [Optional()])
    ends_on = DateParts(_l("Last day"), [Optional()])
    pinned = BooleanField(_l("Keep it at the top"))

    def offer_themes(self, themes: Any) -> None:
        self.theme.label.text = _("Who is told")
        everybody = ("", _("All members"))
        named = ((str(each.id), _("Subscribers of “%(theme)s”", theme=each.name)) for each in themes)
        self.theme.choices = choices([everybody, *named])

    def validate_ends_on(self, field: Any) -> None:
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day comes before the first one."))


class ReportForm(Form):
    kind = RadioField(_l("Why do you report it?"), [InputRequired(_l("Choose a reason."))])
    words = TextAreaField(
        _l("What moderators should know"),
        [Optional(), Length(max=1000, message=_l("At most 1,000 characters."))],
        filters=[_trimmed],
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kind.choices = choices(list(wording.REPORTS.items()))


class ReasonForm(Form):
    reason = TextAreaField(
        _l("Reason, which the author reads"),
        [Required(_l("Say why, so that the author understands.")), Length(max=1000)],
        filters=[_trimmed],
    )


class KeepForm(Form):
    reason = StringField(_l("A word for whoever reported it"), [Optional(), Length(max=300)], filters=[_trimmed])


class JoinForm(OnceForm):
    calling = StringField(
        _l("What you do, as members will read it"),
        [Optional(), Length(max=120, message=_l("At most 120 characters."))],
        filters=[_trimmed],
        description=_l("For instance: family doctor in Saint-Aubin, heart failure nurse"),
    )
    agreed = BooleanField(
        _l("I have read the charter and accept it"),
        [InputRequired(_l("Read the charter and accept it to come in."))],
    )
    version = HiddenField()


class CharterForm(OnceForm):
    agreed = BooleanField(
        _l("I have read the charter and accept it"), [InputRequired(_l("Accept the charter to go on."))]
    )
    version = HiddenField()


class PlaceForm(Form):
    calling = StringField(
        _l("What you do, as members read it"),
        [Optional(), Length(max=120, message=_l("At most 120 characters."))],
        filters=[_trimmed],
    )
    notify = RadioField(_l("By message, tell me of"), [InputRequired()])

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.notify.choices = choices(list(wording.NOTIFY.items()))


class RoleForm(Form):
    role = SelectField(_l("Role in the community"), [InputRequired()])

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.role.choices = choices([(role, wording.ROLES[role]) for role in rights.ROLES])


class InviteForm(OnceForm):
    people = TextAreaField(
        _l("E-mail addresses or RPPS numbers, one on each line"),
        [Required(_l("Write one address or number at least."))],
    )
    role = RadioField(_l("Role in the community"), [InputRequired(_l("Choose a role."))], default=rights.MEMBER)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.role.choices = choices([(role, wording.ROLES[role]) for role in rights.ROLES])

    def validate_people(self, field: Any) -> None:
        lines = self.lines()
        if len(lines) > MOST_INVITED:
            raise ValidationError(_("At most %(most)s people at a time.", most=MOST_INVITED))
        wrong = [line for line in lines if not (_is_email(line) or is_rpps(line))]
        if wrong:
            raise ValidationError(
                _("Neither an e-mail address nor an RPPS number: %(lines)s", lines=", ".join(wrong[:5])[:200])
            )

    def lines(self) -> list[str]:
        """Each address or number once."""
        typed = (re.sub(r"[\s\u00a0\u202f]+", "", line) for line in re.split(r"[\n,;]", self.people.data or ""))
        return list(dict.fromkeys(line.lower() for line in typed if line))

    def invitees(self) -> list[Invitee]:
        return [Invitee(rpps=line) if is_rpps(line) else Invitee(email=line) for line in self.lines()]


class CommunityForm(OnceForm):
    """name, purpose: what somebody invited reads before saying yes."""

    name = StringField(
        _l("Name"), [Required(_l("Give it a name.")), Length(max=120, message=_l("At most 120 characters."))],
        filters=[_trimmed],
    )  # fmt: skip
    purpose = TextAreaField(
        _l("What it is for"),
        [Required(_l("Say what it is for: whoever is invited reads it.")), Length(max=1000)],
        filters=[_trimmed],
    )


class NewCommunityForm(CommunityForm):
    establishment = SelectField(_l("Hosted by"), [InputRequired()])
    kind = RadioField(_l("Kind"), [InputRequired(_l("Choose a kind."))], default="cpts")
    charter = TextAreaField(
        _l("Charter"), [Required(_l("Write the charter.")), Length(max=20_000)], filters=[_trimmed],
        description=_l("Each member accepts it before anything else is shown. Animators may change it later."),
    )  # fmt: skip
    email = EmailField(
        _l("E-mail address of the first animator"),
        [Required(_l("Name somebody to run it.")), EmailAddress()],
        filters=[_trimmed],
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kind.choices = choices(list(wording.KINDS.items()))


class AnimatorForm(OnceForm):
    email = EmailField(
        _l("E-mail address of the animator"), [Required(_l("Write an address.")), EmailAddress()], filters=[_trimmed]
    )


class WriteCharterForm(OnceForm):
    charter = TextAreaField(_l("Charter"), [Required(_l("Write the charter.")), Length(max=20_000)], filters=[_trimmed])


class ThemeForm(OnceForm):
    name = StringField(_l("Name of the theme"), [Required(_l("Give it a name.")), Length(max=80)], filters=[_trimmed])
    description = StringField(_l("What goes there"), [Optional(), Length(max=200)], filters=[_trimmed])


def _is_email(text: str) -> bool:
    return (
        len(text) <= 254
        and re.fullmatch(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+", text) is not None
    )


def is_rpps(text: str) -> bool:
    """Eleven digits whose last one is right."""
    return re.fullmatch(r"[0-9]{11}", text) is not None and bool(luhn.is_valid(text))
