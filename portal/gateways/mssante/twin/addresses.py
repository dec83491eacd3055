"""The demonstration's boxes: those that its hospitals hold, and those of whom they write to."""

from dataclasses import dataclass, field

from portal.gateways.mssante.twin.boxes import Habits, Kind, Receipt
from portal.gateways.mssante.twin.post_office import PostOffice

# Opens every box of the twin, which answers this machine alone and holds nothing but fiction.
PASSWORD = "demonstration"  # noqa: S105 - see above


@dataclass(frozen=True, slots=True)
class DemonstrationBox:
    """finess: the hospital that holds it; empty: a correspondent. unit: its UF. holder: SubjectNameID of a person."""

    address: str
    kind: Kind
    label: str
    finess: str = ""
    unit: str = ""
    holder: str = ""
    habits: Habits = field(default_factory=Habits)
    closed: bool = False


HOSPITAL_BOXES = (
    DemonstrationBox("portail@ch-arceau.mssante.fr", Kind.APP, "CH Val d’Arceau – Portail", "990000011"),
    DemonstrationBox("ophtalmologie@ch-arceau.mssante.fr", Kind.ORG, "Ophtalmologie", "990000011", "1204"),
    DemonstrationBox("chirurgie@ch-arceau.mssante.fr", Kind.ORG, "Chirurgie ambulatoire", "990000011", "1310"),
    DemonstrationBox(
        "idriss.nevelet@ch-arceau.mssante.fr", Kind.PER, "Dr Idriss NEVELET", "990000011", holder="899700000021"
    ),
    DemonstrationBox("portail@deux-rives.mssante.fr", Kind.APP, "Deux-Rives – Portail", "990000029"),
    DemonstrationBox("maternite@deux-rives.mssante.fr", Kind.ORG, "Maternité et gynécologie", "990000029", "2010"),
    DemonstrationBox("imagerie@deux-rives.mssante.fr", Kind.ORG, "Imagerie médicale", "990000029", "2105"),
)

CORRESPONDENTS = (
    DemonstrationBox(
        "claire.roumillac@medecin.mssante.fr", Kind.PER, "Dre Claire ROUMILLAC", habits=Habits(Receipt.READ)
    ),
    DemonstrationBox(
        "idriss.nevelet@medecin.mssante.fr", Kind.PER, "Dr Idriss NEVELET", habits=Habits(Receipt.PROCESSED)
    ),
    DemonstrationBox("solene.abrial@infirmier.mssante.fr", Kind.PER, "Mme Solène ABRIAL"),
    DemonstrationBox(
        "adam.hoda@medecin.mssante.fr", Kind.PER, "Dr Adam HODA",
        habits=Habits(Receipt.READ, answers="Cher confrère,\n\nbien reçu, merci. Votre courrier est ci-joint.\n"),
    ),
    DemonstrationBox(
        "lise.garance@medecin.mssante.fr", Kind.PER, "Dre Lise GARANCE",
        habits=Habits(away="Je suis absente jusqu’à lundi. En cas d’urgence, composez le 15.\n"),
    ),
    DemonstrationBox("ancien.cabinet@medecin.mssante.fr", Kind.PER, "Cabinet fermé", closed=True),
    DemonstrationBox(
        "resultats@labo-tilleuls.mssante.fr", Kind.APP, "Laboratoire des Tilleuls", habits=Habits(Receipt.KO)
    ),
    DemonstrationBox("279035121518989@patient.mssante.fr", Kind.CITIZEN, "Dominique PAT-TROIS"),
)  # fmt: skip


def open_all(post: PostOffice) -> None:
    """Every box of the demonstration."""
    for each in (*HOSPITAL_BOXES, *CORRESPONDENTS):
        box = post.open_box(each.address, each.kind, PASSWORD, each.habits)
        box.closed, box.holder = each.closed, each.holder
