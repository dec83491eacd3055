"""The rules of unusual accesses, as data: each looks at one week of one hospital and says who and whose files.

Nothing here reads the database: `Week` holds ids, counts, and what names compare by. A rule finds a reason to ask,
not a fault: every finding waits for an auditor, and is shown to nobody else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

LEAST_COLLEAGUES = 3
MANY, MANY_TIMES = 30, 3
OUT_OF_HOURS, USUAL_SHARE = 10, 0.1
NO_TIE = 5
EMERGENCIES = 3
DECEASED_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Opened:
    """One agent and one patient in the week. times: accesses; out_of_hours: those at night or on a weekend."""

    account_id: UUID
    patient_id: UUID
    times: int
    out_of_hours: int


@dataclass(frozen=True)
class Person:
    """An agent or a patient, as they compare: keys without accents nor case. first: of the first first name."""

    names: frozenset[str]
    first: str
    email: str = ""
    deceased_on: date | None = None


@dataclass(frozen=True)
class Week:
    """What the rules look at. roles: agent → rights; before: agent → (out of hours, all) in the four weeks before;
    emergencies: agent → files opened in an emergency; alone: agent → people whose screens they saw without them;
    colleagues: every agent of the hospital."""

    first: date
    opened: tuple[Opened, ...]
    roles: Mapping[UUID, frozenset[str]]
    colleagues: Mapping[UUID, Person]
    patients: Mapping[UUID, Person]
    tied: frozenset[UUID] = frozenset()
    discreet: frozenset[UUID] = frozenset()
    before: Mapping[UUID, tuple[int, int]] = field(default_factory=dict)
    emergencies: Mapping[UUID, int] = field(default_factory=dict)
    alone: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)

    def files(self) -> dict[UUID, set[UUID]]:
        """Agent → the patients whose file they opened."""
        found: dict[UUID, set[UUID]] = {}
        for each in self.opened:
            found.setdefault(each.account_id, set()).add(each.patient_id)
        return found


@dataclass(frozen=True)
class Found:
    """times: files, accesses or openings, as the rule counts; usual: what is so for their colleagues, or for them."""

    account_id: UUID
    times: int
    patient_ids: tuple[UUID, ...] = ()
    usual: int | None = None


@dataclass(frozen=True)
class Rule:
    """title: what was seen; why: why it is asked, and what it cannot know."""

    code: str
    title: Any
    why: Any
    find: Callable[[Week], Iterable[Found]]


def _many_files(week: Week) -> Iterator[Found]:
    files = week.files()
    for account_id, patients in files.items():
        role = week.roles.get(account_id)
        others = [len(files.get(other, ())) for other, held in week.roles.items() if held == role]
        if role is None or len(others) <= LEAST_COLLEAGUES:
            continue
        usual = int(median(others))
        if len(patients) > max(MANY, MANY_TIMES * usual):
            yield Found(account_id, len(patients), usual=usual)


def _matching(week: Week, alike: Callable[[UUID, Person, Person], bool]) -> Iterator[Found]:
    for account_id, patients in week.files().items():
        agent = week.colleagues.get(account_id)
        if agent is None:
            continue
        found = sorted(each for each in patients if (who := week.patients.get(each)) and alike(account_id, agent, who))
        if found:
            yield Found(account_id, len(found), tuple(found))


def _own_file(week: Week) -> Iterator[Found]:
    yield from _matching(week, lambda _id, agent, patient: _is_same(agent, patient))


def _same_name(week: Week) -> Iterator[Found]:
    def alike(_id: UUID, agent: Person, patient: Person) -> bool:
        return bool(_family(agent) & patient.names) and not _is_same(agent, patient)

    yield from _matching(week, alike)


def _colleague(week: Week) -> Iterator[Found]:
    by_name: dict[str, list[tuple[UUID, Person]]] = {}
    for account_id, person in week.colleagues.items():
        for name in _family(person):
            by_name.setdefault(name, []).append((account_id, person))

    def alike(account_id: UUID, _agent: Person, patient: Person) -> bool:
        near = [each for name in patient.names for each in by_name.get(name, ())]
        return any(other_id != account_id and _is_same(other, patient) for other_id, other in near)

    yield from _matching(week, alike)


def _is_same(agent: Person, patient: Person) -> bool:
    """One name and one first name in common, or one address of mail."""
    if agent.email and agent.email == patient.email:
        return True
    return patient.first in agent.names and bool((agent.names - {patient.first}) & patient.names)


def _family(agent: Person) -> frozenset[str]:
    """An agent's name is one text: what is not the first word is taken for the family name."""
    return agent.names - {agent.first}


