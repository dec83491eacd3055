"""What monitoring reads of secure mail: in time, the end of the certificates by which hospitals open their boxes."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal import establishments
from portal.gateways.mssante.twin.certificates import Authority
from tests.ground import prepared

_NUMBER = re.compile(r'^parvis_certificate_ends_timestamp_seconds\{finess="(\d+)"\} (\S+)$', re.MULTILINE)


def ends(client: FlaskClient) -> dict[str, float]:
    text = client.get("/status/metrics").text
    return {finess: float(moment) for finess, moment in _NUMBER.findall(text)}


def given(finess: str, certificate: str) -> None:
    with prepared():
        hospital = establishments.add(finess, "Hôpital d’essai")
        establishments.change_setting(hospital.id, "mssante_certificate", certificate)


@pytest.mark.parametrize("kept_as", ["text", "file"])
def test_the_end_of_a_certificate_is_told(client: FlaskClient, tmp_path: Path, kept_as: str) -> None:
    issued = Authority().issue("CH d’essai", ends=timedelta(days=20)).certificate
    path = tmp_path / "own.pem"
    path.write_text(issued, encoding="ascii")
    given("990000017", issued if kept_as == "text" else str(path))
    (left,) = [moment - datetime.now(UTC).timestamp() for moment in ends(client).values()]
    assert timedelta(days=19) < timedelta(seconds=left) <= timedelta(days=20)


@pytest.mark.parametrize(
    "certificate", ["/nowhere/own.pem", "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----"]
)
def test_one_that_cannot_be_read_has_ended(client: FlaskClient, certificate: str) -> None:
    given("990000017", certificate)
    assert ends(client) == {"990000017": 0.0}


def test_a_hospital_without_one_is_not_named(client: FlaskClient) -> None:
    with prepared():
        hospital = establishments.add("990000017", "Hôpital d’essai")
        establishments.change_setting(hospital.id, "mssante_certificate", "")
        establishments.add("990000025", "Autre hôpital")
    assert ends(client) == {}
