"""Sixty short texts as a territorial community of practitioners keeps them, and questions with what answers them.

Fictional: no guideline, no person. A line of corpus.txt: code | kind | title | keywords | text.
"""

from pathlib import Path
from typing import NamedTuple


class Text(NamedTuple):
    code: str
    kind: str
    title: str
    keywords: str
    text: str


TEXTS = tuple(
    Text(*(part.strip() for part in line.split("|", 4)))
    for line in (Path(__file__).parent / "corpus.txt").read_text().splitlines()
)

QUESTIONS = (
    # (what is typed, the documents that answer: one of them is to be among the first three)
    ("BPCO", {"bpco-exa", "bpco-rehab"}),
    ("b.p.c.o. exacerbation", {"bpco-exa"}),
    ("bronchopneumopathie", {"bpco-exa"}),
    ("hta", {"hta-mesure", "hta-resist"}),
    ("hypertension artérielle", {"hta-resist", "hta-mesure"}),
    ("hypertension arterielle resistante", {"hta-resist"}),
    ("oedeme aigu du poumon", {"oap"}),
    ("œdèmes pulmonaires aigus", {"oap"}),
    ("OAP", {"oap"}),
    ("denutrition personnes agees", {"denutrition"}),
    ("dénutri", {"denutrition"}),
    ("denutritoin", {"denutrition"}),
    ("chutes", {"chute"}),
    ("chuter à domicile", {"chute"}),
    ("que faire après une chute ?", {"chute"}),
    ("plaies chroniques", {"plaie-chron"}),
    ("pansemant", {"pansement"}),
    ("escares", {"escarre"}),
    ("anticoagulant hémorragie", {"saignement"}),
    ("saignements sous anticoagulants", {"saignement"}),
    ("relais avk aod", {"fa-aod"}),
    ("accident vasculaire cérébral", {"avc"}),
    ("accident ischemique transitoire", {"ait"}),
    ("douleurs thoraciques", {"douleur-tho"}),
    ("electrocardiogramme", {"douleur-tho", "hyperk"}),
    ("embolies pulmonaires", {"ep"}),
    ("phlebite", {"phlebite"}),
    ("pied diabetique", {"diab-pied"}),
    ("insulines", {"diab-insuline"}),
    ("diabete de la grossesse", {"diab-gest"}),
    ("hypoglicémie", {"hypo", "diab-insuline"}),
    ("iatrogenie", {"iatrogenie"}),
    ("deprescrire", {"iatrogenie"}),
    ("benzodiazepines", {"iatrogenie", "opioides"}),
    ("alzheimer", {"memoire"}),
    ("aidant épuisé", {"aidants"}),
    ("l’ehpad la nuit", {"ehpad-urg"}),
    ("hospitalisation à domicile fin de vie", {"sla"}),
    ("HAD", {"sla"}),
    ("morphine", {"opioides"}),
    ("prescription d'opioïdes forts", {"opioides"}),
    ("lombalgies", {"lombalgie"}),
    ("bronchiolites du nourisson", {"bronchiolite"}),
    ("antibiotique otite enfant", {"otite"}),
    ("vaccination grippe", {"vaccin-grippe"}),
    ("vacciner collégiens HPV", {"vaccin-hpv"}),
    ("rougeolle", {"rougeole"}),
    ("cystite", {"infection-urin"}),
    ("ecbu", {"infection-urin", "pyelo"}),
    ("pyelonephrite", {"pyelo"}),
    ("suicide", {"depression"}),
    ("risque suicidaire", {"depression"}),
    ("arrêter le tabac", {"sevrage-tabac"}),
    ("violence conjugale", {"violences"}),
    ("information préoccupante", {"enfance-danger"}),
    ("fièvre et chimio", {"aplasie"}),
    ("chimiothérapie effets indesirables", {"chimio"}),
    ("dépistage du cancer", {"depistage"}),
    ("maladie rénale chronique", {"mrc"}),
    ("hyperkaliemie", {"hyperk"}),
    ("déchets d'activités de soins", {"dasri"}),
    ("piqûre accidentelle AES", {"aes"}),
    ("soins non-programmés", {"sas"}),
    ("conseil d administration", {"statuts"}),
    ("lettre de liaison sortie", {"sortie-hosp"}),
    ("télé-expertise plaie", {"plaie-chron"}),
    ("bon de transport ambulance", {"transport"}),
    ("kinésithérapeute", {"bpco-rehab", "lombalgie"}),
    ("pesées quotidiennes insuffisance cardiaque", {"ic-sortie"}),
    ("vitamine d", {"chute"}),
)
