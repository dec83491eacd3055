"""Specialities as the national nomenclature codes them (TRE_R38, ordinal specialities), from the hospital's words."""

import unicodedata
from functools import cache

_CODES = {
    "SM02": "Anesthésie-réanimation",
    "SM04": "Cardiologie et maladies vasculaires",
    "SM05": "Chirurgie générale",
    "SM07": "Chirurgie maxillo-faciale et stomatologie",
    "SM08": "Chirurgie orthopédique et traumatologie",
    "SM09": "Chirurgie infantile",
    "SM10": "Chirurgie plastique reconstructrice et esthétique",
    "SM11": "Chirurgie thoracique et cardio-vasculaire",
    "SM12": "Chirurgie urologique",
    "SM13": "Chirurgie vasculaire",
    "SM14": "Chirurgie viscérale et digestive",
    "SM15": "Dermatologie et vénéréologie",
    "SM16": "Endocrinologie et métabolisme",
    "SM17": "Génétique médicale",
    "SM18": "Gériatrie",
    "SM19": "Gynécologie médicale",
    "SM20": "Gynécologie-obstétrique",
    "SM21": "Hématologie",
    "SM24": "Gastro-entérologie et hépatologie",
    "SM27": "Médecine interne",
    "SM28": "Médecine nucléaire",
    "SM29": "Médecine physique et réadaptation",
    "SM30": "Néphrologie",
    "SM31": "Neuro-chirurgie",
    "SM32": "Neurologie",
    "SM34": "ORL et chirurgie cervico-faciale",
    "SM36": "Oncologie médicale",
    "SM37": "Oncologie radiothérapie",
    "SM38": "Ophtalmologie",
    "SM40": "Pédiatrie",
    "SM41": "Pneumologie",
    "SM42": "Psychiatrie",
    "SM48": "Rhumatologie",
    "SM50": "Stomatologie",
    "SM54": "Médecine générale",
    "SM57": "Allergologie",
    "SM58": "Maladies infectieuses et tropicales",
    "SM59": "Médecine d’urgence",
    "SM61": "Médecine vasculaire",
    "SM74": "Radiologie et imagerie médicale",
}


def _key(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).casefold()
    return "".join(sign for sign in plain if sign.isalnum() and sign.isascii())


_KEYS = {_key(words): code for code, words in _CODES.items()}


@cache
def code_of(words: str) -> str:
    """The code of a speciality as a hospital writes it, or the one that begins so and is alone to; "" otherwise."""
    key = _key(words)
    if key in _KEYS:
        return _KEYS[key]
    begun = [code for known, code in _KEYS.items() if len(key) > 5 and known.startswith(key)]
    return begun[0] if len(begun) == 1 else ""
