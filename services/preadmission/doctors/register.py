"""Reading the public register of health professionals (Annuaire Santé, file PS_LibreAcces_Personne_activite).

Its lines are those of professionals at a place, `|` between the cells, in UTF-8; Licence Ouverte 2.0.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import Insert, insert

from portal import db
from services.preadmission.doctors.models import Doctor
from services.preadmission.doctors.queries import is_rpps, key

DOCTOR = "10"
"""Their code of profession (nomenclature G15)."""
COLUMNS: Mapping[str, str] = {
    "rpps": "Identifiant PP",
    "profession": "Code profession",
    "family_name": "Nom d'exercice",
    "given_name": "Prénom d'exercice",
    "speciality": "Libellé savoir-faire",
    "postcode": "Code postal (coord. structure)",
    "town": "Libellé commune (coord. structure)",
}
_A_BATCH = 2_000


class NotTheRegister(Exception):
    """The file has not the register's columns."""


def load(path: Path) -> int:
    """Put the doctors of this file in the place of those known; returns how many. All of them, or none."""
    count = 0
    batch: list[dict[str, object]] = []
    with db.transaction(db.system("doctors.load")) as current:
        current.execute(delete(Doctor))
        for row in _doctors(path):
            batch.append(row)
            if len(batch) == _A_BATCH:
                current.execute(_adding(batch))
                count, batch = count + len(batch), []
        if batch:
            current.execute(_adding(batch))
    return count + len(batch)


def _adding(rows: list[dict[str, object]]) -> Insert:
    return insert(Doctor).values(rows).on_conflict_do_nothing().inline()


def _doctors(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE)
        if missing := set(COLUMNS.values()) - set(lines.fieldnames or ()):
            raise NotTheRegister(", ".join(sorted(missing)))
        for line in lines:
            cells = {name: (line[column] or "").strip() for name, column in COLUMNS.items()}
            if cells.pop("profession") == DOCTOR and is_rpps(cells["rpps"]):
                yield _row(cells)


def _row(cells: dict[str, str]) -> dict[str, object]:
    name = key(f"{cells['family_name']} {cells['given_name']}")
    return {"id": uuid4(), **cells, "name_key": name, "town_key": key(cells["town"])}
