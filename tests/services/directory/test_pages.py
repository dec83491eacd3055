"""The directory's pages: practitioners and agents find somebody, read where they work and how to write to them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from auth.models import Account
from services.directory import loading
from services.directory.models import DirectoryImport
from tests import ground
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories.directory import box, boxes_file, people_file, person, rpps

SignIn = Callable[[Account | UUID], FlaskClient]
LONG = "DE LA ROCHEFOUCAULD-MONTMORENCY-LAVAL DE SAINT-AUBIN"


@pytest.fixture(autouse=True)
def directory(app: object, tmp_path: Path) -> None:
    lines = [person(n, "MARTIN", f"Prénom{n:02}") for n in range(30)]
    lines += [person(40, LONG, "Marie-Élisabeth", structure_id="", name="", finess="", postcode="", town="")]
    wrong = person(41) | {"id": "81234"}
    boxes = [
        box("p1@medecin.mssante.fr", 1),
        box("p1@chru-tours.mssante.fr", 1, structure="370000481"),
        box("secret@medecin.mssante.fr", 1, red_list="O"),
        box("cardiologie@ch.mssante.fr", service="Cardiologie"),
    ]
    people, boxed = people_file(tmp_path / "people.txt", [*lines, wrong]), tmp_path / "boxes.txt"
    loading.load([people, boxes_file(boxed, boxes, "red_list")])


@pytest.fixture
def agent(sign_in: SignIn) -> FlaskClient:
    with ground.prepared():
        account = people.agent(hospitals.hospital().establishment.id, "documents")
    return sign_in(account)


@pytest.fixture
def practitioner(sign_in: SignIn) -> FlaskClient:
    with ground.prepared():
        professional = people.professional()
    return sign_in(professional.account_id)


@pytest.fixture(params=["/admin/annuaire", "/pro/annuaire"])
def asked(request: pytest.FixtureRequest) -> tuple[FlaskClient, str]:
    """A browser, and the address of its search."""
    return request.getfixturevalue("agent" if "admin" in request.param else "practitioner"), request.param


class TestSearch:
    def test_says_what_to_type_before_anything_is_asked(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        assert "Who are you looking for?" in browser.get(address).text

    def test_lists_people_page_by_page(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        first = browser.get(address, query_string={"name": "martin"}).text
        assert "MARTIN Prénom00" in first
        assert "MARTIN Prénom25" not in first
        assert "page=2" in first
        second = browser.get(address, query_string={"name": "martin", "page": "2"}).text
        assert "MARTIN Prénom25" in second
        assert "page=3" not in second

    def test_says_when_names_only_look_alike(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        page = browser.get(address, query_string={"name": "marton"}).text
        assert "Names that look like it" in page
        assert "MARTIN Prénom00" in page

    def test_asks_for_more_or_for_less(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        assert "That is thousands of people" in browser.get(address, query_string={"occupation": "10"}).text
        assert "Nobody is found" in browser.get(address, query_string={"name": "zzzzz"}).text

    @pytest.mark.parametrize("field", ["name", "place", "structure"])
    def test_refuses_what_is_too_long(self, asked: tuple[FlaskClient, str], field: str) -> None:
        browser, address = asked
        answer = browser.get(address, query_string={field: "x" * 500})
        assert answer.status_code == 422
        assert "Type fewer letters." in answer.text

    @pytest.mark.parametrize("query", [{"page": "x"}, {"page": "-3"}, {"page": "9" * 30}, {"occupation": "x'y"}])
    def test_bears_any_address(self, asked: tuple[FlaskClient, str], query: dict[str, str]) -> None:
        browser, address = asked
        assert browser.get(address, query_string={"name": "martin"} | query).status_code == 200

    def test_takes_few_statements(
        self, asked: tuple[FlaskClient, str], statements: Callable[[], AbstractContextManager[list[str]]]
    ) -> None:
        browser, address = asked
        browser.get(address)
        with statements() as seen:
            browser.get(address, query_string={"name": "martin", "place": "arceau"})
        assert len(seen) <= 12


class TestAPerson:
    def test_is_shown_with_their_places_and_boxes(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        page = browser.get(f"{address}/{rpps(1)}").text
        for shown in (
            "p1@medecin.mssante.fr",
            "p1@chru-tours.mssante.fr",
            "CH DU VAL D’ARCEAU",
            "Cardiologie",
            "91990 ARCEAU",
        ):
            assert shown in page

    def test_never_shows_the_red_list(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        for page in (f"{address}/{rpps(1)}", f"{address}?name={rpps(1)}"):
            assert "secret@" not in browser.get(page).text

    def test_may_have_no_place_and_no_box(self, asked: tuple[FlaskClient, str]) -> None:
        browser, address = asked
        page = browser.get(f"{address}/{rpps(40)}").text
        assert "publishes no box" in page
        assert "No structure published" in page

    @pytest.mark.parametrize("identity", ["80000000000", "nobody", "x" * 33])
    def test_nobody_knows_is_not_found(self, asked: tuple[FlaskClient, str], identity: str) -> None:
        browser, address = asked
        assert browser.get(f"{address}/{identity}").status_code == 404


class TestForAgents:
    def test_a_structure_has_its_own_boxes(self, agent: FlaskClient) -> None:
        assert "/admin/annuaire/structures/990000017" in agent.get(f"/admin/annuaire/{rpps(1)}").text
        page = agent.get("/admin/annuaire/structures/990000017").text
        assert "cardiologie@ch.mssante.fr" in page
        assert "p1@" not in page
        assert agent.get("/admin/annuaire/structures/000000000").status_code == 404

    def test_files_are_listed_with_what_they_brought(self, agent: FlaskClient) -> None:
        page = agent.get("/admin/annuaire/imports").text
        assert "People and where they work" in page
        assert "MSSanté boxes" in page
        (people_import,) = [each for each in ground.rows(DirectoryImport) if each.kind == "people"]
        report = agent.get(f"/admin/annuaire/imports/{people_import.id}").text
        assert "The RPPS number has not 11 digits." in report
        assert agent.get(f"/admin/annuaire/imports/{uuid4()}").status_code == 404

    def test_a_refused_file_says_why(self, agent: FlaskClient, tmp_path: Path) -> None:
        loading.load([people_file(tmp_path / "few.txt", [person(1)])])
        (refused,) = [each for each in ground.rows(DirectoryImport) if each.state == "refused"]
        page = agent.get(f"/admin/annuaire/imports/{refused.id}").text
        assert "It would take away 30 lines of 31." in page

    def test_an_agent_without_the_right_is_refused(self, sign_in: SignIn) -> None:
        with ground.prepared():
            account = people.agent(hospitals.hospital().establishment.id, "billing")
        for page in ("", "/imports", f"/{rpps(1)}"):
            assert sign_in(account).get(f"/admin/annuaire{page}").status_code == 403


@pytest.mark.parametrize("page", ["/admin/annuaire", "/pro/annuaire", f"/pro/annuaire/{rpps(1)}"])
def test_nobody_else_comes_in(client: FlaskClient, page: str, sign_in: SignIn) -> None:
    assert client.get(page).status_code in (302, 303)
    with ground.prepared():
        account, _patient = people.patient_with_account()
    assert sign_in(account).get(page).status_code in (302, 303, 403)
