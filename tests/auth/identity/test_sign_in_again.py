"""What the provider says today is kept to the letter; who changed is another question, left to people."""

from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from auth import actions
from auth.franceconnect import PivotIdentity
from auth.identity.models import PossibleDuplicate
from auth.models import Account, Patient
from auth.oidc.client import SignIn
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from tests.factories import hospitals, people
from tests.ground import audited, count, prepared, rows

HER = PivotIdentity(
    birth_name="LE GOFF",
    used_name=None,
    first_names=("ANNE-MARIE", "JEANNE"),
    birth_on=date(1951, 1, 1),
    birth_on_raw="1951-00-00",
    sex="F",
    birthplace_insee="2A004",
    birthplace_text="",
    birthcountry_insee="99100",
    email="anne@exemple.test",
)


def sign_in(identity: PivotIdentity, subject: str = "her") -> Account:
    vouched = SignIn.__new__(SignIn)
    for name, value in {"issuer": "https://fc", "subject": subject, "acr": "eidas1", "amr": ("pwd",)}.items():
        object.__setattr__(vouched, name, value)
    with db.transaction(db.system("auth.sign_in")):
        return actions.patient_account(vouched, identity)


def her() -> Patient:
    return rows(Patient)[0]


@pytest.fixture(autouse=True)
def _application(app: Flask) -> None:
    """The tables are empty, and the application is there."""


class TestTheFirstTime:
    def test_every_trait_is_kept_to_the_letter(self) -> None:
        sign_in(HER)
        made = her()
        assert (made.birth_name, made.first_names, made.birth_on, made.birth_on_raw) == (
            "LE GOFF", ["ANNE-MARIE", "JEANNE"], date(1951, 1, 1), "1951-00-00",
        )  # fmt: skip
        assert (made.sex, made.birthplace_insee, made.identity_status) == ("F", "2A004", "PROV")

    def test_somebody_of_europe_has_words_for_a_birthplace_and_perhaps_no_sex(self) -> None:
        sign_in(replace(HER, sex="", birthplace_insee="", birthcountry_insee="", birthplace_text="Αθήνα"))
        assert (her().sex, her().birthplace_insee, her().birthplace_text) == ("", "", "Αθήνα")


class TestAgain:
    def test_nothing_changes_when_nothing_did(self) -> None:
        for _time in range(2):
            sign_in(HER)
        assert "traits.changed" not in audited()
        assert count(Patient) == 1

    def test_a_new_name_of_use_is_taken_over(self) -> None:
        sign_in(HER)
        account = sign_in(replace(HER, used_name="MARTIN"))
        assert her().used_name == "MARTIN"
        assert account.name == "ANNE-MARIE MARTIN"

    def test_the_audit_says_that_traits_changed_and_not_which(self) -> None:
        sign_in(HER)
        sign_in(replace(HER, birth_name="LE GOF"))
        (line,) = [event for event in rows(AuditEvent) if event.action == "traits.changed"]
        assert "GOF" not in str(line.details)
        assert her().birth_name == "LE GOF"

    def test_keys_of_a_search_follow(self) -> None:
        sign_in(HER)
        sign_in(replace(HER, birth_name="DÉ L’ORME"))
        assert her().name_key == "DELORME"


class TestAnotherSubject:
    def test_is_another_account_whatever_the_mail_address(self) -> None:
        sign_in(HER)
        sign_in(replace(HER, birth_name="MARTIN", first_names=("PAUL",)), "him")
        assert count(Patient) == 2
        assert count(PossibleDuplicate) == 0

    def test_with_all_traits_but_one_waits_where_she_is_known(self) -> None:
        sign_in(HER)
        with prepared():
            where = hospitals.hospital()
            people.known_at(session.get_one(Patient, her().id), where.establishment.id, "1")
        sign_in(replace(HER, birth_name="MARTIN"), "married")
        (pair,) = rows(PossibleDuplicate)
        assert (pair.differs, pair.kind, pair.decision) == ("birth_name", "accounts", "")
        assert count(Account) == 2, "never merged by itself"

    def test_with_two_differing_traits_is_somebody_else(self) -> None:
        sign_in(HER)
        with prepared():
            where = hospitals.hospital()
            people.known_at(session.get_one(Patient, her().id), where.establishment.id, "1")
        sign_in(replace(HER, birth_name="MARTIN", sex="M"), "other")
        assert count(PossibleDuplicate) == 0
