"""Targets: a hospital's own aim, drawn as a line, with every former word."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from auth.models import Account
from portal.kpi.models import KpiTarget
from tests.admin.conftest import Group
from tests.admin.test_dashboard import happens, tiles
from tests.english import in_english  # noqa: F401 - pages are read in English
from tests.ground import audited, rows, today

SignIn = Callable[[Account], FlaskClient]
NORTH = "establishment=990000017"


def aim(browser: FlaskClient, code: str, value: str, query: str = NORTH, from_on: str = "") -> int:
    answer = browser.post(
        f"/admin/chiffres/{code}/cible?{query}", data={"value": value, "from_on": from_on or today().isoformat()}
    )
    return answer.status_code


class TestSetting:
    @pytest.mark.parametrize(
        ("code", "typed", "kept"),
        [("R2a", "45", 0.45), ("R2a", "12,5 %", 0.125), ("F1a", "1 500,50", 150_050), ("P1", "200", 200)],
    )
    def test_a_number_is_read_as_people_write_it(
        self, group: Group, sign_in: SignIn, code: str, typed: str, kept: float
    ) -> None:
        assert aim(sign_in(group.administrator), code, typed) == 303
        target = rows(KpiTarget)[0]
        assert (target.value, target.establishment_id, target.set_by_name) == (
            pytest.approx(kept), group.north.id, "Adam Administrateur",
        )  # fmt: skip
        assert "figure_target.set" in audited()

    @pytest.mark.parametrize("typed", ["beaucoup", "-3", "101", "1e9", "=1"])
    def test_what_is_no_number_of_this_figure_is_explained(self, group: Group, sign_in: SignIn, typed: str) -> None:
        assert aim(sign_in(group.administrator), "R2a", typed) == 422
        assert rows(KpiTarget) == []

    def test_days_far_away_are_refused(self, group: Group, sign_in: SignIn) -> None:
        assert aim(sign_in(group.administrator), "R2a", "45", from_on="2199-01-01") == 422

    def test_an_empty_one_withdraws_it_and_any_former_one_is_set_again(self, group: Group, sign_in: SignIn) -> None:
        administrator = sign_in(group.administrator)
        aim(administrator, "R2a", "45")
        aim(administrator, "R2a", "")
        page = administrator.get(f"/admin/chiffres/R2a/cible?{NORTH}").text
        assert page.index("Withdrawn") < page.index("45%")
        first = next(each for each in rows(KpiTarget) if each.value is not None)
        again = administrator.post(f"/admin/chiffres/R2a/cible/{first.id}/reprendre?{NORTH}")
        assert again.status_code == 303
        assert sorted(each.value or 0 for each in rows(KpiTarget)) == [0, 0.45, 0.45]


class TestWhere:
    def test_another_hospital_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        assert aim(sign_in(group.administrator), "R2a", "45", "establishment=990000025") == 404

    def test_the_group_is_aimed_at_by_who_administers_all_of_it(self, group: Group, sign_in: SignIn) -> None:
        assert aim(sign_in(group.administrator), "R2a", "45", "") == 403
        assert aim(sign_in(group.director), "R2a", "45", "") == 303

    def test_another_hospitals_target_is_not_set_again_here(self, group: Group, sign_in: SignIn) -> None:
        aim(sign_in(group.director), "R2a", "45", "establishment=990000025")
        south = rows(KpiTarget)[0]
        path = f"/admin/chiffres/R2a/cible/{south.id}/reprendre"
        assert sign_in(group.administrator).post(f"{path}?{NORTH}").status_code == 404

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get(f"/admin/chiffres/R2a/cible?{NORTH}").status_code == 403


class TestShowing:
    def test_tiles_and_charts_say_whether_it_is_reached(self, group: Group, sign_in: SignIn) -> None:
        booked = {"establishment_id": group.north.id, "dimension": "open_online"}
        happens("appointment_booked", 50, **booked)
        happens("appointment_booked", 50, **booked, channel="phone", audience="staff")
        administrator = sign_in(group.administrator)
        for typed, said in (("60", "Target: 60%, not reached"), ("40", "Target: 40%, reached")):
            aim(administrator, "R2a", typed)
            page = administrator.get(f"/admin/chiffres/services/appointments?{NORTH}").text
            assert said in tiles(page)["R2a"]
            assert "app-chart__target-text" in administrator.get(f"/admin/chiffres/R2a?{NORTH}").text
        everywhere = tiles(administrator.get("/admin/chiffres/services/appointments").text)
        assert "Target" not in everywhere["R2a"], "the aim of one hospital is not that of several"
