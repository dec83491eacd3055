"""Which of the published files this is, by the names of its columns, and where the ones we keep stand. Pure.

Files of the Annuaire Santé: `PS_LibreAcces_Personne_activite` (56 columns and a `|` at the end of each line),
`Extraction_Correspondance_MSSante` (31 columns, no `|` at the end); `Dipl_AutExerc` and `SavoirFaire`, which come in
the same archive, hold nothing that is kept. Columns come, go and move from year to year: names decide, never places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.directory import folding

Kind = Literal["people", "boxes", "left_out"]


class NotTheDirectory(Exception):
    """The file as a whole is not one of the directory's; says why."""


@dataclass(frozen=True)
class Layout:
    """What a header says. width: cells of a line, as many as the header has. places: our name of a column → its place;
    one that the file has not is absent."""

    kind: Kind
    width: int
    places: Mapping[str, int]


_ADDRESS: Final = "coord structure"
PEOPLE: Final[Mapping[str, str]] = {
    "id": "identification nationale pp",
    "title": "libelle civilite exercice|libelle civilite d exercice",
    "family": "nom d exercice",
    "given": "prenom d exercice",
    "profession": "code profession",
    "profession_label": "libelle profession",
    "category": "code categorie professionnelle",
    "speciality": "code savoir faire",
    "speciality_label": "libelle savoir faire",
    "mode": "code mode exercice",
    "mode_label": "libelle mode exercice",
    "sector": "code secteur d activite",
    "sector_label": "libelle secteur d activite",
    "role": "code fonction",
    "role_label": "libelle fonction",
    "structure_id": "identifiant technique de la structure",
    "finess": "numero finess site",
    "siret": "numero siret site",
    "postcode": f"code postal {_ADDRESS}",
    "commune": f"code commune {_ADDRESS}",
    "name": "raison sociale site",
    "sign": "enseigne commerciale site",
    "number": f"numero voie {_ADDRESS}",
    "repeated": f"indice repetition voie {_ADDRESS}",
    "street_kind": f"libelle type de voie {_ADDRESS}",
    "street": f"libelle voie {_ADDRESS}",
    "town": f"libelle commune {_ADDRESS}",
    "phone": f"telephone {_ADDRESS}",
    "fax": f"telecopie {_ADDRESS}",
    "email": f"adresse e mail {_ADDRESS}",
}
BOXES: Final[Mapping[str, str]] = {
    "kind": "type de bal",
    "address": "adresse bal",
    "person_id": "identification nationale pp",
    "structure": "identification structure",
    "service": "service de rattachement",
    "title": "civilite d exercice",
    "family": "nom d exercice",
    "given": "prenom d exercice",
    "profession_code": "code profession",
    "profession": "libelle profession",
    "speciality_code": "code savoir faire",
    "speciality": "libelle savoir faire",
    "paperless": "dematerialisation",
    "structure_name": "raison sociale structure bal",
    "sign": "enseigne commerciale structure bal",
    "number": "l4numerovoie structure bal",
    "street_kind": "nl4typevoie structure bal",
    "street": "l4libellevoie structure bal",
    "line": "l6ligneacheminement structure bal",
    "postcode": "code postal structure bal",
    "red_list": "liste rouge",
    "rank": "rang de preference|rang",
}
"""Our name of a column → its folded name in the file, or several spellings."""
_REQUIRED: Final[Mapping[str, Sequence[str]]] = {
    "people": ("id", "family", "given", "profession", "profession_label", "mode", "structure_id", "finess", "postcode",
               "commune", "name", "town"),
    "boxes": ("kind", "address", "person_id", "structure", "family", "given", "structure_name", "postcode"),
}  # fmt: skip


def layout(header: str) -> Layout:
    """Read a header line. Raises NotTheDirectory when it is of no file we know, or lacks a column we need."""
    names = [folding.column(name) for name in header.rstrip("\r\n").split("|")]
    known = {name: place for place, name in reversed(list(enumerate(names))) if name}
    if len(known) < 2:
        raise NotTheDirectory("the first line is no header of columns separated by |")
    kind = _kind(known)
    if kind == "left_out":
        return Layout("left_out", len(names), {})
    wanted = PEOPLE if kind == "people" else BOXES
    places = {
        name: known[spelt] for name, spellings in wanted.items() for spelt in spellings.split("|") if spelt in known
    }
    if missing := [wanted[name].partition("|")[0] for name in _REQUIRED[kind] if name not in places]:
        raise NotTheDirectory(f"missing columns: {', '.join(missing)}")
    return Layout(kind, len(names), places)


def _kind(known: Mapping[str, int]) -> Kind:
    if "type de bal" in known or "adresse bal" in known:
        return "boxes"
    if "identification nationale pp" not in known:
        raise NotTheDirectory("its columns are those of none of the directory's files")
    if any("structure" in name or "mode exercice" in name for name in known):
        return "people"
    return "left_out"
