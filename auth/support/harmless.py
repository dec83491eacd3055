"""What support mode shows of the database's words: these columns and no other. What is not here is blanked.

A column may be listed when its text is a code of ours, a state, a reference that says nothing, what the hospital
publishes to everybody, or who the person is, whom the agent has just looked for. Never: a title, a reason, a unit or a
place of care, a practitioner, a questionnaire, an answer, a message, the name of a file, a third person.
"""

from portal import blanking
from portal.blanking import Harmless, StandIn

PUBLISHED = "The hospital publishes it to everybody"
PERSON = "Who the person is: the agent looked for them by it"
CODE = "A code of the portal, which says where a matter stands and not what it is about"
REFERENCE = "A reference drawn at random, which the person reads out on the phone"
MEANS = "How something was sent, signed or paid"

_PUBLISHED = (
    ("establishment", "finess name short_name time_zone brand_colour phone email address holidays school_zone"),
    ("establishment_logo", "digest"),
    ("establishment_setting", "key value"),
    ("unit_closing", "message"),
    ("published_service", "code texts"),
    ("service_link", "code url audience reach icon texts"),
    ("link_host", "host"),
    ("site_notice", "level texts"),
    ("legal_page", "page content"),
    ("accessibility_action", "title state"),
    ("bill_source", "code kind name means access contact_name contact_phone contact_email contact_hours difficulties"
                    " instalments"),
)  # fmt: skip
_PERSON = (
    ("account", "audience name email locale channels"),
    ("patient", "birth_name used_name first_names sex email mobile identity_status"),
)
_CODES = (
    ("patient_access", "relation scopes time_zone"),
    ("appointment", "state"),
    ("appointment_request", "state half spans"),
    ("appointment_proposal", "outcome"),
    ("waiting_entry", "state half"),
    ("waiting_offer", "outcome"),
    ("bill", "source exer closed_reason"),
    ("bill_question", "state"),
    ("document", "state"),
    ("record_request", "state"),
    ("exchange", "state"),
    ("exchange_message", "sender"),
    ("piece", "state"),
    ("preadmission", "state origin"),
    ("sent_questionnaire", "state"),
    ("referral_target", "state"),
    ("mandate", "kind state scopes time_zone"),
    ("consent", "kind version locale"),
    ("data_export", "state"),
    ("data_request", "kind state"),
    ("contact_point", "kind"),
    ("factor", "kind"),
    ("circle_member", "state origin scopes"),
    ("companion", "role state"),
    ("maternity_wish", "state"),
    ("stored_file", "state shown_state"),
    ("audit_event", "action object_kind"),
    ("support_session", "kind alone_kind ended_by"),
    ("appointment_change", "from_state to_state"),
    ("request_change", "from_state to_state"),
    ("waiting_change", "from_state to_state"),
    ("bill_question_change", "before after because"),
    ("data_request_change", "from_state to_state"),
    ("document_change", "from_state to_state"),
    ("exchange_change", "from_state to_state"),
    ("record_request_change", "before after"),
    ("piece_change", "from_state to_state"),
    ("preadmission_change", "from_state to_state"),
    ("preadmission_answers", "step"),
    ("companion_change", "from_state to_state"),
    ("mandate_change", "from_state to_state"),
    ("sent_questionnaire_change", "what from_state to_state"),
    ("referral_change", "from_state to_state"),
)
_REFERENCES = (
    ("appointment", "reference"),
    ("appointment_request", "reference"),
    ("bill", "reference"),
    ("record_request", "reference"),
    ("exchange", "reference"),
    ("preadmission", "reference"),
    ("data_request", "number"),
)
_MEANS = (
    ("appointment", "channel"),
    ("consent", "channel"),
    ("payment_attempt", "source mode state currency psp"),
    ("ledger_entry", "kind means currency psp"),
    ("web_session", "provider browser"),
    ("known_device", "browser"),
)


_STAND_INS = (
    StandIn("piece", "kind", "other", "Which paper is asked may say why one is cared for"),
    StandIn("preadmission", "stay_kind", "outpatient", "It says what one is cared for"),
    StandIn("piece", "refusal_reason", "wrong_document", "It says what is on the paper"),
    StandIn("preadmission_answers", "answers", "", "A step without answers is shown as its empty form"),
    StandIn("questionnaire_answers", "sealed", "", "A questionnaire without answers is shown as its empty form"),
    StandIn("questionnaire_draft", "sealed", "", "A questionnaire without answers is shown as its empty form"),
    StandIn(
        "questionnaire",
        "content",
        {
            "resourceType": "Questionnaire",
            "status": "active",
            "title": blanking.MASK,
            "item": [{"linkId": "1", "type": "string", "text": blanking.MASK}],
        },
        "It is the questions",
    ),
)


def declare() -> None:
    """Say so to `portal.blanking`."""
    listed = ((PUBLISHED, _PUBLISHED), (PERSON, _PERSON), (CODE, _CODES), (REFERENCE, _REFERENCES), (MEANS, _MEANS))
    for why, tables in listed:
        blanking.show(*(Harmless(table, tuple(columns.split()), why) for table, columns in tables))
    blanking.replace(*_STAND_INS)
