"""The register of doctors: read from the public file, found as people type, and the step that chooses from it."""

from pathlib import Path

import pytest
from flask import Flask

from portal import db
from portal.db import ANONYMOUS
from services.preadmission import queries as files
from services.preadmission.doctors import queries, register
from services.preadmission.doctors.register import COLUMNS, NotTheRegister
from tests.factories import preadmission as factory
from tests.services.preadmission.conftest import Ground

HEADER = "|".join(["Type d'identifiant PP", *COLUMNS.values(), "Code catégorie professionnelle"])
LINES = (
    "8|10000023084|10|LE GOFF-MÜLLER|Hélène|Médecine Générale|91290|Arpajon|C",
    "8|10000023084|10|LE GOFF-MÜLLER|Hélène|Médecine Générale|91290|Arpajon|C",
    "8|10000023084|10|LE GOFF-MÜLLER|Hélène|Médecine Générale|75013|Paris|C",
    "8|10000023080|10|FAUX|Numéro|Médecine Générale|75013|Paris|C",
    "8|10000000009|60|SOIN|Infirmière||75013|Paris|C",
)


@pytest.fixture
def loaded(app: Flask, tmp_path: Path) -> Path:
    path = tmp_path / "register.txt"
    path.write_text("\n".join((HEADER, *LINES)) + "\n", "utf-8")
    with app.app_context():
        assert register.load(path) == 3
    return path


def search(name: str, town: str = "") -> list[str]:
    with db.transaction(ANONYMOUS):
        return [f"{each.full_name}, {each.town}" for each in queries.found(name, town)]


@pytest.mark.parametrize(
    "typed", ["le goff", "LE GOFF-MULLER", "Dr Le Goff", "docteur le goff müller", "le goff muller hel"]
)
def test_a_doctor_is_found_as_people_type(loaded: Path, typed: str) -> None:
    assert search(typed) == ["Hélène LE GOFF-MÜLLER, Arpajon", "Hélène LE GOFF-MÜLLER, Paris"]


def test_the_town_narrows_the_search(loaded: Path) -> None:
    assert search("le goff", "ARP") == ["Hélène LE GOFF-MÜLLER, Arpajon"]


@pytest.mark.parametrize("typed", ["", "l", "%", "faux", "soin", "' or 1=1 --", "zzz", "🙂"])
def test_nobody_is_found_who_is_no_doctor(loaded: Path, typed: str) -> None:
    assert search(typed) == []


def test_the_key_of_a_number_is_checked() -> None:
    assert queries.is_rpps("10000023084")
    for wrong in ("10000023085", "1000002308", "１００００023084", "", "abcdefghijk"):
        assert not queries.is_rpps(wrong)


def test_loading_again_takes_the_place_of_what_was_known(app: Flask, loaded: Path) -> None:
    with app.app_context():
        register.load(loaded)
    assert len(search("le goff")) == 2


def test_another_file_is_refused_and_nothing_is_lost(app: Flask, loaded: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a|b\n1|2\n", "utf-8")
    with app.app_context(), pytest.raises(NotTheRegister):
        register.load(other)
    assert len(search("le goff")) == 2


def test_the_patient_searches_chooses_and_the_number_is_kept(loaded: Path, ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
    browser, page = sign_in(ground.account), f"/pre-admission/{file.id}/etapes/medecin"
    asked = {"has_one": "yes", "name": "le goff", "town": "arpajon"}
    found = browser.post(page, data=asked | {"find": "doctor"})
    assert found.status_code == 200
    assert "Hélène LE GOFF-MÜLLER" in found.text
    with db.transaction(db.system("tests")):
        assert not files.answers_of(file.id), "looking for a doctor saves nothing"
    browser.post(page, data=asked | {"chosen": "10000023084"})
    with db.transaction(db.system("tests")):
        answers = files.answers_of(file.id)["doctor"]
    assert answers.model_dump() == {
        "has_one": True, "name": "Hélène LE GOFF-MÜLLER", "town": "Arpajon", "rpps": "10000023084",
    }  # fmt: skip
    assert 'value="10000023084" checked' in browser.get(page).text


def test_a_doctor_who_is_not_in_the_register_is_typed_by_hand(loaded: Path, ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
    browser, page = sign_in(ground.account), f"/pre-admission/{file.id}/etapes/medecin"
    typed = {"has_one": "yes", "name": "Van der Berg", "town": "Bruxelles"}
    assert "keep what I wrote" not in browser.post(f"{page}?lang=en", data=typed | {"find": "doctor"}).text
    assert browser.post(page, data=typed | {"chosen": "10000023085"}).status_code == 422, "a forged number"
    assert browser.post(page, data=typed | {"chosen": "none"}).status_code == 303
    with db.transaction(db.system("tests")):
        assert files.answers_of(file.id)["doctor"].model_dump()["rpps"] == ""
