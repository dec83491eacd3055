"""`parvis check` asks each counter whether its provider knows it."""

from flask import Flask

from portal import check
from portal.config import Settings
from tests.factories import billing
from tests.ground import prepared
from tests.services.billing.conftest import Ground


def findings(app: Flask, settings: Settings) -> dict[str, str]:
    found = check.findings(app, settings)
    return {each.what: each.trouble for each in found if each.what.startswith("payments ")}


def test_each_counter_is_asked_for_its_name_once(app: Flask, ground: Ground, settings: Settings) -> None:
    finess = ground.hospital.establishment.finess
    with prepared():
        billing.source(ground.hospital.establishment)
        billing.source(ground.hospital.establishment, "titre", "titre", numcli="000000")
    found = findings(app, settings)
    assert found[f"payments {finess} payfip 090909 (test mode)"] == ""
    assert "T2" in found[f"payments {finess} payfip 000000 (test mode)"]
    assert len(found) == 2
