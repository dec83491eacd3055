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


_SAID = {
    "SM02": "endormir anesthésie",
    "SM04": "cœur cardiologue tension",
    "SM05": "opération chirurgien",
    "SM07": "dents mâchoire",
    "SM08": "os fracture hanche genou",
    "SM12": "vessie prostate urologue",
    "SM14": "ventre opération hernie",
    "SM15": "peau dermatologue",
    "SM16": "diabète thyroïde endocrinologue",
    "SM18": "personnes âgées mémoire gériatre",
    "SM19": "gynécologue femme contraception",
    "SM20": "grossesse accouchement maternité gynécologue sage-femme",
    "SM21": "sang hématologue",
    "SM24": "estomac foie intestin gastro-entérologue",
    "SM29": "rééducation",
    "SM30": "reins dialyse néphrologue",
    "SM32": "cerveau nerfs migraine neurologue",
    "SM34": "oreille nez gorge ORL",
    "SM36": "cancer oncologue",
    "SM37": "cancer rayons",
    "SM38": "yeux vue ophtalmologue ophtalmo",
    "SM40": "enfant bébé pédiatre",
    "SM41": "poumons asthme pneumologue",
    "SM42": "santé mentale psychiatre",
    "SM48": "articulations dos rhumatologue",
    "SM54": "généraliste médecin",
    "SM57": "allergie allergologue",
    "SM59": "urgences",
    "SM74": "radio radiologue scanner IRM échographie mammographie",
}
"""Words that patients use for a speciality, beside its own name."""


def every() -> list[tuple[str, str]]:
    """(code, words), by words."""
    return sorted(_CODES.items(), key=lambda each: _key(each[1]))


def is_code(code: str) -> bool:
    return code in _CODES


def words_of(code: str) -> str:
    """How the nomenclature writes it; "" for a code that we do not know."""
    return _CODES.get(code, "")


def said_for(code: str) -> str:
    """Other words for it, so that who types « cœur » finds cardiology."""
    return _SAID.get(code, "")


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
