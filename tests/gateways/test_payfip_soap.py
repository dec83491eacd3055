"""Reading PayFiP's answers: an answer, a fault, or unreadable. Never a crash, never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways.payments import payfip_soap as soap
from portal.gateways.payments.payfip_evidence import masked
from portal.gateways.payments.payfip_soap import FunctionalFault, TechnicalFault, Unreadable, envelope, read_answer
from portal.gateways.payments.payfip_twin import soap as twin
from portal.gateways.payments.payfip_twin.till import Fault

RESULT = "recupererDetailPaiementSecurise"
FIELDS = {"idOp": "c1", "montant": "4520", "resultrans": "P"}
ANSWER = twin.answer(RESULT, FIELDS)
# What XML 1.0 can carry, without the spaces at the ends that we drop and the \r that XML turns into \n.
values = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters="\ufffe\uffff")
)
names = st.from_regex(r"[a-zA-Z]{1,12}", fullmatch=True)


def test_an_answer_gives_its_fields() -> None:
    assert read_answer(RESULT, ANSWER.encode()) == FIELDS


@given(st.dictionaries(names, values, max_size=12))
def test_any_field_comes_back_as_it_was_written(fields: dict[str, str]) -> None:
    assert read_answer(RESULT, twin.answer(RESULT, fields).encode()) == fields


@given(st.dictionaries(st.sampled_from(["idOp"]), values))
def test_no_value_can_leave_its_field_in_a_request(fields: dict[str, str]) -> None:
    operation, read = twin.read_call(envelope(RESULT, fields))
    assert (operation, read) == (RESULT, fields)


@given(st.binary(max_size=500))
def test_noise_is_unreadable(noise: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answer(RESULT, noise)


@given(st.integers(min_value=0, max_value=len(ANSWER) - 1))
def test_an_answer_cut_anywhere_is_unreadable(length: int) -> None:
    with pytest.raises(Unreadable):
        read_answer(RESULT, ANSWER.encode()[:length])


@given(st.integers(min_value=0, max_value=len(ANSWER) - 1), st.binary(min_size=1, max_size=3))
def test_an_answer_spoilt_anywhere_never_crashes(position: int, noise: bytes) -> None:
    raw = ANSWER.encode()
    try:
        fields = read_answer(RESULT, raw[:position] + noise + raw[position + 1 :])
    except (Unreadable, TechnicalFault, FunctionalFault):
        return
    assert all(isinstance(value, str) for value in fields.values())


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]>' + ANSWER.split("?>")[1],
        ANSWER.split("?>")[1].replace("4520", "&amount;"),
        ANSWER.replace("<montant>4520</montant>", "<montant>4520</montant><montant>1</montant>"),
        ANSWER.replace("4520", "<cents>4520</cents>"),
        ANSWER.replace("<return>", "<return/><return>"),
        ANSWER.replace(soap.SOAP, "http://www.w3.org/2003/05/soap-envelope"),
        ANSWER.replace(RESULT, "recupererDetailClient"),
        ANSWER.replace("<S:Body>", "<S:Body><other/>"),
        '<?xml version="1.0" encoding="no-such"?><a/>',
        "",
    ],
    ids=[
        "doctype",
        "entity",
        "two amounts",
        "nested",
        "two returns",
        "soap 1.2",
        "other call",
        "two bodies",
        "encoding",
        "empty",
    ],
)
def test_an_ambiguous_or_dangerous_answer_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        read_answer(RESULT, body.encode())


def test_a_billion_laughs_are_stopped_at_the_doctype() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(Unreadable):
        soap.parse(f'<!DOCTYPE a [<!ENTITY a0 "ha">{entities}]><a>&a9;</a>'.encode())


def test_a_doctype_is_seen_in_any_encoding() -> None:
    with pytest.raises(Unreadable):
        soap.parse('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"))


def test_a_functional_fault_gives_its_code() -> None:
    with pytest.raises(FunctionalFault) as caught:
        read_answer(RESULT, twin.functional_fault(Fault("P5", "non connu")).encode())
    assert caught.value.code == "P5"


@pytest.mark.parametrize(
    "fault",
    [
        twin.technical_fault("TechIndisponibiliteErreur"),
        twin.functional_fault(Fault("", "sans code")),
        twin.functional_fault(Fault("<P5>", "code impossible")),
        twin.functional_fault(Fault("P" * 50, "code trop long")),
    ],
)
def test_a_fault_without_a_code_leaves_the_outcome_open(fault: str) -> None:
    with pytest.raises(TechnicalFault):
        read_answer(RESULT, fault.encode())


def test_evidence_keeps_facts_and_masks_persons_and_secrets() -> None:
    raw = (
        b"<mel>jeanne@example.org</mel><montant>4520</montant><ns1:urlredirect>https://h.example/r?token=s3cret"
        b"</ns1:urlredirect><urlnotif>https://h.example/n/s3cret</urlnotif> Bonjour jeanne@example.org"
    )
    kept = masked(raw)
    assert "jeanne" not in kept
    assert "s3cret" not in kept
    assert "<montant>4520</montant>" in kept


@given(st.binary(max_size=2000))
def test_anything_can_be_kept_as_evidence(raw: bytes) -> None:
    assert "\x00" not in masked(raw)


def test_masking_a_hostile_answer_takes_no_time() -> None:
    assert len(masked(b"a" * 256 * 1024)) == 256 * 1024
