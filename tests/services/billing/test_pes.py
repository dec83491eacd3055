"""Titres in PES v2: what a person owes becomes a bill, what came in is told line by line, and no file harms us."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.delimited import NotSuchAFile
from services.billing.bill_file import BillLine, LeftOut, Line, Refusal, Wrong
from services.billing.pes import returns, stream, titles
from services.billing.pes.returns import Emargement

HEADER = (
    '<EnTetePES><DteStr V="2026-10-02"/><IdPost V="034000"/><IdColl V="26340000000011"/><FinJur V="990000017"/>'
    '<CodCol V="221"/><CodBud V="00"/></EnTetePES>'
)
HEAD = (
    '<BlocBordereau><Exer V="2026"/><IdBord V="0000012"/><DteBordEm V="2026-10-01"/><TypBord V="01"/></BlocBordereau>'
)
PERSON = (
    '<Tiers><InfoTiers><DteNaissance V="1970-03-04"/><RefTiers V="8000001"/><CatTiers V="01"/><NatJur V="01"/>'
    '<TypTiers V="01"/><Nom V="MARTIN"/><Prenom V="JEANNE"/></InfoTiers></Tiers>'
)
INSURANCE = PERSON.replace('CatTiers V="01"', 'CatTiers V="61"')


def line(number: str = "1", amount: str = '<MtHT V="45.20"/>', tiers: str = PERSON) -> str:
    return (
        f'<LigneDePiece><BlocLignePiece><InfoLignePiece><IdLigne V="{number}"/><ObjLignePce V="Séjour"/>{amount}'
        f"</InfoLignePiece></BlocLignePiece>{tiers}</LigneDePiece>"
    )


def piece(*lines: str, number: str = "1234", kind: str = "01", nature: str = "01", more: str = "") -> str:
    return (
        f'<Piece><BlocPiece><IdPce V="{number}"/><TypPce V="{kind}"/><NatPce V="{nature}"/><Edition V="05"/>'
        f'<ObjPce V="Soins externes"/>{more}</BlocPiece>{"".join(lines or (line(),))}</Piece>'
    )


def file(
    *pieces: str, header: str = HEADER, head: str = HEAD, encoding: str = "ISO-8859-1", tail: str = "", top: str = ""
) -> bytes:
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>{top}'
        '<n:PES_Aller xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller">'
        f"{header}<PES_RecetteAller><EnTeteRecette/><Bordereau>{head}{''.join(pieces)}</Bordereau></PES_RecetteAller>"
        f"{tail}</n:PES_Aller>"
    ).encode(encoding)


def read(content: bytes, **how: object) -> list[Line]:
    return list(titles.read(content, **how))  # type: ignore[arg-type]  # each test names the parameter it means


def bills(content: bytes, **how: object) -> list[BillLine]:
    found = read(content, **how)
    assert all(isinstance(each, BillLine) for each in found), found
    return found  # type: ignore[return-value]  # just asserted


def test_a_titre_that_a_person_owes_becomes_a_bill() -> None:
    (bill,) = bills(file(piece()))
    assert (bill.finess, bill.source, bill.exer, bill.reference) == ("990000017", "titre", "2026", "1234")
    assert (bill.total_cents, bill.due_cents, bill.amo_cents, bill.amc_cents) == (4520, 4520, 0, 0)
    assert (bill.label, bill.issued_on, bill.bill_source) == ("Soins externes", date(2026, 10, 1), "221-00")
    assert bill.birth_on == date(1970, 3, 4)
    assert bill.refdet == "20260000001234"


def test_the_debtors_number_is_no_ipp_unless_the_hospital_says_so() -> None:
    """Two counters that both begin at 1 would send bills to strangers."""
    assert bills(file(piece()))[0].ipp == ""
    assert bills(file(piece()), ref_tiers_is_ipp=True)[0].ipp == "8000001"


def test_the_patient_is_the_one_who_was_ill_when_somebody_else_owes() -> None:
    sick = PERSON.replace('TypTiers V="01"', 'TypTiers V="06"').replace("8000001", "8000002").replace("1970", "2019")
    (bill,) = bills(file(piece(line(tiers=PERSON + sick))), ref_tiers_is_ipp=True)
    assert (bill.ipp, bill.birth_on) == ("8000002", date(2019, 3, 4))


def test_lines_of_one_debtor_add_up() -> None:
    (bill,) = bills(file(piece(line("1"), line("2", '<MtHT V="10.00"/><MtTVA V="2.00"/>'))))
    assert bill.due_cents == 5720


def test_a_titre_of_several_debtors_is_a_bill_each() -> None:
    other = PERSON.replace("8000001", "8000002").replace("JEANNE", "PAUL")
    found = bills(file(piece(line("1"), line("2", tiers=other))))
    assert sorted(bill.reference for bill in found) == ["1234/1", "1234/2"]
    assert len({bill.refdet for bill in found}) == 2


def test_titres_of_another_budget_keep_its_code() -> None:
    """Each budget numbers its titres from 1."""
    (bill,) = bills(file(piece(), header=HEADER.replace('CodBud V="00"', 'CodBud V="B1"')))
    assert (bill.reference, bill.bill_source) == ("B1-1234", "221-B1")


def test_an_article_of_an_order_to_many_creditors_is_called_by_its_debt() -> None:
    many = HEAD.replace('TypBord V="01"', 'TypBord V="06"')
    (bill,) = bills(file(piece(kind="15", more='<NumDette V="202600017"/>'), head=many))
    assert bill.reference == "202600017"


@pytest.mark.parametrize(
    "content",
    [
        file(piece(line(tiers=INSURANCE))),
        file(piece(line(tiers=""))),
        file(piece(kind="05")),
        file(piece(kind="03")),
        file(piece(nature="05")),
    ],
    ids=["an insurance", "nobody", "after the payment", "for the books", "of a régie"],
)
def test_what_no_person_is_asked_to_pay_is_left_out(content: bytes) -> None:
    assert read(content) == [LeftOut("990000017")]


def test_the_part_of_an_insurance_is_not_the_patients() -> None:
    (bill,) = bills(file(piece(line("1", tiers=INSURANCE), line("2", '<MtHT V="20.00"/>'))))
    assert bill.due_cents == 2000


def test_a_reduction_is_for_an_agent() -> None:
    """Taken off by a file, it would be taken off again the next time."""
    original = '<RattachPiece><ExerRat V="2025"/><IdPceOrig V="77"/></RattachPiece>'
    (refusal,) = read(file(piece(line() + original, nature="06")))
    assert isinstance(refusal, Refusal)
    assert "2025/77" in refusal.why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (file(piece(number="x")), "IdPce"),
        (file(piece(number="123456789")), "IdPce"),
        (file(piece(line("0"))), "IdLigne"),
        (file(piece(line(amount='<MtHT V="45,20"/>'))), "MtHT"),
        (file(piece(line(amount='<MtHT V="-1.00"/>'))), "MtHT"),
        (file(piece(line(amount='<MtHT V="1e3"/>'))), "MtHT"),
        (file(piece(line(amount=""))), "MtHT"),
        (file(piece(), head=HEAD.replace("2026-10-01", "01/10/2026")), "DteBordEm"),
        (file(piece(), head=HEAD.replace('Exer V="2026"', 'Exer V="26"')), "exer"),
        (file(piece().replace("Soins externes", "Soins&#9;externes")), "ObjPce"),
    ],
)
def test_a_wrong_piece_is_refused_alone(content: bytes, why: str) -> None:
    good = piece(number="5")
    found = read(content.replace(b"</Bordereau>", good.encode("iso-8859-1") + b"</Bordereau>"))
    assert isinstance(found[0], Refusal)
    assert why in found[0].why
    assert isinstance(found[1], Refusal if why in ("DteBordEm", "exer") else BillLine)


def test_a_file_that_does_not_name_its_hospital_is_told_it() -> None:
    silent = HEADER.replace('<FinJur V="990000017"/>', "")
    with pytest.raises(NotSuchAFile, match="FinJur"):
        read(file(piece(), header=silent))
    assert bills(file(piece(), header=silent), finess="990000017")[0].finess == "990000017"
    with pytest.raises(NotSuchAFile, match="that of the hospital"):
        read(file(piece()), finess="990000025")


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "ISO-8859-15", "windows-1252", "UTF-16"])
def test_encodings_of_the_field_are_read(encoding: str) -> None:
    (bill,) = bills(file(piece(more='<ObjPce V="x"/>').replace("Soins externes", "Hôpital"), encoding=encoding))
    assert bill.label == "Hôpital"


def test_an_attached_file_goes_by(tmp_path: Path) -> None:
    path = tmp_path / "titres.xml"
    attached = f"<PES_PJ><PJ><Contenu><Fichier>{'QUJD' * 4_000_000}</Fichier></Contenu></PJ></PES_PJ>"
    path.write_bytes(file(piece(), tail=attached))
    assert [type(each) for each in titles.read(path)] == [BillLine]


# -- hostile files -----------------------------------------------------------------------------------------------

_BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
_OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (file(piece(), top=_BOMB), "DTD"),
        (file(piece(), top=_OUTSIDE), "DTD"),
        (file(piece(), top='<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd">'), "DTD"),
        (file(piece())[:-30], "well-formed"),
        (b"<a>" * 100_000, "deeply"),
        (file(piece("<a>" * 40 + "</a>" * 40)), "deeply"),
        (file("<Piece>" + "<a/>" * 300_000 + "</Piece>"), "without an end"),
        (b"<a/>", "no PES_RecetteAller"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "encoded"),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", "encoded"),
        (b"", "well-formed"),
        (b"\x00\x01", "well-formed"),
        (file(piece()).replace(b"1234", b"&x;"), "well-formed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_hostile_file_is_refused_whole(content: bytes, why: str) -> None:
    with pytest.raises(NotSuchAFile, match=why):
        read(content)


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_BYTES", 1000)
    with pytest.raises(NotSuchAFile, match="larger than 1000 bytes"):
        read(file(piece(), piece()))


@given(st.binary(max_size=400))
def test_no_bytes_make_the_readers_stumble(content: bytes) -> None:
    for reader in (titles.read, returns.read):
        with pytest.raises(NotSuchAFile):
            list(reader(content))


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60))
def test_any_text_in_any_field_gives_a_bill_or_a_reason(value: str) -> None:
    escaped = (
        value.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace('"', "&quot;")
        .replace("\ufffe", "")
        .replace("\uffff", "")
    )
    for field in ("IdPce", "IdLigne", "MtHT", "ObjPce", "CatTiers", "TypPce", "DteNaissance", "RefTiers"):
        known = {"IdPce": "1234", "IdLigne": "1", "MtHT": "45.20", "ObjPce": "Soins externes", "CatTiers": "01",
                 "TypPce": "01", "DteNaissance": "1970-03-04", "RefTiers": "8000001"}[field]  # fmt: skip
        content = piece().replace(f'{field} V="{known}"', f'{field} V="{escaped}"')
        (found,) = read(file(content, encoding="UTF-8"))
        assert isinstance(found, BillLine | Refusal | LeftOut)


@given(st.integers(0, 10**12 - 1))
def test_an_amount_is_the_same_cents_for_ever(amount: int) -> None:
    assert titles.cents("MtHT", f"{amount // 100}.{amount % 100:02}") == amount


@given(st.text("0123456789.,-+e٣ ", max_size=16))
def test_what_is_not_an_amount_is_not_guessed(text: str) -> None:
    try:
        amount = titles.cents("MtHT", text)
    except Wrong:
        return
    assert text == f"{text[:-3]}.{amount % 100:02}"
    assert int(text[:-3]) == amount // 100


# -- what the accountant tells back ------------------------------------------------------------------------------


def encashment(amount: str = "45.20", paid_on: str = "2026-11-03", number: str = "778") -> str:
    return (
        f'<Recouvrement><TypFlux V="01"/><ModRegl V="02"/><DteReco V="{paid_on}"/><IdEncaissement V="{number}"/>'
        f'<MtReco V="{amount}"/></Recouvrement>'
    )


def returned(*encashments: str, kind: str = "01") -> bytes:
    body = line().replace("</LigneDePiece>", f"{''.join(encashments)}</LigneDePiece>")
    told = file(piece(body), head=HEAD.replace('TypBord V="01"', f'TypBord V="{kind}"'))
    return told.replace(b"RecetteAller", b"RecetteRetour").replace(b"PES_Aller", b"PES_Retour")


def test_each_encashment_is_told_with_what_finds_its_bill() -> None:
    first, second = list(returns.read(returned(encashment("40.00"), encashment("5.20", number="779"))))
    assert isinstance(first, Emargement)
    assert (first.finess, first.exer, first.number, first.line) == ("990000017", "2026", "1234", "1")
    assert (first.amount_cents, first.paid_on, first.means, first.encashment) == (4000, date(2026, 11, 3), "02", "778")
    assert first.references == ("1234", "1234/1")
    assert isinstance(second, Emargement)
    assert second.amount_cents == 520


def test_the_reference_of_an_encashment_is_that_of_the_bill() -> None:
    (bill,) = bills(file(piece()))
    (told,) = returns.read(returned(encashment()))
    assert isinstance(told, Emargement)
    assert bill.reference in told.references
    assert (bill.finess, bill.exer) == (told.finess, told.exer)


def test_a_titre_without_encashment_tells_nothing() -> None:
    assert list(returns.read(returned())) == []


@pytest.mark.parametrize("kind", ["04", "05"])
def test_money_without_a_titre_is_not_told(kind: str) -> None:
    """Its number is that of the encashment: it would close somebody else's bill."""
    assert list(returns.read(returned(encashment(), kind=kind))) == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (encashment("-45.20"), "MtReco"),
        (encashment("45"), "MtReco"),
        (encashment(paid_on="03/11/2026"), "DteReco"),
    ],
)
def test_a_wrong_encashment_is_refused_alone(wrong: str, why: str) -> None:
    refusal, good = list(returns.read(returned(wrong, encashment())))
    assert isinstance(refusal, Refusal)
    assert why in refusal.why
    assert isinstance(good, Emargement)
