"""Results of a laboratory beside the blood test of the demonstration."""

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.db import session
from services.documents.models import Document
from services.documents.reading import results
from services.documents.reading.results import Row

if TYPE_CHECKING:
    from tests.factories.demonstration import World

BLOOD_TEST = (
    Row("Hémoglobine", "718-7", "13,2", Decimal("13.2"), "g/dL", "12,0 – 16,0", flag="N", group="Hématologie"),
    Row("Glycémie à jeun", "14771-0", "1,18", Decimal("1.18"), "g/L", "0,70 – 1,05", flag="H", group="Biochimie"),
    Row("TSH", "3016-3", "2,1", Decimal("2.1"), "m[IU]/L", "0,4 – 4,0", flag="N", group="Biochimie"),
)


def demonstrate(world: "World") -> None:
    """The numbers that the letter says in words, as its laboratory would have coded them."""
    about = world.patients["dominique"]
    blood_test = Document.patient_id == about.id, Document.title == "Résultats de biologie"
    for document in session.scalars(select(Document).where(*blood_test)):
        results.keep(document, BLOOD_TEST)
