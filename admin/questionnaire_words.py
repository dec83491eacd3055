"""What changed between two versions of a questionnaire, in words."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.questionnaires import wording
from services.questionnaires.definition.differences import Change
from services.questionnaires.definition.items import Alert, Definition, Item

LANGUAGES: Mapping[str, str] = {"fr": "Français", "en": "English", "es": "Español", "ar": "العربية"}
"""Those in which a questionnaire may be written, in their own words."""
_SAID: Mapping[str, Any] = {
    "title": _l("The title was “%(before)s”, and is “%(after)s”"),
    "description": _l("What it is for was “%(before)s”, and is “%(after)s”"),
    "minutes": _l("Minutes to answer it: %(before)s before, %(after)s now"),
    "added": _l("Is new"),
    "removed": _l("Is not asked any more"),
    "moved": _l("Is at another place"),
    "text": _l("Was worded “%(before)s”"),
    "translation": _l("In %(about)s: “%(before)s” before, “%(after)s” now"),
    "kind": _l("Type: %(before)s before, %(after)s now"),
    "required": _l("An answer is needed: %(before)s before, %(after)s now"),
    "repeats": _l("Several choices may be ticked: %(before)s before, %(after)s now"),
    "max_length": _l("Signs at most: %(before)s before, %(after)s now"),
    "lowest": _l("The least that can be: %(before)s before, %(after)s now"),
    "highest": _l("The most that can be: %(before)s before, %(after)s now"),
    "unit": _l("Unit: %(before)s before, %(after)s now"),
    "alert": _l("Alert: %(before)s before, %(after)s now"),
    "option_added": _l("The choice “%(about)s” is new"),
    "option_removed": _l("The choice “%(about)s” is not offered any more"),
    "option_text": _l("The choice “%(about)s” was worded “%(before)s”"),
    "option_alert": _l("The choice “%(about)s” is an alert: %(before)s before, %(after)s now"),
    "options_order": _l("Choices are in another order"),
    "conditions": _l("Shown: %(before)s before; %(after)s now"),
}


def said(change: Change, former: Definition, latter: Definition) -> str:
    """One change, without the item it is about."""
    if change.what == "conditions":
        before, after = _when(former, change.before), _when(latter, change.after)
    elif change.what == "kind":
        before, after = str(wording.KINDS[change.before]), str(wording.KINDS[change.after])
    else:
        before, after = _shown(change.before), _shown(change.after)
    about = LANGUAGES.get(change.about, change.about)
    return str(_SAID[change.what]) % {"before": before, "after": after, "about": about}


def _when(definition: Definition, item: Item) -> str:
    return wording.conditions_in_words(definition, item) or str(_("always"))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, Alert):
        return _alert(value)
    if isinstance(value, (int, Decimal)):
        return wording.number(value)
    if isinstance(value, date):
        return str(format_date(value, "long"))
    return str(value) if value else str(_("nothing"))


def _alert(alert: Alert) -> str:
    said = [
        str(_("yes") if alert.answer else _("no")) if alert.answer is not None else "",
        str(_("below %(bound)s", bound=wording.number(alert.below))) if alert.below is not None else "",
        str(_("above %(bound)s", bound=wording.number(alert.above))) if alert.above is not None else "",
    ]
    return ", ".join(filter(None, said))
