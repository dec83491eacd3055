"""Each rule of unusual accesses asks for what it says, and keeps quiet about the ordinary."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from auth.oversight.rules import (
    BY_CODE,
    EMERGENCIES,
    MANY,
    MANY_TIMES,
    NO_TIE,
    OUT_OF_HOURS,
    RULES,
    Found,
    Opened,
    Person,
    Week,
)

MONDAY = date(2026, 11, 16)
CARE = frozenset({"care"})
ANNE, BRUNO, CLARA, DIDIER, EVE = (UUID(int=n) for n in range(1, 6))


def patient(number: int) -> UUID:
    return UUID(int=1000 + number)


def agent(first: str, name: str, email: str = "") -> Person:
    return Person(frozenset({first, name}), first, email)


def described(name: str, first: str, **facts: object) -> Person:
    return replace(Person(frozenset({name}), first), **facts)  # type: ignore[arg-type]  # facts of any field


TEAM = {
    ANNE: agent("ANNE", "MOREAU", "anne.moreau@hopital.test"),
    BRUNO: agent("BRUNO", "LENOIR"),
    CLARA: agent("CLARA", "PETIT"),
    DIDIER: agent("DIDIER", "ROCHE"),
    EVE: agent("EVE", "GARNIER"),
}


def week(opened: list[Opened] | None = None, **facts: object) -> Week:
    plain = Week(MONDAY, tuple(opened or ()), dict.fromkeys(TEAM, CARE), TEAM, {})
    return replace(plain, **facts)  # type: ignore[arg-type]  # facts of any field


def files(account_id: UUID, count: int, out_of_hours: int = 0) -> list[Opened]:
    return [Opened(account_id, patient(n), 1, out_of_hours) for n in range(count)]


def found(rule: str, of: Week) -> list[Found]:
    return list(BY_CODE[rule].find(of))


class TestManyFiles:
    def test_three_times_what_colleagues_open(self) -> None:
        usual = [opened for each in (BRUNO, CLARA, DIDIER, EVE) for opened in files(each, 20)]
        assert found("many_files", week([*usual, *files(ANNE, 61)])) == [Found(ANNE, 61, usual=20)]
        assert found("many_files", week([*usual, *files(ANNE, MANY_TIMES * 20)])) == []

    def test_a_small_number_is_never_many(self) -> None:
        assert found("many_files", week(files(ANNE, MANY))) == []

    def test_somebody_alone_in_their_role_is_compared_to_nobody(self) -> None:
        roles = dict.fromkeys(TEAM, CARE) | {ANNE: frozenset({"billing"})}
        assert found("many_files", week(files(ANNE, 500), roles=roles)) == []


class TestNames:
    def test_ones_own_file_a_relatives_and_a_colleagues_are_told_apart(self) -> None:
        who = {
            patient(1): described("MOREAU", "ANNE"),
            patient(2): described("MOREAU", "LOUIS"),
            patient(3): described("LENOIR", "BRUNO"),
            patient(4): described("DURAND", "ANNE"),
        }
        seen = week([Opened(ANNE, each, 1, 0) for each in who], patients=who)
        assert found("own_file", seen) == [Found(ANNE, 1, (patient(1),))]
        assert found("same_name", seen) == [Found(ANNE, 1, (patient(2),))]
        assert found("colleague", seen) == [Found(ANNE, 1, (patient(3),))]

    def test_the_same_address_is_the_same_person(self) -> None:
        who = {patient(1): described("AUTRE", "NOM", email="anne.moreau@hopital.test")}
        assert found("own_file", week([Opened(ANNE, patient(1), 1, 0)], patients=who))

    def test_a_shared_first_name_says_nothing(self) -> None:
        who = {patient(1): described("DUPONT", "BRUNO")}
        seen = week([Opened(ANNE, patient(1), 1, 0)], patients=who)
        assert [rule.code for rule in RULES for _each in rule.find(seen)] == []


class TestHours:
    def test_somebody_who_works_by_day_and_came_at_night(self) -> None:
        night = files(ANNE, OUT_OF_HOURS, out_of_hours=1)
        (one,) = found("out_of_hours", week(night, before={ANNE: (4, 400)}))
        assert (one.account_id, one.times, one.usual) == (ANNE, OUT_OF_HOURS, 1)

    def test_somebody_who_always_works_at_night(self) -> None:
        assert found("out_of_hours", week(files(ANNE, 50, out_of_hours=1), before={ANNE: (180, 200)})) == []

    def test_somebody_new_is_compared_to_nothing(self) -> None:
        assert found("out_of_hours", week(files(ANNE, 50, out_of_hours=1))) == []


class TestTies:
    def test_five_files_without_a_reason(self) -> None:
        assert found("no_tie", week(files(ANNE, NO_TIE)))[0].times == NO_TIE
        assert found("no_tie", week(files(ANNE, NO_TIE - 1))) == []
        assert found("no_tie", week(files(ANNE, NO_TIE), tied=frozenset({patient(0)}))) == []

    def test_the_identity_unit_works_on_such_files(self) -> None:
        roles = dict.fromkeys(TEAM, CARE) | {ANNE: frozenset({"identity"})}
        assert found("no_tie", week(files(ANNE, 40), roles=roles)) == []

    def test_a_discreet_stay_is_asked_about_at_once(self) -> None:
        seen = week(files(ANNE, 3), discreet=frozenset({patient(1)}))
        assert found("discreet", seen) == [Found(ANNE, 1, (patient(1),))]

    def test_long_after_a_death(self) -> None:
        who = {
            patient(0): described("A", "B", deceased_on=date(2026, 9, 1)),
            patient(1): described("C", "D", deceased_on=date(2026, 11, 10)),
        }
        assert found("deceased", week(files(ANNE, 2), patients=who)) == [Found(ANNE, 1, (patient(0),))]


def test_emergencies() -> None:
    assert found("emergencies", week(emergencies={ANNE: EMERGENCIES, BRUNO: EMERGENCIES - 1})) == [
        Found(ANNE, EMERGENCIES)
    ]


@given(st.lists(st.tuples(st.sampled_from(sorted(TEAM)), st.integers(0, 60), st.integers(0, 3)), max_size=120))
def test_whatever_was_opened_every_finding_is_about_somebody_who_opened_it(rows: list[tuple[UUID, int, int]]) -> None:
    opened = {(who, patient(n)): Opened(who, patient(n), 3, outside) for who, n, outside in rows}
    seen = week(list(opened.values()), before=dict.fromkeys(TEAM, (0, 100)), discreet=frozenset(map(patient, range(9))))
    theirs = seen.files()
    for rule in RULES:
        for each in rule.find(seen):
            assert set(each.patient_ids) <= theirs[each.account_id]
            assert each.times > 0
