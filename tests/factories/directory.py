"""Files of the national directory, with the columns of the published ones, about people who do not exist."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.db import session
from portal.establishments import Establishment, Practitioner
from services.directory import actions, folding, lines, rows, staging
from services.directory.columns import BOXES, PEOPLE

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_SPELT = (
    "Libellé civilité exercice", "Code savoir-faire", "Libellé savoir-faire", "Code postal (coord. structure)",
    "Numéro FINESS site", "Adresse BAL", "Nom d'exercice", "Prénom d'exercice",
)  # fmt: skip
"""As the published files spell them; the others are written as they are folded, which any spelling comes to."""
_AS_PUBLISHED = {folding.column(spelt): spelt for spelt in _SPELT}


def rpps(number: int) -> str:
    """`8` and an RPPS number of eleven digits with its Luhn key."""
    base = f"{number:010}"
    total = sum(int(d) if n % 2 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(base)))
    return f"8{base}{-total % 10}"


def person(number: int, family: str = "MARTIN", given: str = "Léa", /, **cells: str) -> dict[str, str]:
    """A line of `Personne_activite`: a doctor at a hospital of Arceau."""
    return {
        "id": rpps(number), "title": "Docteur", "family": family, "given": given, "profession": "10",
        "profession_label": "Médecin", "category": "C", "speciality": "SM04", "speciality_label": "Cardiologie",
        "mode": "S", "mode_label": "Salarié", "sector": "SA01", "sector_label": "Établissement public de santé",
        "structure_id": "F910000001", "finess": "990000017", "name": "CH DU VAL D’ARCEAU", "number": "12",
        "street_kind": "Avenue", "street": "DES TILLEULS", "postcode": "91990", "commune": "91999", "town": "ARCEAU",
        "phone": "0199001000",
    } | cells  # fmt: skip


def box(
    address: str, number: int | None = None, family: str = "MARTIN", given: str = "Léa", /, **cells: str
) -> dict[str, str]:
    """A line of `Correspondance_MSSante`: a person's box, or an organisation's when nobody's number is given."""
    made = {"address": address, "structure": "", "structure_name": "", "paperless": "O", "profession": "Médecin"}
    if number is None:
        made |= {"kind": "ORG", "structure": "990000017", "structure_name": "CH DU VAL D’ARCEAU", "profession": ""}
    else:
        made |= {"kind": "PER", "person_id": rpps(number), "family": family, "given": given}
    return made | cells


def people_file(path: Path, lines: Iterable[Mapping[str, str]]) -> Path:
    """Writes `Personne_activite`, a `|` at the end of each line."""
    return _written(path, PEOPLE, lines, "|")


def boxes_file(path: Path, lines: Iterable[Mapping[str, str]], *extra: str) -> Path:
    """Writes `Correspondance_MSSante`; extra: columns that the published file has not (`red_list`, `rank`)."""
    columns = {name: spelt for name, spelt in BOXES.items() if name not in ("red_list", "rank") or name in extra}
    return _written(path, columns, lines, "")


def _written(path: Path, columns: Mapping[str, str], lines: Iterable[Mapping[str, str]], end: str) -> Path:
    header = [_AS_PUBLISHED.get(spelt.partition("|")[0], spelt.partition("|")[0]) for spelt in columns.values()]
    rows = [header, *([line.get(name, "") for name in columns] for line in lines)]
    path.write_text("".join("|".join(row) + end + "\n" for row in rows), encoding="utf-8")
    return path


_FAMILIES = (
    "ALLEMAND", "BARTHEZAC", "BOISSELOT", "CAUMARTIN", "CHANTERELLE", "COURTEMER", "D’ESTRÉVILLE", "DUVERNAY",
    "ESTIVALET", "FAUCONNIER", "GRANDCHAMP", "HAUTECOEUR", "JOLIVEAU", "KERMOAL", "LE BIHANIC", "LORMEVAL",
    "MALAVERGNE", "MONTGRAVIER", "NOUVION", "ORMESSON", "PÉRICHAUD", "QUINTARD", "RIVALIN", "SAINT-AUBIN",
    "TOURNEBISE", "VAUCLERC",
)  # fmt: skip
_GIVENS = ("Agnès", "Amadou", "Anne-Sophie", "Bérénice", "Chloé", "Élodie", "Inès", "Jean-Pierre", "Karim", "Loïc",
           "Noël", "Zoé")  # fmt: skip
