"""Saved views: a page of figures found again, shared with a hospital, opened first. They hold no figure."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import ProgrammingError

from auth.figure_views import actions
from auth.figure_views.models import FigureView, FigureViewStart
from auth.models import Account
from portal import db
from portal.db import Actor
from tests.admin.conftest import Group
from tests.english import in_english  # noqa: F401 - pages are read in English
from tests.factories import people
from tests.ground import audited, count, prepared, rows

SignIn = Callable[[Account], FlaskClient]
PATH = "/admin/chiffres/vues"


def save(browser: FlaskClient, name: str, query: str = "page=home&period=13-months", **given: str) -> int:
    data = {"name": name, "shared_with": "", "once": str(uuid4())} | given
    return browser.post(f"{PATH}/nouvelle?{query}", data=data).status_code


def administering(account: Account, *places: object) -> Actor:
    return Actor("staff", account.name, account.id, rights={"administration": frozenset(places)})  # type: ignore[arg-type]  # hospitals' ids


class TestSaving:
    def test_what_was_chosen_is_found_again(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        query = "page=service&subject=billing&period=this-year&grain=month&compared=year&establishment=990000017"
        assert save(director, "  Board   of directors ", query) == 303
        listed = director.get(PATH).text
        assert "Board of directors" in listed
        found = rows(FigureView)[0]
        assert found.choice == {
            "period": "this-year", "grain": "month", "compared": "year", "establishment": "990000017",
        }  # fmt: skip
        address = "/admin/chiffres/services/billing?period=this-year&amp;grain=month"
        assert address in listed
        assert director.get(address.replace("&amp;", "&")).status_code == 200
        assert "figure_view.saved" in audited()

    def test_a_comparison_keeps_its_figure_and_its_period(self, group: Group, sign_in: SignIn) -> None:
        save(sign_in(group.director), "Ranks", "page=comparison&figure=P1&period=last-month")
        assert rows(FigureView)[0].choice == {"figure": "P1", "period": "last-month"}

    @pytest.mark.parametrize(
        "query", ["page=journal", "page=service&subject=nothing", "page=figure&subject=Z9", "page=home&subject=R1"]
    )
    def test_a_page_that_there_is_not_is_not_kept(self, group: Group, sign_in: SignIn, query: str) -> None:
        assert save(sign_in(group.director), "Odd", query) == 404

    def test_a_name_is_needed_and_serves_once(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        assert save(director, "  ") == 422
        assert save(director, "x" * 81) == 422
        assert save(director, "Mine") == 303
        assert save(director, "Mine") == 422
        assert save(sign_in(group.administrator), "Mine") == 303, "a colleague's names are theirs"

    def test_nobody_keeps_more_than_fifty(self, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "MOST_VIEWS", 1)
        with db.transaction(administering(group.director, group.north.id)):
            actions.save("One", "home", "", {})
            with pytest.raises(actions.TooManyViews):
                actions.save("Two", "home", "", {})


class TestSharing:
    def test_those_who_administer_the_hospital_open_it_and_do_not_remove_it(
        self, group: Group, sign_in: SignIn
    ) -> None:
        director, administrator = sign_in(group.director), sign_in(group.administrator)
        save(director, "For the north", shared_with=str(group.north.id))
        view = rows(FigureView)[0]
        assert "For the north" in administrator.get(PATH).text
        assert administrator.post(f"{PATH}/{view.id}/retirer").status_code == 404
        assert administrator.get(f"{PATH}/{view.id}/partager").status_code == 404
        assert administrator.post(f"{PATH}/{view.id}/commencer").status_code == 303

    def test_it_is_kept_to_oneself_again(self, group: Group, sign_in: SignIn) -> None:
        director, administrator = sign_in(group.director), sign_in(group.administrator)
        save(director, "For the north", shared_with=str(group.north.id))
        view = rows(FigureView)[0]
        administrator.post(f"{PATH}/{view.id}/commencer")
        assert director.post(f"{PATH}/{view.id}/partager", data={"shared_with": ""}).status_code == 303
        assert "For the north" not in administrator.get(PATH).text
        assert administrator.get("/admin/").status_code == 200, "who started with it has the usual figures again"

    def test_a_view_of_one_hospital_is_shared_with_no_other(self, group: Group, sign_in: SignIn) -> None:
        query = "page=home&establishment=990000017"
        assert save(sign_in(group.director), "North", query, shared_with=str(group.south.id)) == 422

    def test_with_a_hospital_that_one_does_not_administer_neither(self, group: Group, sign_in: SignIn) -> None:
        assert save(sign_in(group.administrator), "South", shared_with=str(group.south.id)) == 422


class TestStarting:
    def test_the_dashboard_opens_with_it_and_an_address_that_asks_wins(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        save(director, "Payments", "page=service&subject=billing&period=13-months", starts="y")
        start = director.get("/admin/")
        assert start.headers["Location"] == "/admin/chiffres/services/billing?period=13-months"
        assert director.get("/admin/?period=7-days").status_code == 200
        assert director.post(f"{PATH}/ne-plus-commencer").status_code == 303
        assert director.get("/admin/").status_code == 200

    def test_removing_it_gives_the_usual_figures_back(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        save(director, "Payments", "page=service&subject=billing", starts="y")
        assert director.post(f"{PATH}/{rows(FigureView)[0].id}/retirer").status_code == 303
        assert (count(FigureView), count(FigureViewStart)) == (0, 0)
        assert director.get("/admin/").status_code == 200

    def test_a_view_of_a_hospital_that_one_left_does_not_bar_the_door(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            people.grant(group.administrator, group.south.id, "administration")
        administrator = sign_in(group.administrator)
        save(administrator, "South", "page=home&establishment=990000025", starts="y")
        assert administrator.get("/admin/").status_code == 302
        with prepared():
            db.session.execute(
                people.StaffRight.__table__.delete().where(people.StaffRight.establishment_id == group.south.id)
            )
        assert sign_in(group.administrator).get("/admin/").status_code == 200


class TestRowLevelSecurity:
    @pytest.fixture
    def two(self, group: Group) -> Group:
        with db.transaction(administering(group.director, group.north.id, group.south.id)):
            actions.start_with(actions.save("Alone", "home", "", {}))
            actions.save("Shared", "home", "", {}, establishment_id=group.north.id)
        return group

    def seen(self, actor: Actor) -> list[str]:
        with db.transaction(actor) as current:
            return sorted(view.name for view in current.query(FigureView))

    def test_a_colleague_sees_what_is_shared_at_their_hospital_and_a_stranger_nothing(self, two: Group) -> None:
        assert self.seen(administering(two.director)) == ["Alone", "Shared"]
        assert self.seen(administering(two.administrator, two.north.id)) == ["Shared"]
        assert self.seen(administering(two.administrator, two.south.id)) == []
        assert self.seen(Actor("anonymous", "")) == []
        with db.transaction(administering(two.administrator, two.north.id)) as current:
            assert current.query(FigureViewStart).all() == []

    def test_nobody_writes_in_a_colleagues_name_or_at_anothers_hospital(self, two: Group) -> None:
        for place, owner in ((None, two.director.id), (two.south.id, two.administrator.id)):
            view = FigureView(id=uuid4(), account_id=owner, establishment_id=place, name="x", page="home", choice={})
            with pytest.raises(ProgrammingError):
                _write(view, administering(two.administrator, two.north.id))


def _write(view: FigureView, actor: Actor) -> None:
    with db.transaction(actor) as current:
        current.add(view)
        current.flush()
