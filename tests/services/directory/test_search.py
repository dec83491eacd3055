"""Finding somebody in the national directory, however their name is typed, and the box to write to them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from portal import db
from portal.db import Actor
from services.directory import loading, queries
from services.directory.queries import Found
from tests.factories import people
from tests.factories.directory import box, boxes_file, people_file, person, rpps

TOURS = {"commune": "37261", "postcode": "37000", "town": "TOURS", "structure_id": "F37", "finess": "370000481",
         "name": "CHRU HÔPITAL BRETONNEAU"}  # fmt: skip
NURSE = {"profession": "60", "profession_label": "Infirmier", "speciality": "", "speciality_label": "", "title": ""}
PEOPLE = (
    person(1, "MARTIN", "Léa"),
    person(1, "MARTIN", "Léa", **TOURS),
    person(2, "MARTIN", "Jean-Pierre", **TOURS, **NURSE),
    person(3, "MARTINEAU", "Zoé"),
    person(4, "MARTIN D’ALMEIDA", "Camille"),
    person(5, "LE GOFF", "Élodie", **TOURS),
    person(6, "ÇELIK", "Noël", speciality="SM02", speciality_label="Anesthésie-réanimation"),
    person(7, "JEAN", "Martin"),
)
BOXES = (
    box("lea.martin@medecin.mssante.fr", 1, paperless="O"),
    box("Lea.Martin@chru-tours.mssante.fr", 1, structure="370000481", structure_name="CHRU", postcode="37000",
        line="37044 TOURS CEDEX 9"),
    box("hidden@medecin.mssante.fr", 1, red_list="O", rank="1"),
    box("cardiologie@ch-arceau.mssante.fr", service="Cardiologie"),
    box("urgences@ch-arceau.mssante.fr", service="Urgences", red_list="O"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def directory(app: Flask, tmp_path: Path) -> None:
    """The people and boxes above."""
    people = people_file(tmp_path / "people.txt", PEOPLE)
    boxes = boxes_file(tmp_path / "boxes.txt", BOXES, "red_list", "rank")
    assert {each.state for each in loading.load([people, boxes])} == {"done"}


def search(*asked: Any, **narrowed: Any) -> Found:
    with db.transaction(db.system("tests")):
        return queries.search(*asked, **narrowed)


def names(*asked: Any, **narrowed: Any) -> list[str]:
    return [f"{each.family} {each.given}" for each in search(*asked, **narrowed).people]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("martin", ["MARTIN Jean-Pierre", "MARTIN Léa", "MARTIN D’ALMEIDA Camille", "MARTINEAU Zoé"]),
        ("MARTIN lea", ["MARTIN Léa"]),
        ("léa martin", ["MARTIN Léa"]),
        ("martin jean pierre", ["MARTIN Jean-Pierre"]),
        ("jean martin", ["JEAN Martin", "MARTIN Jean-Pierre"]),
        ("martin d'almeida", ["MARTIN D’ALMEIDA Camille"]),
        ("le goff", ["LE GOFF Élodie"]),
        ("elodie LE  GOFF", ["LE GOFF Élodie"]),
        ("celik", ["ÇELIK Noël"]),
        ("marti", ["MARTIN Jean-Pierre", "MARTIN Léa", "MARTIN D’ALMEIDA Camille", "MARTINEAU Zoé"]),
        (rpps(6)[1:], ["ÇELIK Noël"]),
        (f" {rpps(6)[1:5]} {rpps(6)[5:]} ", ["ÇELIK Noël"]),
        (rpps(6), ["ÇELIK Noël"]),
        ("19999999999", []),
        ("zzzzzz", []),
        ("'; drop table directory_person; --", []),
        ("%_\\", []),
    ],
)
def test_people_are_found_by_the_beginning_of_their_name_or_their_number(typed: str, found: list[str]) -> None:
    assert names(typed) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("marton", "MARTIN"),
        ("martineu", "MARTINEAU"),
        ("dalmeida", "MARTIN D’ALMEIDA"),
        ("dalmeyda", "MARTIN D’ALMEIDA"),
        ("legoff", "LE GOFF"),
        ("selik", "ÇELIK"),
        ("martineo zoe", "MARTINEAU"),
        ("elodi legoff", "LE GOFF"),
    ],
)
def test_names_that_look_alike_are_found_when_none_begins_so(typed: str, found: str) -> None:
    answer = search(typed)
    assert answer.similar
    assert found in [each.family for each in answer.people]


def test_names_that_look_alike_may_be_asked_for_even_if_some_begin_so() -> None:
    answer = search("martin", similar=True)
    assert answer.similar
    assert [each.family for each in answer.people][:2] == ["MARTIN", "MARTIN"]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ({"place": "tours"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"place": "37000"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"place": "37"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"place": "TOURZ"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"place": "tours", "speciality": "60"}, ["MARTIN Jean-Pierre"]),
        ({"place": "tours", "speciality": "10/SM04"}, ["LE GOFF Élodie", "MARTIN Léa"]),
        ({"place": "tours", "speciality": "10/SM02"}, []),
        ({"structure": "bretonneau"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"structure": "370000481"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"structure": "hopital bretoneau"}, ["LE GOFF Élodie", "MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"name": "martin", "place": "tours"}, ["MARTIN Jean-Pierre", "MARTIN Léa"]),
        ({"name": "martin", "place": "nowhere at all"}, []),
        ({"name": "marton", "place": "tours"}, ["MARTIN Jean-Pierre", "MARTIN Léa"]),
    ],
)
def test_people_are_found_by_town_structure_and_speciality(narrowed: dict[str, str], found: list[str]) -> None:
    assert names(**narrowed) == found


@pytest.mark.parametrize("narrowed", [{}, {"name": "a"}, {"speciality": "10"}, {"place": "3"}, {"name": "'"}])
def test_a_search_that_narrows_nothing_asks_for_more(narrowed: dict[str, str]) -> None:
    assert search(**narrowed).too_vague


def test_a_list_comes_page_by_page(tmp_path: Path) -> None:
    many = [person(n, f"PETIT{n:03}") for n in range(60)]
    loading.load([people_file(tmp_path / "many.txt", many)], force=True)
    pages = [search("petit", page=page) for page in (1, 2, 3, 4)]
    assert [len(page.people) for page in pages] == [25, 25, 10, 0]
    assert [page.has_next for page in pages] == [True, True, False, False]
    assert [each.family for page in pages for each in page.people] == [f"PETIT{n:03}" for n in range(60)]


def test_a_person_comes_with_where_they_work_in_words() -> None:
    with db.transaction(db.system("tests")):
        found = queries.person(rpps(1)[1:])
        assert found is not None
        assert queries.person(rpps(1)) == found
    assert (found.full_name, found.rpps) == ("Docteur Léa MARTIN", rpps(1)[1:])
    (arceau, tours) = found.activities
    assert (arceau.place, arceau.occupation, arceau.mode) == ("CH DU VAL D’ARCEAU", "Cardiologie", "Salarié")
    assert (tours.address, tours.postcode, tours.town) == ("12 Avenue DES TILLEULS", "37000", "TOURS")


@pytest.mark.parametrize("number", ["", "8", "80000000000", "x' or '1'='1", "8" * 500, "é"])
def test_a_number_that_is_nobodys_finds_nobody(number: str) -> None:
    with db.transaction(db.system("tests")):
        assert queries.person(number) is None
        assert queries.boxes_of(number) == []


class TestBoxes:
    """The one to write to comes first; the red list is never told."""

    def addresses(self, near: str = "") -> list[str]:
        with db.transaction(db.system("tests")):
            return [each.address for each in queries.boxes_of(rpps(1)[1:], near)]

    def test_of_no_place_go_first_unless_one_is_of_the_place(self) -> None:
        national, hospital = "lea.martin@medecin.mssante.fr", "lea.martin@chru-tours.mssante.fr"
        assert self.addresses() == [national, hospital]
        for near in ("370000481", "37000", "Tours Cedex 9"):
            assert self.addresses(near) == [hospital, national]

    def test_follow_what_their_holder_prefers(self, tmp_path: Path) -> None:
        ranked = [box("b@x.mssante.fr", 1, rank="2"), box("c@x.mssante.fr", 1, rank="1"), box("a@x.mssante.fr", 1)]
        loading.load([boxes_file(tmp_path / "b.txt", ranked, "rank")], force=True)
        assert self.addresses() == ["c@x.mssante.fr", "b@x.mssante.fr", "a@x.mssante.fr"]

    def test_of_the_red_list_are_nowhere(self) -> None:
        with db.transaction(db.system("tests")):
            assert queries.box("hidden@medecin.mssante.fr") is None
            assert queries.box("urgences@ch-arceau.mssante.fr") is None
            assert [each.address for each in queries.boxes_at("990000017")] == ["cardiologie@ch-arceau.mssante.fr"]
            (found,) = queries.search(rpps(1)).people
        assert "hidden" not in repr(found)

    def test_are_known_by_their_address_whatever_its_case(self) -> None:
        with db.transaction(db.system("tests")):
            found = queries.box(" Cardiologie@CH-Arceau.mssante.fr ")
            assert found is not None
            assert (found.kind, found.label) == ("ORG", "Cardiologie, CH DU VAL D’ARCEAU")
            mine = queries.box("lea.martin@chru-tours.mssante.fr")
            assert mine is not None
            assert (mine.rpps, mine.holder, mine.town) == (rpps(1)[1:], "Léa MARTIN", "TOURS CEDEX 9")
            assert queries.box("nobody@x.mssante.fr") is None
            assert queries.preferred(rpps(2)) is None


def test_occupations_are_listed_by_name() -> None:
    with db.transaction(db.system("tests")):
        assert queries.occupations() == [
            ("60", "Infirmier"), ("10", "Médecin"), ("10/SM02", "Médecin – Anesthésie-réanimation"),
            ("10/SM04", "Médecin – Cardiologie"),
        ]  # fmt: skip


class TestWhoSees:
    """Agents, practitioners and jobs; nobody else, and only jobs write."""

    def count(self, actor: Actor, table: str) -> int:
        with db.transaction(actor) as current:
            return int(current.scalar(text(f"select count(*) from {table}")) or 0)

    @pytest.mark.parametrize("table", ["directory_person", "directory_activity", "directory_box", "directory_import"])
    def test_rows(self, table: str) -> None:
        with db.transaction(db.system("tests")):
            account, patient = people.patient_with_account()
            professional = people.professional()
        from uuid import uuid4

        staff = Actor("staff", rights={"billing": frozenset({uuid4()})})
        assert self.count(staff, table) > 0
        assert self.count(Actor("professional", professional_id=professional.id), table) > 0
        assert self.count(db.ANONYMOUS, table) == 0
        assert self.count(Actor("patient", account_id=account.id, patients=frozenset({patient.id})), table) == 0
        for actor in (staff, db.ANONYMOUS):
            with db.transaction(actor) as current:
                assert current.execute(text(f"delete from {table}")).rowcount == 0

    def test_a_row_of_ones_own_making_is_refused(self) -> None:
        forged = text("insert into directory_word (kind, text, code) values ('family', 'x', '')")
        with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(db.ANONYMOUS) as current:
            current.execute(forged)


@pytest.mark.parametrize("typed", [{"name": "martin"}, {"name": "marton lea"}, {"place": "tours", "structure": "chru"}])
def test_a_search_takes_few_statements(
    typed: dict[str, str], statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with statements() as seen:
        search(**typed)
    assert len(seen) <= 11
