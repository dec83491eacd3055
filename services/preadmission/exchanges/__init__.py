"""Pre-admissions and the hospital's system: requests sent as PAM-FR messages or as files, and what comes back.

Both go through the door of hospital systems, `services.exchanges`; nothing is sent until the hospital says how
(`his_preadmission_format`).
"""

from collections.abc import Sequence

import click

from portal import establishments
from services.exchanges import subjects
from services.exchanges.subjects import Subject
from services.preadmission.exchanges import states, wording
from services.preadmission.exchanges.actions import hearing, listing, telling


def register() -> None:
    """Say how pre-admissions are told, and heard of."""
    establishments.check_setting_with(check_setting)
    subjects.offer(
        Subject(
            kind=states.SUBJECT,
            message_type="ADT",
            job=states.HIS_ACTOR,
            scope="system/Encounter.write",
            plan=telling.plan,
            is_superseded=telling.is_superseded,
            write=telling.write,
            hear=hearing.hear,
            find=telling.find,
            references=telling.references,
            patient_of=telling.patient_of,
            reasons=wording.REASONS,
            settled=telling.settled,
            to_do=frozenset({"to_invite"}),
            read_list=listing.read_list,
        )
    )


def check_setting(key: str, value: str) -> bool:
    """Before a setting of a hospital is written: a format that nobody knows is refused (ValueError)."""
    if key == states.FORMAT and value not in states.FORMATS:
        raise ValueError(f"{states.FORMAT} is one of {', '.join(states.FORMATS)}")
    return False


def for_operators() -> Sequence[click.Command]:
    """What an operator may type about exchanges of pre-admissions."""
    from services.preadmission.exchanges.commands import preadmissions

    return [preadmissions]
