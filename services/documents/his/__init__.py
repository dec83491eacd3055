"""Documents that hospital systems send and take: HL7 v2 MDM and ORU by the door of `services.exchanges`, and FHIR."""

from flask import Flask

from portal import establishments
from services.documents.his import hearing, routes_machine, states, telling, wording
from services.exchanges import subjects
from services.exchanges.subjects import Subject


def register(app: Flask) -> None:
    """Say how documents are told, and heard of."""
    app.register_blueprint(routes_machine.pages)
    routes_machine.declare()
    hearing.configure(production=app.config["SETTINGS"].is_production)
    establishments.check_setting_with(check_setting)
    for kind, message_type in ((states.SUBJECT, "MDM"), (states.RESULTS, "ORU")):
        out = kind == states.SUBJECT
        subjects.offer(
            Subject(
                kind=kind,
                message_type=message_type,
                job=states.HIS_ACTOR,
                scope="system/DocumentReference.write",
                plan=telling.plan if out else telling.plan_nothing,
                is_superseded=telling.is_superseded,
                write=telling.write,
                hear=hearing.hear,
                prepare=hearing.prepare,
                find=telling.find if out else telling.find_nothing,
                references=telling.references,
                patient_of=hearing.patient_of,
                reasons=wording.REASONS,
                to_do=frozenset({"to_sort"}),
            )
        )


def check_setting(key: str, value: str) -> bool:
    """Before a setting of a hospital is written: a format that nobody knows is refused (ValueError)."""
    if key == states.FORMAT and value not in states.FORMATS:
        raise ValueError(f"{states.FORMAT} is one of {', '.join(states.FORMATS)}")
    return False
