"""What the journal says of questionnaires: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "questionnaire.sent": _l("sent a questionnaire"),
    "questionnaire.begun": _l("began to answer a questionnaire"),
    "questionnaire.answered": _l("answered a questionnaire"),
    "questionnaire.corrected": _l("began to correct the answers to a questionnaire"),
    "questionnaire.kept": _l("gave a correction of their answers to a questionnaire up"),
    "questionnaire.answered_again": _l("corrected the answers to a questionnaire"),
    "questionnaire.reminded": _l("reminded somebody that something waits"),
    "questionnaire.withdrawn": _l("took a questionnaire back"),
    "questionnaire.handed_over": _l("passed a questionnaire to another unit: the first one has closed"),
    "questionnaire.expired": _l("closed a questionnaire that had no answer"),
    "questionnaire.alert_seen": _l("saw to an alert in the answers to a questionnaire"),
    "questionnaire.forgotten": _l("deleted old answers to a questionnaire"),
    "questionnaire.opened": _l("read the answers to a questionnaire"),
    "questionnaire.printed": _l("printed the answers to a questionnaire"),
    "questionnaire.downloaded": _l("downloaded their answers to a questionnaire"),
    "questionnaire.read": _l("read the answers to a questionnaire from another system"),
    "questionnaire_list.opened": _l("looked at a list of questionnaires"),
    "questionnaire_list.read": _l("read answers to questionnaires from another system"),
    "questionnaire_definition.drafted": _l("began to write a questionnaire"),
    "questionnaire_definition.changed": _l("changed the draft of a questionnaire"),
    "questionnaire_definition.undone": _l("took back the last change of the draft of a questionnaire"),
    "questionnaire_definition.published": _l("published a questionnaire"),
    "questionnaire_definition.retired": _l("retired a questionnaire"),
    "questionnaire_definition.dropped": _l("deleted the draft of a questionnaire"),
    "questionnaire_definition.shared": _l("shared a questionnaire with the group"),
    "questionnaire_definition.unshared": _l("stopped sharing a questionnaire"),
    "questionnaire_plan.added": _l("asked for a questionnaire to be sent by itself"),
    "questionnaire_plan.stopped": _l("stopped a questionnaire from being sent by itself"),
    "questionnaire_plan.resumed": _l("let a questionnaire be sent by itself again"),
}
