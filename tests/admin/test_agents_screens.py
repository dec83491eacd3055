"""The screens about agents: rights to confirm, departures, another way in, the matrix."""

import csv
import re
from collections.abc import Callable
from io import StringIO
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.agents.models import RightRequest, StaffUnit
from auth.models import Account, Identity, StaffInvitation, StaffRight
from portal import db
from portal.db import RIGHTS
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.factories import agents, appointments, hospitals, people
from tests.ground import count, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]


def ask(group: Group, right: str = "administration") -> RightRequest:
    with prepared():
        return agents.request(group.clerk, group.north.id, right, group.administrator)


class TestRightsToConfirm:
    def test_are_announced_and_answered_by_another_administrator(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/agents/{group.clerk.id}/{group.north.finess}"
        sign_in(group.administrator).post(path, data={"rights": ["preadmission", "audit"]})
        (request,) = rows(RightRequest)
        director = sign_in(group.director)
        assert "One right waits" in director.get("/admin/agents?lang=en").text
        page = director.get("/admin/agents/demandes?lang=en").text
        assert "Clara Clerc" in page
        assert "Adam Administrateur" in page
        assert director.post(f"/admin/agents/demandes/{request.id}/confirmer").status_code == 303
        assert {each.right for each in rows(StaffRight) if each.account_id == group.clerk.id} == {
            "preadmission", "audit"
        }  # fmt: skip

    def test_offer_no_button_to_whoever_asked(self, group: Group, sign_in: SignIn) -> None:
        request = ask(group)
        browser = sign_in(group.administrator)
        page = browser.get("/admin/agents/demandes?lang=en").text
        assert "Confirm" not in re.sub("confirm", "", page)
        assert browser.post(f"/admin/agents/demandes/{request.id}/confirmer").status_code == 403
        assert browser.post(f"/admin/agents/demandes/{request.id}/refuser").status_code == 303

    def test_of_another_hospital_are_not_found(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            request = agents.request(group.clerk, group.south.id, "audit", group.director)
        browser = sign_in(group.administrator)
        assert "Clara" not in browser.get("/admin/agents/demandes").text
        for act in ("confirmer", "refuser"):
            assert browser.post(f"/admin/agents/demandes/{request.id}/{act}").status_code == 404

    def test_that_lapsed_say_so(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            request = agents.request(group.clerk, group.north.id, "audit", group.administrator, expires_at=db.now())
        browser = sign_in(group.director)
        answer = browser.post(f"/admin/agents/demandes/{request.id}/confirmer")
        assert answer.status_code == 303
        assert "no longer valid" in browser.get("/admin/agents/demandes?lang=en").text
        assert [each.outcome for each in rows(RightRequest)] == ["lapsed"]

    def test_a_single_administrator_is_told_what_to_do(self, group: Group, sign_in: SignIn) -> None:
        assert "parvis admin invite" in sign_in(group.director).get("/admin/agents/demandes?lang=en").text

    def test_show_an_empty_list(self, group: Group, sign_in: SignIn) -> None:
        assert "No right is waiting" in sign_in(group.administrator).get("/admin/agents/demandes?lang=en").text


class TestADeparture:
    def test_says_what_ends_then_ends_it(self, group: Group, sign_in: SignIn) -> None:
        clerk, browser = sign_in(group.clerk), sign_in(group.administrator)
        assert clerk.get("/admin/pre-admissions").status_code in (200, 308)
        path = f"/admin/agents/{group.clerk.id}/{group.north.finess}/depart"
        assert "Their sessions, on every device." in browser.get(path + "?lang=en").text
        assert browser.post(path).status_code == 303
        assert clerk.get("/admin/pre-admissions").status_code == 303
        assert browser.get(path).status_code == 404

    def test_of_the_last_administrator_is_refused(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/agents/{group.director.id}/{group.south.finess}/depart"
        assert sign_in(group.director).post(path).status_code == 409

    def test_of_another_hospitals_agent_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/agents/{group.clerk.id}/{group.south.finess}/depart"
        assert sign_in(group.administrator).post(path).status_code == 404


class TestAnotherWayIn:
    FORM = {"provider": "proconnect", "email": "clara@hopital.test", "siret": "999 000 011 00018"}

    def test_is_mailed_and_never_shown(self, group: Group, sign_in: SignIn) -> None:
        browser, path = sign_in(group.administrator), f"/admin/agents/{group.clerk.id}/{group.north.finess}/porte"
        answer = browser.post(path, data=self.FORM | {"once": str(uuid4())})
        assert answer.status_code == 303
        assert "invitation=" not in browser.get(answer.headers["Location"]).text
        (invitation,) = rows(StaffInvitation)
        assert (invitation.account_id, invitation.siret, invitation.rights) == (group.clerk.id, "99900001100018", [])

    @pytest.mark.parametrize(
        "wrong",
        [{"siret": ""}, {"siret": "12345678901234"}, {"siret": "x"}, {"email": ""}, {"provider": "local"},
         {"provider": "prosanteconnect"}, {"provider": "x"}],
    )  # fmt: skip
    def test_explains_a_wrong_answer(self, group: Group, sign_in: SignIn, wrong: dict[str, str]) -> None:
        path = f"/admin/agents/{group.clerk.id}/{group.north.finess}/porte"
        data = self.FORM | {"once": str(uuid4())} | wrong
        assert sign_in(group.administrator).post(path, data=data).status_code == 422
        assert count(StaffInvitation) == 0

    def test_by_pro_sante_connect_takes_the_national_number(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/agents/{group.clerk.id}/{group.north.finess}/porte"
        data = self.FORM | {"once": str(uuid4()), "provider": "prosanteconnect", "subject_name_id": "99700000021"}
        assert sign_in(group.administrator).post(path, data=data).status_code == 303
        (invitation,) = rows(StaffInvitation)
        assert (invitation.subject_name_id, invitation.siret) == ("899700000021", "")


class TestUnits:
    def test_are_kept_for_that_hospital_alone(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            north, south = (
                hospitals.unit(place, hospitals.site(place, f"99000{n}", "Annexe"), f"2{n}", "Imagerie")
                for n, place in enumerate((group.north, group.south))
            )
        browser, path = sign_in(group.administrator), f"/admin/agents/{group.clerk.id}/{group.north.finess}"
        answer = browser.post(path, data={"rights": ["preadmission"], "units": [str(south.id)]})
        assert answer.status_code == 422
        answer = browser.post(path, data={"rights": ["preadmission"], "units": [str(north.id)]})
        assert answer.status_code == 303
        assert [each.unit_id for each in rows(StaffUnit)] == [north.id]
        assert "Imagerie" in browser.get("/admin/agents").text

    def test_come_first_in_the_agents_lists(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            annexe = hospitals.site(group.north, "990009", "Annexe")
            first = hospitals.unit(group.north, annexe, "98", "Accueil")
            last = hospitals.unit(group.north, annexe, "99", "Zoothérapie")
            for unit in (first, last):
                appointments.reason(unit)
            agent = people.agent(group.north.id, "appointments", name="Zoé")
        browser = sign_in(agent)
        assert "Accueil: list" in browser.get("/admin/rendez-vous?lang=en").text
        with prepared():
            db.session.add(StaffUnit(account_id=agent.id, unit_id=last.id, establishment_id=group.north.id))
        assert "Zoothérapie: list" in browser.get("/admin/rendez-vous?lang=en").text


class TestInvitingByFunction:
    def test_ticks_the_rights_of_the_function(self, group: Group, sign_in: SignIn) -> None:
        page = sign_in(group.administrator).get("/admin/agents/inviter?role=secretary").text
        ticked = re.findall(r'name="rights"[^>]*value="([a-z]+)" checked', page)
        assert ticked == ["appointments", "documents", "referrals"]

    @pytest.mark.parametrize("role", ["", "root", "%00"])
    def test_ticks_nothing_for_one_we_do_not_know(self, group: Group, sign_in: SignIn, role: str) -> None:
        page = sign_in(group.administrator).get(f"/admin/agents/inviter?role={role}").text
        assert not re.findall(r'name="rights"[^>]*checked', page)

    def test_a_local_account_shows_no_link(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        data = {"email": "nina@hopital.test", "establishment": "990000017", "rights": ["billing"],
                "provider": "local", "name": "Nina Neuve", "once": str(uuid4())}  # fmt: skip
        answer = browser.post("/admin/agents/inviter", data=data)
        assert answer.headers["Location"] == "/admin/agents"
        assert "Nina Neuve" in [each.name for each in rows(Account)]


class TestTheMatrix:
    def crowd(self, group: Group, number: int) -> None:
        with prepared():
            unit = hospitals.unit(group.north, hospitals.site(group.north, "990001", "Annexe"), "77", "Imagerie")
            for rank in range(number):
                one = Account(id=uuid4(), audience="staff", name=f"Agent {rank:03d}", email=f"a{rank}@hopital.test")
                db.session.add(one)
                db.session.flush()
                for right in RIGHTS[: rank % 5 + 1]:
                    db.session.add(StaffRight(account_id=one.id, establishment_id=group.north.id, right=right))
                db.session.add(StaffUnit(account_id=one.id, unit_id=unit.id, establishment_id=group.north.id))
                db.session.add(Identity(issuer="https://pc", subject=str(rank), account_id=one.id, acr="eidas2",
                                        amr="pwd mfa", last_used_at=db.now()))  # fmt: skip

    def test_of_five_hundred_agents_costs_twelve_statements_at_most(
        self, app: Flask, group: Group, sign_in: SignIn
    ) -> None:
        self.crowd(group, 500)
        browser = sign_in(group.administrator)
        for path in ("/admin/agents/matrice", "/admin/agents/matrice.csv", "/admin/agents"):
            with executed(app) as statements:
                assert browser.get(path).status_code == 200
            assert len(statements) <= 12, (path, statements)

    def test_says_who_may_what_where_and_how_they_sign_in(self, group: Group, sign_in: SignIn) -> None:
        self.crowd(group, 1)
        page = sign_in(group.administrator).get("/admin/agents/matrice?lang=en").text
        for told in ("Agent 000", "Imagerie", "eidas2 (pwd mfa)", "Appointments agent"):
            assert told in page

    def test_of_another_hospital_is_not_shown(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            people.agent(group.south.id, "billing", name="Sam Sud")
        for path in ("/admin/agents/matrice", "/admin/agents/matrice.csv"):
            assert "Sam Sud" not in sign_in(group.administrator).get(path).text

    def test_in_a_spreadsheet_holds_no_formula(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            db.session.get_one(Account, group.clerk.id).name = '=HYPERLINK("http://x","y")'
        answer = sign_in(group.administrator).get("/admin/agents/matrice.csv")
        lines = list(csv.reader(StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))
        assert any(line[0].startswith("'=HYPERLINK") for line in lines)
        assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)

    def test_flags_the_dormant(self, group: Group, sign_in: SignIn) -> None:
        from datetime import timedelta

        with prepared():
            db.session.get_one(Account, group.clerk.id).created_at = db.now() - timedelta(days=91)
        assert "Dormant" in sign_in(group.administrator).get("/admin/agents/matrice?lang=en").text
