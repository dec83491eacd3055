"""Acronyms of everyday care in French, and what they stand for: whoever types one finds the other. Data, and pure."""

from collections.abc import Sequence
from typing import Final

from services.communities.library.reading import folding

ACRONYMS: Final = {
    "aeg": ("altération de l'état général",),
    "ains": ("anti-inflammatoire non stéroïdien",),
    "aod": ("anticoagulant oral direct",),
    "aomi": ("artériopathie oblitérante des membres inférieurs",),
    "ait": ("accident ischémique transitoire",),
    "avc": ("accident vasculaire cérébral",),
    "avk": ("antivitamine K",),
    "bpco": ("bronchopneumopathie chronique obstructive",),
    "cpts": ("communauté professionnelle territoriale de santé",),
    "dasri": ("déchets d'activités de soins à risques infectieux",),
    "ecbu": ("examen cytobactériologique des urines",),
    "ecg": ("électrocardiogramme",),
    "ehpad": ("établissement d'hébergement pour personnes âgées dépendantes",),
    "ep": ("embolie pulmonaire",),
    "fa": ("fibrillation atriale", "fibrillation auriculaire"),
    "had": ("hospitalisation à domicile",),
    "hbpm": ("héparine de bas poids moléculaire",),
    "hta": ("hypertension artérielle",),
    "idel": ("infirmière libérale", "infirmier libéral"),
    "idm": ("infarctus du myocarde",),
    "irc": ("insuffisance rénale chronique",),
    "mrc": ("maladie rénale chronique",),
    "oap": ("œdème aigu du poumon",),
    "pps": ("plan personnalisé de santé",),
    "rcp": ("réunion de concertation pluridisciplinaire",),
    "sas": ("service d'accès aux soins",),
    "sca": ("syndrome coronarien aigu",),
    "ssiad": ("service de soins infirmiers à domicile",),
    "tvp": ("thrombose veineuse profonde", "phlébite"),
    "vni": ("ventilation non invasive",),
}

_LONG: Final = {
    tuple(word for word in folding.words(meaning) if word not in folding.EMPTY): short
    for short, meanings in ACRONYMS.items()
    for meaning in meanings
}


def groups(asked: Sequence[str]) -> list[list[str]]:
    """Each thing that was asked, as the ways to say it: `["hta"]` → `[["hta", "hypertension arterielle"]]`.

    asked: folded words, without those that find nothing (`folding.asked`).
    """
    found: list[list[str]] = []
    at = 0
    while at < len(asked):
        long = next((each for each in _LONG if tuple(asked[at : at + len(each)]) == each), None)
        if long is None:
            found.append([asked[at], *_meanings(asked[at])])
            at += 1
        else:
            found.append([" ".join(long), _LONG[long]])
            at += len(long)
    return found


def _meanings(word: str) -> list[str]:
    return [" ".join(long) for long, short in _LONG.items() if short == word]
