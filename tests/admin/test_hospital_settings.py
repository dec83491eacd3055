"""Every setting of a hospital has a page: help, what may stand in it, who changed it, and the way back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from admin import settings_catalogue as catalogue
from portal import db, establishments
from portal.establishments import EstablishmentSetting, SettingChange
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.factories import people
from tests.ground import audited, count, prepared, rows

SignIn = Callable[..., FlaskClient]
BASE = "/admin/hopitaux/990000017/reglages"
ROOT = Path(__file__).parents[2]
_CONSTANT = re.compile(
    r'^[A-Z_]*(?:SETTING|HOURS|OPTIONS|BOOKING|PHONE|_SYSTEM|FORMAT|CONFIDENTIAL)[^=\n]*= "([a-z_.]+)"', re.M
)
NO_SETTINGS = {"csv", "hl7"}


def _changes(group: Group) -> list[SettingChange]:
    return sorted(rows(SettingChange), key=lambda each: each.changed_at)


class TestChoosing:
    def test_a_setting_is_changed_and_its_history_says_by_whom(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        page = f"{BASE}/data_protection_email"
        assert "Data protection officer" in browser.get(page).text
        assert browser.post(page, data={"value": "DPO@nord.example"}).status_code == 303
        assert browser.post(page, data={"value": "dpd@nord.example"}).status_code == 303
        assert [(each.former, each.value, each.by_name) for each in _changes(group)] == [
            (None, "DPO@nord.example", "Adam Administrateur"),
            ("DPO@nord.example", "dpd@nord.example", "Adam Administrateur"),
        ]
        assert audited().count("setting.changed") == 2
        assert "Adam Administrateur" in browser.get(BASE).text

    def test_the_same_value_again_is_no_change(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        for _time in range(2):
            assert browser.post(f"{BASE}/guest_invitations", data={"value": "yes"}).status_code == 303
        assert count(SettingChange) == 1

    def test_emptied_it_is_what_is_done_by_default(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            people.grant(group.administrator, group.north.id, "billing")
        browser = sign_in(group.administrator)
        for value in ("0", ""):
            assert browser.post(f"{BASE}/refund_two_persons_from_cents", data={"value": value}).status_code == 303
        assert count(EstablishmentSetting) == 0
        assert [(each.former, each.value) for each in _changes(group)] == [(None, "0"), ("0", None)]

    def test_an_administrator_alone_does_not_choose_where_money_goes(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert "hold the right “Bills” too" in browser.get(f"{BASE}/payfip_numcli").text
        assert browser.post(f"{BASE}/payfip_numcli", data={"value": "123456"}).status_code == 404
        assert count(EstablishmentSetting) == 0

    @pytest.mark.parametrize(
        ("key", "wrong"),
        [
            ("data_protection_email", "nobody"),
            ("dormant_agents_days", "many"),
            ("dormant_agents_days", "99999999999999999999"),
            ("dormant_agents_days", "00000000909999999999"),
            ("refund_two_persons_from_cents", "-1"),
            ("image_viewer_url", "http://images.example/{study}"),
            ("payfip_numcli", "12"),
            ("his_documents_format", "fax"),
            ("fhir_ipp_system", "javascript:alert(1)"),
            ("maternity_reason", "the second"),
            ("maternity_unnamed_phone", "call us"),
            ("mssante_type_code", "?"),
        ],
    )
    def test_what_would_not_be_obeyed_is_refused(self, group: Group, sign_in: SignIn, key: str, wrong: str) -> None:
        with prepared():
            people.grant(group.administrator, group.north.id, "billing")
        answer = sign_in(group.administrator).post(f"{BASE}/{key}", data={"value": wrong})
        assert answer.status_code == 422
        assert count(EstablishmentSetting) == 0

    @pytest.mark.parametrize("key", ["stripe_enabled", "retention_drafts", "his_url", "unheard_of"])
    def test_what_another_page_chooses_is_not_chosen_here(self, group: Group, sign_in: SignIn, key: str) -> None:
        assert sign_in(group.director).post(f"{BASE}/{key}", data={"value": "yes"}).status_code in (404, 422)
        assert count(EstablishmentSetting) == 0


class TestGoingBack:
    def test_the_former_value_comes_back_and_is_a_change_too(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        for value in ("a@nord.example", "b@nord.example"):
            browser.post(f"{BASE}/data_protection_email", data={"value": value})
        first, second = _changes(group)
        assert browser.post(f"{BASE}/data_protection_email/revenir/{second.id}").status_code == 303
        assert [each.value for each in rows(EstablishmentSetting)] == ["a@nord.example"]
        assert browser.post(f"{BASE}/data_protection_email/revenir/{first.id}").status_code == 303
        assert count(EstablishmentSetting) == 0
        assert count(SettingChange) == 4

    def test_a_secret_is_in_no_history_and_never_shown(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            establishments.change_setting(group.north.id, "his_url", "mllp://10.1.2.3:2575", secret=True)
        (change,) = rows(SettingChange)
        assert (change.secret, change.former, change.value) == (True, None, None)
        browser = sign_in(group.administrator)
        for page in (BASE, f"{BASE}/his_url"):
            assert "10.1.2.3" not in browser.get(page).text
        assert browser.post(f"{BASE}/his_url/revenir/{change.id}").status_code == 404

    def test_nobody_goes_back_in_another_hospital(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            establishments.change_setting(group.south.id, "data_protection_email", "dpo@sud.example")
        (change,) = rows(SettingChange)
        browser = sign_in(group.administrator)
        assert browser.post(f"{BASE}/data_protection_email/revenir/{change.id}").status_code == 404

    def test_another_hospitals_history_is_not_there(self, group: Group) -> None:
        with prepared():
            establishments.change_setting(group.south.id, "data_protection_email", "dpo@sud.example")
        with db.transaction(people.as_agent(group.administrator, group.north.id, "administration")):
            assert establishments.history(group.south.id) == []
        with db.transaction(people.as_agent(group.director, group.south.id, "administration")):
            assert len(establishments.history(group.south.id)) == 1

    def test_a_history_is_never_rewritten(self, group: Group) -> None:
        with prepared():
            establishments.change_setting(group.north.id, "data_protection_email", "dpo@nord.example")
        with pytest.raises(Exception, match="permission denied"), prepared():
            db.session.query(SettingChange).delete()


class TestDeclared:
    def test_every_setting_has_a_title_a_help_and_a_page_that_exists(self, app: Flask) -> None:
        endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
        for each in catalogue.every().values():
            assert str(each.title), each.key
            assert str(each.help), each.key
            assert each.group in catalogue.GROUPS, each.key
            assert not each.page or each.page in endpoints, each.key

    def test_every_key_that_a_room_reads_is_declared(self, app: Flask) -> None:
        named = {
            key
            for folder in ("auth", "services")
            for path in (ROOT / folder).rglob("*.py")
            if "establishments.setting" in (text := path.read_text()) or "Setting of a hospital" in text
            for key in _CONSTANT.findall(text)
        }
        assert len(named) > 5
        assert named - NO_SETTINGS <= set(catalogue.every())
