"""What a terminal reads, and what it answers."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some

from auth.identity import sealing
from portal.config import Settings
from services.appointments import states
from services.appointments.kiosk import codes, rules
from services.appointments.kiosk.rules import VERDICTS, WELCOME, Expected, Terminal
from services.appointments.kiosk.wording import ANSWERS
from services.appointments.models import new_reference

HERE, THERE, WARD, OTHER = (UUID(int=number) for number in range(1, 5))
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TODAY = date(2026, 11, 23)
TERMINAL = Terminal(HERE, frozenset({WARD}), 120, 30)


@pytest.fixture(scope="module", autouse=True)
def _keys(settings: Settings) -> None:
    sealing.configure(settings)


class TestCodes:
    @given(some.uuids())
    def test_a_code_is_read_back_however_it_is_typed(self, appointment_id: UUID) -> None:
        code = codes.code_of(appointment_id)
        assert set(code) <= set(codes.LETTERS)
        assert len(code) == 32
        spaced = "-".join(code[at : at + 4] for at in range(0, 32, 4))
        for typed in (code, code.lower(), spaced, f" {code}\r\n"):
            assert codes.read(typed) == (appointment_id,)

    @given(some.uuids())
    def test_a_code_tells_nothing_of_its_appointment(self, appointment_id: UUID) -> None:
        near = UUID(int=appointment_id.int ^ 1)
        code, other = codes.code_of(appointment_id), codes.code_of(near)
        assert sum(one == two for one, two in zip(code, other, strict=True)) < 16
        assert str(appointment_id).replace("-", "")[:8] not in code.lower()

    def test_letters_are_where_every_keyboard_has_them(self) -> None:
        assert not set(codes.LETTERS) & set("AQZWMY0123456789")

    def test_a_reference_is_read_as_it_is_spelled(self) -> None:
        reference = new_reference()
        assert codes.read(f"{reference[:4]} {reference[4:].lower()}") == reference

    @given(some.text(max_size=80))
    def test_whatever_is_typed_is_read_or_refused(self, typed: str) -> None:
        try:
            found = codes.read(typed)
        except codes.NotACode:
            return
        assert isinstance(found, UUID) or len(found) == 8


def expected(**facts: object) -> Expected:
    usual = {
        "establishment_id": HERE, "unit_id": WARD, "state": states.BOOKED, "is_remote": False,
        "be_there_at": NINE - timedelta(minutes=15), "start_at": NINE, "day": TODAY,
    }  # fmt: skip
    return Expected(**usual | facts)  # type: ignore[arg-type]  # facts of any field


class TestAnswers:
    @pytest.mark.parametrize(
        ("facts", "verdict"),
        [
            ({}, WELCOME),
            ({"establishment_id": THERE}, "other_hospital"),
            ({"state": states.CANCELLED}, "cancelled"),
            ({"state": states.ARRIVED}, "already"),
            ({"state": states.DONE}, "over"),
            ({"state": states.MISSED}, "over"),
            ({"is_remote": True}, "remote"),
            ({"day": TODAY + timedelta(days=1)}, "other_day"),
            ({"unit_id": OTHER}, "other_unit"),
        ],
        ids=str,
    )
    def test_each_case_has_its_answer(self, facts: dict[str, object], verdict: str) -> None:
        assert rules.answer(TERMINAL, expected(**facts), NINE, TODAY) == verdict

    @pytest.mark.parametrize(
        ("at", "verdict"),
        [(-136, "early"), (-135, WELCOME), (0, WELCOME), (30, WELCOME), (31, "late")],
    )
    def test_one_may_come_a_little_early_or_late(self, at: int, verdict: str) -> None:
        assert rules.answer(TERMINAL, expected(), NINE + timedelta(minutes=at), TODAY) == verdict

    def test_a_terminal_without_units_serves_the_whole_hospital(self) -> None:
        assert rules.answer(Terminal(HERE, (), 120, 30), expected(unit_id=OTHER), NINE, TODAY) == WELCOME

    @given(
        some.sampled_from([HERE, THERE]), some.sampled_from([WARD, OTHER]), some.sampled_from(sorted(states.STATES)),
        some.booleans(), some.integers(-2000, 2000), some.integers(-1, 1),
    )  # fmt: skip
    def test_the_unit_is_told_only_of_whom_it_expects_here_and_now(
        self, place: UUID, unit: UUID, state: str, is_remote: bool, late_min: int, days: int
    ) -> None:
        facts = expected(establishment_id=place, unit_id=unit, state=state, is_remote=is_remote,
                         day=TODAY + timedelta(days=days))  # fmt: skip
        verdict = rules.answer(TERMINAL, facts, NINE + timedelta(minutes=late_min), TODAY)
        assert verdict in VERDICTS
        if verdict == WELCOME:
            assert (place, unit, state, is_remote, days) == (HERE, WARD, states.BOOKED, False, 0)
            assert -135 <= late_min <= 30

    def test_every_answer_has_its_words(self, app: Flask) -> None:
        assert set(ANSWERS) == set(VERDICTS)
        for answer in ANSWERS.values():
            assert str(answer.title)
            assert str(answer.text)
