"""What is wrong in a questionnaire's file, in its author's words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.questionnaires.definition.parsing import Fault

FAULTS: Mapping[str, Any] = {
    "no_file": _l("Choose a file"),
    "too_big": _l("The file is too big: 256 KB at most"),
    "not_json": _l("The file is not JSON"),
    "key_twice": _l("A name appears twice in one object"),
    "not_a_questionnaire": _l("The file is not a FHIR Questionnaire"),
    "asks_nothing": _l("There is no question yet"),
    "bad_language": _l("This is not a language code"),
    "bad_text": _l("This text is empty, too long, or has signs that cannot be shown"),
    "no_text": _l("A text is missing"),
    "bad_number": _l("This is not a number, or not one that can be"),
    "bad_day": _l("This is not a day"),
    "bad_unit": _l("This is not a unit"),
    "bad_code": _l("This is not a code"),
    "bad_translation": _l("This translation cannot be read, or is there twice"),
    "bad_alert": _l("This alert cannot be read"),
    "bad_answer": _l("This is not an answer to that question"),
    "bad_link_id": _l("This linkId cannot be used: letters, digits, dots, dashes, 64 at most"),
    "link_id_twice": _l("Two items have this linkId"),
    "not_a_list": _l("A list is expected here"),
    "not_an_object": _l("An object is expected here"),
    "not_a_coding": _l("A choice must be a valueCoding"),
    "not_yes_or_no": _l("true or false is expected here"),
    "unknown_type": _l("The portal does not ask questions of this type"),
    "unknown_extension": _l("The portal does not know this extension here, or it is there twice"),
    "unknown_operator": _l("This operator does not exist"),
    "no_order": _l("The answers to that question have no order to compare"),
    "not_supported": _l("The portal does not take this into account: take it out"),
    "not_for_this_type": _l("This does not go with this type of question"),
    "too_deep": _l("Sections are too deep one in another"),
    "too_many": _l("There are too many"),
    "inside_display": _l("Words to read hold nothing inside"),
    "empty_group": _l("A section is empty: add a question to it, or remove it"),
    "bounds_crossed": _l("The least is more than the most"),
    "no_option": _l("A list of choices is empty"),
    "option_twice": _l("Two choices have this code"),
    "no_such_option": _l("The question that is looked at has no such choice"),
    "not_asked_before": _l("A condition looks at a question that is not asked before this one"),
    "not_a_question": _l("A condition looks at something that is not a question"),
    "one_answer": _l("A condition needs one answer to compare with"),
    "all_or_any": _l("Say whether all conditions are needed, or one: all or any"),
}


def said(fault: Fault) -> str:
    """`item[2].type: The portal does not ask questions of this type (url)`."""
    words = str(FAULTS[fault.what])
    if fault.what == "not_json" and fault.where:
        line, _colon, column = fault.where.partition(":")
        return str(_("The file is not JSON: look at line %(line)s, sign %(column)s", line=line, column=column))
    if fault.about:
        words = _("%(words)s (%(about)s)", words=words, about=fault.about)
    return f"{fault.where}: {words}" if fault.where else words
