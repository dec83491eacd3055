"""Roles that a hospital names itself: they tick rights in forms, and give nothing by themselves."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from auth.agents.models import StaffRole
from auth.models import Account, StaffRight
from portal import db
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.factories import people
from tests.ground import audited, prepared, rows

SignIn = Callable[[Account], FlaskClient]
NIGHT = {"name": "Accueil de nuit", "rights": ["appointments", "documents"]}


def named(group: Group) -> StaffRole:
    with prepared():
        role = StaffRole(establishment_id=group.north.id, **NIGHT)
        db.session.add(role)
    return role


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="rights"[^>]*value="(\w+)"[^>]* checked', page))


class TestNaming:
    def test_a_role_is_named_changed_and_removed(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert "named no role of its own" in browser.get("/admin/agents/roles").text
        assert browser.post(f"/admin/agents/roles/{group.north.finess}/nouveau", data=NIGHT).status_code == 303
        (role,) = rows(StaffRole)
        address = f"/admin/agents/roles/{role.id}"
        assert ticked(browser.get(address).text) == {"appointments", "documents"}
        browser.post(address, data={"name": "Nuit", "rights": ["documents"]})
        assert [(each.name, each.rights) for each in rows(StaffRole)] == [("Nuit", ["documents"])]
        assert browser.post(f"{address}/supprimer").status_code == 303
        assert rows(StaffRole) == []
        assert [each for each in audited() if each.startswith("role.")] == ["role.saved", "role.saved", "role.removed"]

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ({"name": "", "rights": ["care"]}, "Name the role"),
            ({"name": "Jour"}, "Choose one right at least"),
            ({"name": "Accueil de nuit", "rights": ["care"]}, "This hospital has a role of that name"),
        ],
    )
    def test_what_is_wrong_is_said(self, group: Group, sign_in: SignIn, data: dict[str, object], why: str) -> None:
        named(group)
        answer = sign_in(group.administrator).post(f"/admin/agents/roles/{group.north.finess}/nouveau", data=data)
        assert answer.status_code == 422
        assert why in answer.text
        assert len(rows(StaffRole)) == 1


class TestUse:
    def test_it_ticks_rights_and_gives_none(self, group: Group, sign_in: SignIn) -> None:
        role, browser = named(group), sign_in(group.administrator)
        before = {(each.account_id, each.right) for each in rows(StaffRight)}
        rights = browser.get(f"/admin/agents/{group.clerk.id}/{group.north.finess}?role={role.id}")
        assert ticked(rights.text) == {"appointments", "documents"}
        assert ticked(browser.get(f"/admin/agents/inviter?role={role.id}").text) == {"appointments", "documents"}
        assert "Accueil de nuit" in rights.text
        assert {(each.account_id, each.right) for each in rows(StaffRight)} == before

    def test_the_page_says_how_many_have_just_these_rights(self, group: Group, sign_in: SignIn) -> None:
        named(group)
        with prepared():
            people.agent(group.north.id, "documents", "appointments", name="Nora Nuit")
        page = sign_in(group.administrator).get("/admin/agents/roles").text
        assert re.search(r"Accueil de nuit</th>.*?--numeric\">1</td>", page, re.DOTALL)


class TestOthers:
    def test_another_hospital_finds_nothing(self, group: Group, sign_in: SignIn) -> None:
        role = named(group)
        with prepared():
            stranger = people.agent(group.south.id, "administration", name="Simon Du-Sud")
        browser = sign_in(stranger)
        assert "Accueil de nuit" not in browser.get("/admin/agents/roles").text
        assert browser.get(f"/admin/agents/roles/{role.id}").status_code == 404
        assert browser.post(f"/admin/agents/roles/{role.id}/supprimer").status_code == 404
        assert browser.get(f"/admin/agents/roles/{group.north.finess}/nouveau").status_code == 404
        assert len(rows(StaffRole)) == 1

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get("/admin/agents/roles").status_code == 403