def _out_of_hours(week: Week) -> Iterator[Found]:
    times: dict[UUID, int] = {}
    for each in week.opened:
        times[each.account_id] = times.get(each.account_id, 0) + each.out_of_hours
    for account_id, outside in times.items():
        usually_outside, everything = week.before.get(account_id, (0, 0))
        works_by_day = everything > 0 and usually_outside <= USUAL_SHARE * everything
        if outside >= OUT_OF_HOURS and works_by_day:
            files = {each.patient_id for each in week.opened if each.account_id == account_id and each.out_of_hours}
            yield Found(account_id, outside, tuple(sorted(files)), usual=usually_outside // 4)


def _no_tie(week: Week) -> Iterator[Found]:
    for account_id, patients in week.files().items():
        if "identity" in week.roles.get(account_id, ()):
            continue  # the identity unit opens files that nobody comes for: that is its work
        untied = sorted(patients - week.tied)
        if len(untied) >= NO_TIE:
            yield Found(account_id, len(untied), tuple(untied))


def _emergencies(week: Week) -> Iterator[Found]:
    for account_id, times in week.emergencies.items():
        if times >= EMERGENCIES:
            yield Found(account_id, times)


def _deceased(week: Week) -> Iterator[Found]:
    def alike(_id: UUID, _agent: Person, patient: Person) -> bool:
        return patient.deceased_on is not None and patient.deceased_on < week.first - DECEASED_FOR

    yield from _matching(week, alike)


def _discreet(week: Week) -> Iterator[Found]:
    for account_id, patients in week.files().items():
        found = sorted(patients & week.discreet)
        if found:
            yield Found(account_id, len(found), tuple(found))


def _alone(week: Week) -> Iterator[Found]:
    for account_id, patients in week.alone.items():
        yield Found(account_id, len(patients), tuple(sorted(patients)))


RULES = (
    Rule("own_file", _l("Their own file, it seems"),
         _l("The patient has the agent’s name and first name, or their address. One asks for one’s file as everybody"
            " does."),
         _own_file),
    Rule("colleague", _l("The file of a colleague, it seems"),
         _l("The patient has the name and first name, or the address, of another agent of the hospital, who may be"
            " cared for here like anybody."), _colleague),
    Rule("same_name", _l("A patient of the same family name"),
         _l("Perhaps a relative, perhaps nobody they know: many people share a name."), _same_name),
    Rule("discreet", _l("A stay kept discreet"),
         _l("The patient asked that their stay stay confidential. Those who care for them open it too."), _discreet),
    Rule("deceased", _l("The file of somebody who died a while ago"),
         _l("More than thirty days after the death. Bills and requests of heirs are good reasons."), _deceased),
    Rule("no_tie", _l("Files of patients with nothing at the hospital"),
         _l("Five files or more whose patients have no visit, stay, letter, referral, request or bill here within six"
            " months. Mistakes of search look like this too."), _no_tie),
    Rule("many_files", _l("Many more files than their colleagues"),
         _l("Three times what colleagues with the same rights usually open in a week, and over thirty."), _many_files),
    Rule("out_of_hours", _l("At night or on a weekend, unlike before"),
         _l("Ten accesses or more between 20:00 and 7:00 or on a weekend, by somebody who hardly ever did in the four"
            " weeks before. A replacement looks like this."), _out_of_hours),
    Rule("emergencies", _l("Several files opened in an emergency"),
         _l("Three or more in the week. Each one is judged by itself too."), _emergencies),
    Rule("support_alone", _l("Screens seen without the person"),
         _l("An agent of support looked at somebody’s screens without them on the phone. What they wrote is in the list"
            " of screens seen by support."), _alone),
)  # fmt: skip
BY_CODE = {rule.code: rule for rule in RULES}
