"""No object opens for two strangers, whatever the route: real objects of the demonstration, asked for by everybody.

The routes are those of the application. A new one whose parameters nothing is said of fails here by its name
(`tests/security/access/objects.py`); a new one that opens for nobody of the cast says why in NOBODY_S.
"""

from collections.abc import Iterator

import pytest
from flask import Flask

from auth import guards
from portal import db
from portal.db import RIGHTS
from tests.emptying import Tables
from tests.security.access import forms, objects
from tests.security.access.asking import Observer, Seen
from tests.security.access.cast import SOUTH, VISITOR, on_stage
from tests.security.access.known import FOR_EVERYBODY, NOBODY_S, SAYS_MORE, SHARED

pytestmark = [
    pytest.mark.own_ground,
    pytest.mark.xdist_group("access"),
    pytest.mark.timeout(1800),
]  # some seven thousand requests

GUARDS = ("public", "patient", "professional", guards.SIGNED_IN, "machines", "staff", *(f"staff:{r}" for r in RIGHTS))
by_guard = pytest.mark.parametrize("guard", GUARDS)


@pytest.fixture(scope="module")
def observer(app: Flask, tables: Tables) -> Iterator[Observer]:
    """Everything is asked once, of one ground that the whole module keeps."""
    tables.compact()
    with on_stage(app) as cast:
        yield Observer(app, cast)
    objects.forget()
    tables.compact()  # of what was taken back: thousands of tests come after this one


def _named(found: list[Seen]) -> list[Seen]:
    """Those whose address names an object of somebody."""
    return [each for each in found if objects.objects_of(each.rule) or "finess" in each.rule._converters]


def test_of_every_parameter_something_is_said(observer: Observer) -> None:
    """Deny first: a new route with an object says which table it is of."""
    with db.transaction(db.system("tests")):
        assert objects.unknown(observer.app) == []


class TestEveryRoute:
    @by_guard
    def test_opens_no_object_for_a_stranger(self, observer: Observer, guard: str) -> None:
        open_to = [
            f"{seen.line}: {let_in[1:]}"
            for seen in _named(observer.of(guard)) if seen.rule.endpoint not in SHARED | FOR_EVERYBODY
            for let_in in seen.let_in if len(let_in) > 1 or let_in[0] == VISITOR
        ]  # fmt: skip
        assert open_to == []

    @by_guard
    def test_opens_for_somebody(self, observer: Observer, guard: str) -> None:
        """Otherwise we would know nothing of it."""
        closed = {seen.rule.endpoint for seen in observer.of(guard) if not seen.let_in}
        assert sorted(closed - set(NOBODY_S)) == []

    @by_guard
    def test_opens_nothing_by_an_address_that_names_the_things_of_two(self, observer: Observer, guard: str) -> None:
        """/patients/<hers>/documents/<his>, and the other way round."""
        assert [f"{seen.line}: {seen.crossed}" for seen in observer.of(guard) if seen.crossed] == []

    @by_guard
    def test_answers_whoever_asks_and_whatever_is_named(self, observer: Observer, guard: str) -> None:
        assert [each for seen in observer.of(guard) for each in seen.crashes] == []

    @by_guard
    def test_changes_nothing_when_it_refuses(self, observer: Observer, guard: str) -> None:
        assert [each for seen in observer.of(guard) for each in seen.changed] == []

    @by_guard
    def test_says_no_other_patients_name(self, observer: Observer, guard: str) -> None:
        """Neither in a refusal (CVE-2021-40375) nor on a patient's own page."""
        assert [each for seen in observer.of(guard) for each in seen.leaks] == []

    @by_guard
    def test_is_kept_nowhere_on_its_way_to_somebody(self, observer: Observer, guard: str) -> None:
        """No page that somebody signed in for may be stored by a browser or a proxy, but for those open to all."""
        assert [each for seen in observer.of(guard) if guard != "public" for each in seen.kept] == []

    @by_guard
    def test_leads_nobody_to_another_site(self, observer: Observer, guard: str) -> None:
        assert [each for seen in observer.of(guard) for each in seen.strayed] == []


@pytest.fixture(scope="module")
def sendable(observer: Observer) -> dict[str, forms.Form]:
    """The forms of the pages that everybody has open."""
    for guard in GUARDS:
        observer.of(guard)
    return observer.sendable


class TestAForm:
    def test_of_somebody_s_page_is_taken_from_no_stranger(
        self, observer: Observer, sendable: dict[str, forms.Form]
    ) -> None:
        """As it stands there, with the identifiers that it carries."""
        taken = [
            each for endpoint, form in sendable.items() if endpoint not in SHARED | FOR_EVERYBODY
            for each in observer.sent_by_strangers(form)
        ]  # fmt: skip
        assert taken == []

    def test_writes_the_same_when_fields_are_added_to_it(
        self, observer: Observer, sendable: dict[str, forms.Form]
    ) -> None:
        """Columns of the tables that it writes, and what attackers always try (CWE-915)."""
        world = observer.cast.world
        replayed, changed = 0, []
        for endpoint, form in sendable.items():
            other = world.north if form.role == SOUTH else world.south
            tables, more = forms.replayed(observer.cast, form, str(other.establishment.id))
            replayed += bool(tables)
            changed += more if endpoint not in SAYS_MORE else []
        assert changed == []
        assert replayed > 50
