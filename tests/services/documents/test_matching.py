"""Nobody is guessed: whatever a letter says, it is given by itself only on an exact and qualified identity."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from auth.models import Patient
from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import NotHl7
from services.documents import cda, matching
from services.documents.his import message, person
from services.documents.matching import Doubt, Origin
from tests.factories import document_messages, documents

EXACT = cda.Patient(
    ins="279035121518989",
    ins_oid="1.2.250.1.213.1.4.10",
    birth_name="PAT-TROIS",
    first_names="DOMINIQUE",
    first_name="DOMINIQUE",
    sex="F",
    birth_on=date(1979, 3, 28),
)


def header(about: cda.Patient, confidentiality: str = "N") -> cda.Header:
    return cda.Header(
        unique_id="1.2.3", set_id="1.2.3", version=1, replaces=None, type_code="11490-0", type_label="", title="T",
        created_at=datetime(2026, 11, 3, tzinfo=UTC), confidentiality=confidentiality, patient=about,
        author=cda.Author(), custodian=cda.Organization(), level="N1", media_type="application/pdf",
        warnings=person.warnings(about),
    )  # fmt: skip


def known(**changes: Any) -> Patient:
    facts: dict[str, Any] = {
        "ins": EXACT.ins, "ins_oid": EXACT.ins_oid, "birth_name": EXACT.birth_name, "first_names": ["DOMINIQUE"],
        "birth_on": EXACT.birth_on, "sex": "F", "identity_status": "QUAL",
    }  # fmt: skip
    return Patient(**facts | changes)


def decide(said: cda.Header, bearers: list[Patient]) -> Patient | Doubt:
    return matching.doubt_about_header(said) or matching.choose(said.patient, bearers, namesake=False)


traits = st.builds(
    cda.Patient,
    ins=st.sampled_from(["", EXACT.ins, "279035121518988", "255069910600378"]),
    ins_oid=st.sampled_from(["", EXACT.ins_oid, "1.2.250.1.213.1.4.8"]),
    birth_name=st.sampled_from(["", "PAT-TROIS", "Pat-Trois", "PAT TROIS", "AUTRE"]),
    first_name=st.sampled_from(["", "DOMINIQUE", "Dominique", "MARIE"]),
    sex=st.sampled_from(["", "F", "M"]),
    birth_on=st.sampled_from([None, EXACT.birth_on, date(1979, 3, 29)]),
)
patients = st.builds(
    known,
    identity_status=st.sampled_from(["QUAL", "VALI", "RECUP", "PROV"]),
    birth_name=st.sampled_from(["PAT-TROIS", "AUTRE"]),
    sex=st.sampled_from(["F", "M"]),
)


def test_the_exact_identity_is_recognised() -> None:
    patient = known()
    assert decide(header(EXACT), [patient]) is patient


@given(traits, st.lists(patients, max_size=3), st.sampled_from(["N", "R", "V"]))
def test_nothing_is_filed_on_a_doubt(said: cda.Patient, bearers: list[Patient], confidentiality: str) -> None:
    found = decide(header(said, confidentiality), bearers)
    if isinstance(found, Patient):
        assert confidentiality == "N"
        assert found.identity_status == "QUAL"
        assert [each.identity_status for each in bearers].count("QUAL") == 1
        assert matching.has_traits(found, said)
        assert matching.plain(said.birth_name) == matching.plain(found.birth_name)
        assert (said.sex, said.birth_on, said.ins) == (found.sex, found.birth_on, EXACT.ins)


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_only_the_same_keeper_replaces(one_id: str, other_id: str, one: str, other: str) -> None:
    same = matching.same_origin(Origin(one_id, one), Origin(other_id, other))
    assert same == matching.same_origin(Origin(other_id, other), Origin(one_id, one))
    if one_id != other_id:
        assert not same
    if not (one_id or other_id or one):
        assert not same, "two that say nothing are not the same"


PARIS = ZoneInfo("Europe/Paris")
GOOD = document_messages.mdm("T02", EXACT, documents.pdf(), marks=["DESTDMP"], control_id="X")


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=40), st.integers(0, 200))
def test_no_damage_to_a_message_does_more_than_refuse_it(at: int, other: bytes, cut: int) -> None:
    damaged = GOOD[:at] + other + GOOD[at + cut :]
    try:
        told = message.read(hl7v2.read(damaged), PARIS)
    except NotHl7:
        return
    assert told.number
    assert len(told.documents) <= message.MAX_DOCUMENTS


def test_a_message_that_writes_two_people_is_seen() -> None:
    other = replace(EXACT, ins="255069910600378")
    assert person.has_another_number(EXACT, other)
    assert not person.has_another_number(EXACT, replace(EXACT, ins="", ins_oid=""))
    assert person.differs(EXACT, replace(EXACT, sex="M"))
    assert not person.differs(EXACT, replace(EXACT, birth_name="pat-trois", sex=""))
