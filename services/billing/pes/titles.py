"""Titres as the hospital sends them to the accountant (PES_RecetteAller): those that a person owes become bills.

What an insurance, another hospital or the State owes is left out: nobody pays it here. An avis des sommes à payer is
such a titre, printed; what stands on it is here (number, object, amount, debtor).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Final

from portal.delimited import NotSuchAFile
from services.billing.bill_file import (
    LONGEST_TEXT,
    BillLine,
    LeftOut,
    Line,
    Refusal,
    Wrong,
    check,
    check_text,
    day,
    needed,
)
from services.billing.pes.stream import Mark, marks

DOMAIN: Final = "PES_RecetteAller"

_PERSON: Final = "01"  # CatTiers: personne physique
_DEBTOR: Final = ("01", "")  # TypTiers: débiteur principal
_SICK: Final = "06"  # TypTiers: malade
_REDUCTIONS: Final = "02"  # TypBord: annulation, réduction
_OF_MANY: Final = "06"  # TypBord: ordre de recette multi-créanciers
_REDUCES: Final = "06"  # NatPce
_OWED_TYPES: Final = ("01", "06", "07", "09", "10", "12", "15")
"""TypPce that ask somebody for money: not those for the books alone, nor those issued after the payment (05)."""
_OWED_NATURES: Final = ("", "01", "07", "08", "11")
"""NatPce: ordinary, complementary, issued again, of a contract; not a régie's, which the régisseur asks for."""

_AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,7}", re.ASCII)
_BUDGET = re.compile(r"[0-9A-Z]{0,10}", re.ASCII)
_MAIN_BUDGETS: Final = ("", "00")


@dataclass(frozen=True)
class Header:
    """Whose file it is. finess: the hospital's legal one; post, place, budget: as the accountant calls them."""

    finess: str
    post: str
    place: str
    budget: str

    @property
    def bill_source(self) -> str:
        """The code of the bill source whose titres these are: `CodCol-CodBud`."""
        return "-".join(filter(None, (self.place, self.budget)))


def header_of(mark: Mark, finess: str) -> Header:
    """Raises NotSuchAFile when the file does not say which hospital's it is, or says another one than `finess`."""
    told = mark.first("FinJur", "FinnJur")
    if told and finess and told != finess:
        raise NotSuchAFile(f"the file is that of the hospital {told[:20]}")
    if not (told or finess):
        raise NotSuchAFile("the file does not say which hospital's it is (FinJur): tell it")
    found = Header(told or finess, mark.first("IdPost"), mark.first("CodCol"), mark.first("CodBud"))
    if not (_BUDGET.fullmatch(found.place) and _BUDGET.fullmatch(found.budget)):
        raise NotSuchAFile("CodCol, CodBud: not a code")
    return found


def reference_of(budget: str, number: str, line: str = "") -> str:
    """What a titre is called here: its number, after its budget's code unless that is the main one; with its line,
    when several people owe it."""
    name = number if budget in _MAIN_BUDGETS else f"{budget}-{number}"
    return f"{name}/{line}" if line else name


def read(source: Path | bytes, *, finess: str = "", ref_tiers_is_ipp: bool = False) -> Iterator[Line]:
    """The titres of a file. finess: the hospital, where the file does not say. ref_tiers_is_ipp: `RefTiers` is the
    patient's IPP, which only the hospital can tell. Raises NotSuchAFile."""
    header: Header | None = None
    bordereau: Mark | None = None
    for mark in marks(source, DOMAIN):
        if mark.name == "EnTetePES":
            header = header_of(mark, finess)
        elif mark.name == "BlocBordereau":
            bordereau = mark
        elif header is None:
            raise NotSuchAFile("a piece before the header")
        elif bordereau is not None:
            yield from _Piece(header, bordereau, mark, ref_tiers_is_ipp).lines()


@dataclass(frozen=True)
class _Debt:
    """One line of a titre that a person owes. debtor: the same for lines of one titre that one person owes."""

    line: str
    amount_cents: int
    label: str
    debtor: tuple[str, ...]
    ipp: str
    born: str


