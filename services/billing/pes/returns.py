"""What the accountant tells back (PES_RecetteRetour): on which titre money came in, whatever the way it came.

Each encashment on a line of a titre is a `Recouvrement`. Pure: whoever imports payments decides what they mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from portal.delimited import NotSuchAFile
from services.billing.bill_file import LONGEST_TEXT, Refusal, Wrong, needed
from services.billing.pes.stream import Mark, marks
from services.billing.pes.titles import Header, cents, header_of, needed_day, reference_of

DOMAIN: Final = "PES_RecetteRetour"

_TO_REGULARISE: Final = ("04", "05")
"""TypBord of money for which there is no titre yet (P503): the number of the piece is that of the encashment."""


@dataclass(frozen=True, repr=False)  # a log line names no titre of anybody
class Emargement:
    """Money that came in on one line of one titre.

    finess: the hospital. post, place, budget: as the accountant calls them (IdPost, CodCol, CodBud). number, line: of
    the titre. encashment: the accountant's number of the payment, unique with `post`; "" when he gives none.
    means, flow: his codes (ModRegl, TypFlux). at_line: where it stands in the file.
    """

    at_line: int
    finess: str
    post: str
    place: str
    budget: str
    exer: str
    number: str
    line: str
    amount_cents: int
    paid_on: date
    means: str
    flow: str
    encashment: str

    @property
    def references(self) -> tuple[str, str]:
        """What the bill of this titre may be called here: that of the whole titre, or of this line of it."""
        return reference_of(self.budget, self.number), reference_of(self.budget, self.number, self.line)


def read(source: Path | bytes, *, finess: str = "") -> Iterator[Emargement | Refusal]:
    """The encashments of a file, in its order. finess: the hospital, where the file does not say.

    Raises NotSuchAFile, perhaps after some were given.
    """
    header: Header | None = None
    bordereau: Mark | None = None
    for mark in marks(source, DOMAIN):
        if mark.name == "EnTetePES":
            header = header_of(mark, finess)
        elif mark.name == "BlocBordereau":
            bordereau = mark
        elif header is None:
            raise NotSuchAFile("a piece before the header")
        elif bordereau is not None and bordereau.first("TypBord") not in _TO_REGULARISE:
            yield from _encashments(header, bordereau, mark)


def _encashments(header: Header, bordereau: Mark, piece: Mark) -> Iterator[Emargement | Refusal]:
    number = piece.first("IdPce")
    for line in piece.each("LigneDePiece"):
        for each in line.each("Recouvrement"):
            try:
                yield _emargement(header, bordereau.first("Exer"), number, line, each)
            except Wrong as wrong:
                yield Refusal(each.line, number[:LONGEST_TEXT], str(wrong), header.finess)


def _emargement(header: Header, exer: str, number: str, line: Mark, each: Mark) -> Emargement:
    return Emargement(
        at_line=each.line,
        finess=header.finess,
        post=header.post,
        place=header.place,
        budget=header.budget,
        exer=needed("Exer", exer),
        number=needed("IdPce", number),
        line=line.first("IdLigne") or "1",
        amount_cents=cents("MtReco", needed("MtReco", each.first("MtReco"))),
        paid_on=needed_day("DteReco", each.first("DteReco")),
        means=each.first("ModRegl"),
        flow=each.first("TypFlux"),
        encashment=each.first("IdEncaissement"),
    )
