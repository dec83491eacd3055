"""One setting of a hospital, in a form made for it."""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectField, StringField
from wtforms.validators import Length, Regexp, ValidationError

from admin.settings_catalogue import Setting
from portal.web.fields import choices
from portal.web.forms import EmailAddress, Form
from services.documents.reading import viewer

_TELEPHONE = re.compile(r"[0-9+(). ]{2,30}", re.ASCII)
_URI = re.compile(r"(urn:[a-z0-9][a-z0-9-]+:|https://)[!-~]{1,200}", re.ASCII | re.IGNORECASE)
_LOINC = re.compile(r"[0-9A-Za-z_-]{3,20}", re.ASCII)


def form_of(setting: Setting) -> type[Form]:
    """A form whose field `value` takes what this setting may hold; empty: no value of its own."""
    return type("SettingForm", (Form,), {"value": _field(setting)})


def _field(setting: Setting) -> Field:
    if setting.kind == "choice":
        listed = [("", _l("As by default: %(value)s", value=setting.default or "–")), *setting.choices.items()]
        return SelectField(setting.title, choices=choices(listed), description=setting.help)
    return StringField(
        setting.title,
        [Length(max=1000), Regexp(r"^[^\x00-\x1f]*$"), lambda _form, field: _check(setting, field.data or "")],
        filters=[lambda text: (text or "").strip()],
        description=setting.help,
    )


def _check(setting: Setting, value: str) -> None:
    if not value:
        return
    if setting.kind == "number":
        _check_number(setting, value)
    elif setting.kind in _CHECKS:
        _CHECKS[setting.kind](value)


def _check_number(setting: Setting, value: str) -> None:
    is_number = value.isascii() and value.isdecimal() and len(value) <= 10
    if not (is_number and setting.least <= int(value) <= setting.most):
        told = _("Write a whole number from %(least)d to %(most)d", least=setting.least, most=setting.most)
        raise ValidationError(told)


def _check_email(value: str) -> None:
    EmailAddress()(None, _Written(value))


def _check_phone(value: str) -> None:
    if not _TELEPHONE.fullmatch(value):
        raise ValidationError(_("Write a telephone number: digits, spaces and + only."))


def _check_viewer(value: str) -> None:
    if not viewer.is_template(value):
        raise ValidationError(_("Write an https address that holds {accession} or {study}"))


def _check_uri(value: str) -> None:
    if not _URI.fullmatch(value):
        raise ValidationError(_("Write a URI that begins with urn: or https://"))


def _check_code(value: str) -> None:
    if not _LOINC.fullmatch(value):
        raise ValidationError(_("Write a code such as 11488-4"))


def _check_uuid(value: str) -> None:
    try:
        UUID(value)
    except ValueError as error:
        raise ValidationError(_("Copy the identifier at the end of the address of the reason’s page")) from error


_CHECKS: Mapping[str, Callable[[str], None]] = {
    "email": _check_email,
    "phone": _check_phone,
    "https": _check_viewer,
    "uri": _check_uri,
    "loinc": _check_code,
    "uuid": _check_uuid,
}


class _Written:
    """What the shared validator of addresses looks at."""

    def __init__(self, data: str) -> None:
        self.data = data