class _Piece:
    """One titre."""

    def __init__(self, header: Header, bordereau: Mark, piece: Mark, ref_tiers_is_ipp: bool) -> None:
        self._header, self._bordereau, self._piece = header, bordereau, piece
        self._ref_tiers_is_ipp = ref_tiers_is_ipp
        self._number = piece.first("IdPce")

    def lines(self) -> list[Line]:
        """What it gives: nothing of ours, one bill, one bill a debtor, or why it was refused."""
        try:
            if self._bordereau.first("TypBord") == _REDUCTIONS or self._piece.first("NatPce") == _REDUCES:
                return [self._reduction()]
            if not self._is_asked_for():
                return [LeftOut(self._header.finess)]
            return list(self._bills()) or [LeftOut(self._header.finess)]
        except Wrong as wrong:
            return [self._refusal(str(wrong))]

    def _refusal(self, why: str) -> Refusal:
        return Refusal(self._piece.line, self._number[:LONGEST_TEXT], why, self._header.finess)

    def _is_asked_for(self) -> bool:
        kind, nature = self._piece.first("TypPce"), self._piece.first("NatPce")
        return kind in _OWED_TYPES and nature in _OWED_NATURES

    def _reduction(self) -> Line:
        """It names the titre that it reduces, which is changed by an agent: an amount taken off twice would be lost."""
        if not any(_of_a_person(tiers) for tiers in self._piece.each("InfoTiers")):
            return LeftOut(self._header.finess)
        original = f"{self._piece.first('ExerRat')}/{self._piece.first('IdPceOrig')}"
        return self._refusal(f"it reduces or cancels the titre {original}: look at that bill")

    def _bills(self) -> Iterator[BillLine]:
        number = self._checked_number()
        debts = sorted(self._debts(), key=lambda debt: debt.debtor)
        shares = [list(share) for _debtor, share in groupby(debts, key=lambda debt: debt.debtor)]
        for share in shares:
            yield self._bill(
                number, share, "" if len(shares) == 1 else min(share, key=lambda debt: int(debt.line)).line
            )

    def _checked_number(self) -> str:
        if not _NUMBER.fullmatch(self._number):
            raise Wrong("IdPce: a number of 1 to 8 digits")
        return self._number

    def _debts(self) -> Iterator[_Debt]:
        for line in self._piece.each("LigneDePiece"):
            people = list(line.each("InfoTiers"))
            debtor = next((each for each in people if each.first("TypTiers") in _DEBTOR), None)
            if debtor is None or not _of_a_person(debtor):
                continue
            sick = next((each for each in people if each.first("TypTiers") == _SICK), debtor)
            if not _NUMBER.fullmatch(line.first("IdLigne")):
                raise Wrong("IdLigne: a number")
            yield _Debt(
                line.first("IdLigne"),
                _amount(line),
                line.first("ObjLignePce"),
                tuple(debtor.first(name) for name in ("IdTiers", "RefTiers", "Nom", "Prenom")),
                sick.first("RefTiers") if self._ref_tiers_is_ipp else "",
                sick.first("DteNaissance") or debtor.first("DteNaissance"),
            )

    def _bill(self, number: str, debts: list[_Debt], line: str) -> BillLine:
        first, exer = debts[0], self._bordereau.first("Exer")
        amount, budget = sum(debt.amount_cents for debt in debts), self._header.budget
        label = self._piece.first("ObjPce") or first.label or f"Titre {number}"
        reference = self._reference(number, line)
        for name, text in (("ObjPce", label), ("NumDette", reference), ("RefTiers", first.ipp)):
            check_text(name, text)
        bill = BillLine(
            line=self._piece.line,
            finess=self._header.finess,
            source="titre",
            exer=exer,
            reference=reference,
            refdet=f"{exer}{budget}{self._series()}{number:0>8}{line}",
            label=label,
            unit="",
            care_on=None,
            issued_on=needed_day("DteBordEm", self._bordereau.first("DteBordEm")),
            due_on=None,
            total_cents=amount,
            amo_cents=0,
            amc_cents=0,
            due_cents=amount,
            ipp=first.ipp,
            bill_source=self._header.bill_source,
            birth_on=day(first.born),
        )
        check(bill)
        return bill

    def _reference(self, number: str, line: str) -> str:
        """Of an order to many creditors, the number of the debt, which is the one on the letter."""
        debt = self._piece.first("NumDette") if self._is_of_many() else ""
        series = f"{self._bordereau.first('IdBord')}-" if self._is_of_many() else ""
        return reference_of(self._header.budget, debt or series + number, line)

    def _series(self) -> str:
        """Articles of such an order are numbered within it."""
        return self._bordereau.first("IdBord") if self._is_of_many() else ""

    def _is_of_many(self) -> bool:
        return self._bordereau.first("TypBord") == _OF_MANY


def _of_a_person(tiers: Mark) -> bool:
    return tiers.first("CatTiers").zfill(2) == _PERSON


def _amount(line: Mark) -> int:
    """With its VAT, in cents. Raises Wrong."""
    if whole := line.first("MtTTC"):
        return cents("MtTTC", whole)
    tax = line.first("MtTVA")
    return cents("MtHT", needed("MtHT", line.first("MtHT"))) + (cents("MtTVA", tax) if tax else 0)


def cents(name: str, text: str) -> int:
    """`1234.50` → 123450, without a float. Raises Wrong."""
    if not _AMOUNT.fullmatch(text):
        raise Wrong(f"{name}: an amount as 12.34")
    return int(text.replace(".", ""))


def needed_day(name: str, text: str) -> date:
    """Raises Wrong."""
    found = day(text)
    if found is None:
        raise Wrong(f"{name}: a day as YYYY-MM-DD")
    return found
