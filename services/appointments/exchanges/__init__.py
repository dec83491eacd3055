"""Those who follow appointments: the hospital's own system by HL7 v2 (SIU), and subscribers by signed webhooks.

Both are told through the door of hospital systems, `services.exchanges`.
"""

from collections.abc import Sequence

import click

from services.appointments.exchanges import siu, states, wording
from services.appointments.exchanges.actions import hearing, telling
from services.exchanges import dialect, subjects
from services.exchanges.subjects import Subject


def register() -> None:
    """Say how appointments are told, and heard of."""
    dialect.check_with(siu.check_codes)
    subjects.offer(
        Subject(
            kind=states.SUBJECT,
            message_type="SIU",
            job=states.HIS_ACTOR,
            scope="system/Appointment.write",
            plan=telling.plan,
            is_superseded=telling.is_superseded,
            write=telling.write,
            hear=hearing.hear,
            find=telling.find,
            references=telling.references,
            patient_of=hearing.patient_of,
            reasons=wording.REASONS,
            facts=telling.facts,
            events=states.WEBHOOK_EVENTS,
            settled=telling.agree,
            forget=telling.forget,
        )
    )


def for_operators() -> Sequence[click.Command]:
    """What an operator may type about exchanges of appointments."""
    from services.appointments.exchanges.commands import appointments

    return [appointments]
