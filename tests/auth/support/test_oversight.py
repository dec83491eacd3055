"""A look made without the person is a question put to an auditor."""

from datetime import date
from uuid import UUID

from auth.oversight.rules import BY_CODE, Week

AGENT, ONE, OTHER = (UUID(int=number) for number in (1, 2, 3))


def test_each_agent_who_looked_alone_is_found_once_with_whose_screens() -> None:
    rule = BY_CODE["support_alone"]
    week = Week(date(2026, 11, 16), (), {}, {}, {}, alone={AGENT: frozenset((OTHER, ONE))})
    assert [(found.account_id, found.times, found.patient_ids) for found in rule.find(week)] == [
        (AGENT, 2, (ONE, OTHER))
    ]
    assert list(rule.find(Week(date(2026, 11, 16), (), {}, {}, {}))) == []