_OCCUPATIONS = (
    ("10", "Médecin", "SM54", "Médecine générale"), ("10", "Médecin", "SM04", "Cardiologie"),
    ("10", "Médecin", "SM15", "Dermatologie"), ("60", "Infirmier", "", ""), ("60", "Infirmier", "", ""),
    ("70", "Masseur-kinésithérapeute", "", ""), ("21", "Pharmacien", "", ""), ("50", "Sage-femme", "", ""),
)  # fmt: skip
_TOWNS = (("91990", "91999", "ARCEAU"), ("91995", "91998", "DEUX-RIVES"), ("91992", "91997", "PONT-SUR-LINE"))
_CITY = {"mode": "L", "mode_label": "Libéral", "sector": "SA07", "sector_label": "Cabinet individuel", "finess": ""}
_WELL_KNOWN = (
    ("899700000013", "ROUMILLAC", "Claire", "claire.roumillac@medecin.mssante.fr"),
    ("899700000021", "NEVELET", "Idriss", "idriss.nevelet@medecin.mssante.fr"),
    ("899700000039", "ABRIAL", "Solène", "solene.abrial@infirmier.mssante.fr"),
    (rpps(9_900_000_001), "HODA", "Adam", "adam.hoda@medecin.mssante.fr"),
    (rpps(9_900_000_002), "GARANCE", "Lise", "lise.garance@medecin.mssante.fr"),
)
"""Practitioners of the demonstration, and the boxes that its operator of secure mail opens for them."""
_SERVICES = (
    ("ophtalmologie@ch-arceau.mssante.fr", "990000011", "CH DU VAL D’ARCEAU", "Ophtalmologie"),
    ("chirurgie@ch-arceau.mssante.fr", "990000011", "CH DU VAL D’ARCEAU", "Chirurgie ambulatoire"),
    ("maternite@deux-rives.mssante.fr", "990000029", "HOPITAL DES DEUX-RIVES", "Maternité et gynécologie"),
    ("imagerie@deux-rives.mssante.fr", "990000029", "HOPITAL DES DEUX-RIVES", "Imagerie médicale"),
)
_NEIGHBOURS = 300


def demonstrate(world: "World") -> None:
    """The practitioners of the demonstration and three hundred neighbours who do not exist, as files tell them."""
    with TemporaryDirectory() as folder:
        day = Path(folder)
        people = people_file(day / "PS_LibreAcces_Personne_activite_202611220613.txt", _people())
        boxes = boxes_file(day / "Extraction_Correspondance_MSSante_202611220613.txt", _boxes())
        for path in (people, boxes):
            _load_here(path)


def _load_here(path: Path) -> None:
    """As an import does, in the one transaction of the demonstration."""
    (source,) = lines.sources(path)
    imported, maker = actions.begin(source), rows.maker(source.layout)
    with lines.opened(source) as file:
        for block in lines.read(source, file):
            imported.lines += len(block.text)
            made = maker.rows(block)
            for table, each in made.tables.items():
                staging.copy(table, each)
            imported.refused += len(made.refused)
            imported.samples = [{"line": line, "why": why} for line, why in made.refused.items()]
    actions.finish(imported)


def _people() -> Iterator[dict[str, str]]:
    for number, (identity, family, given, address) in enumerate(_WELL_KNOWN):
        nurse = {
            "title": "",
            "profession": "60",
            "profession_label": "Infirmier",
            "speciality": "",
            "speciality_label": "",
        }
        own = nurse if "infirmier" in address else {"speciality": "SM54", "speciality_label": "Médecine générale"}
        yield person(0, family, given, **(_practice(number) | own | {"id": identity}))
    for own in session.scalars(select(Practitioner).order_by(Practitioner.rpps, Practitioner.id)):
        if own.rpps and not rows.wrong_number(f"8{own.rpps}".encode()):
            hospital = session.get_one(Establishment, own.establishment_id)
            where = {"structure_id": f"F{hospital.finess}", "finess": hospital.finess, "name": hospital.name.upper()}
            known = {"speciality": "", "speciality_label": "", "sign": ""} | where
            yield person(0, own.family_name, own.given_name, **(known | {"id": f"8{own.rpps}"}))
    for number in range(_NEIGHBOURS):
        profession, label, speciality, its_label = _OCCUPATIONS[number % len(_OCCUPATIONS)]
        own = {
            "profession": profession,
            "profession_label": label,
            "speciality": speciality,
            "speciality_label": its_label,
        }
        own |= {"title": "Docteur" if profession in ("10", "21") else ""}
        yield person(9_910_000_000 + number, *_named(number), **(_practice(number) | own))
        if number % 5 == 0:
            yield person(9_910_000_000 + number, *_named(number), **own)
    yield person(0, "ILLISIBLE", "Ligne", id="81234")


def _named(number: int) -> tuple[str, str]:
    return _FAMILIES[number % len(_FAMILIES)], _GIVENS[number * 7 // len(_FAMILIES) % len(_GIVENS)]


def _practice(number: int) -> dict[str, str]:
    postcode, commune, town = _TOWNS[number % len(_TOWNS)]
    return _CITY | {
        "structure_id": f"R{number:09}", "name": f"CABINET {number + 1} DE {town}", "postcode": postcode,
        "commune": commune, "town": town, "number": str(number % 80 + 1), "street_kind": "Rue",
        "street": "DES LAVOIRS", "phone": f"01990{number:05}",
    }  # fmt: skip


def _boxes() -> Iterator[dict[str, str]]:
    for identity, family, given, address in _WELL_KNOWN:
        yield box(address, 0, family, given, person_id=identity)
    nevelet = {"person_id": "899700000021", "structure": "990000011", "structure_name": "CH DU VAL D’ARCEAU"}
    yield box("idriss.nevelet@ch-arceau.mssante.fr", 0, "NEVELET", "Idriss", **nevelet, postcode="91990")
    for address, structure, name, service in _SERVICES:
        yield box(address, structure=structure, structure_name=name, service=service)
    for number in (each for each in range(_NEIGHBOURS) if each % 3):
        family, given = _named(number)
        address = f"{folding.key(given)}.{folding.key(family)}{number}@pro.mssante.fr".replace(" ", "-")
        yield box(address, 9_910_000_000 + number, family, given, paperless="O" if number % 4 else "N")
