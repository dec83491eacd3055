"""The fictional people of the demonstration, as each provider would describe them.

Nobody here exists. PAT-TROIS is the test patient that ANS publishes in its example documents; the
others are invented, their e-mails end in `.test`, their RPPS start with 997 as ANS's test numbers
do, and their FINESS and SIRET start with 99, which no French department bears.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

# SIRET of the two establishments of the demonstration's hospital group.
HOSPITAL_SIRETS = ("99900001100018", "99900002900010")
HOSPITAL_FINESS_SITES = ("990000011", "990000029")
HOSPITAL_FINESS = (*HOSPITAL_FINESS_SITES, "990000017", "990000025")  # of the demonstration, and of the tests
AGENTS_IDP_ID = "6d1f0f6c-9a8e-4b0e-8f51-0a3c2f7e9d10"


@dataclass(frozen=True)
class Person:
    """One fictional person: `claims` is their userinfo, `story` what they are good for."""

    key: str
    name: str
    story: str
    subject: str
    acr: str
    amr: tuple[str, ...]
    claims: dict[str, Any] = field(repr=False)


def _patient(key: str, story: str, *, amr: tuple[str, ...], **claims: Any) -> Person:
    first_names = claims["given_name_array"]
    claims["given_name"] = " ".join(first_names)
    # FranceConnect's form: 64 hexadecimal digits and "v1".
    subject = hashlib.sha256(f"parvis-demo/{key}".encode()).hexdigest() + "v1"
    name = f"{first_names[0]} {claims['family_name']}"
    return Person(key, name, story, subject, "eidas1", amr, claims)


PATIENTS = (
    _patient(
        "dominique",
        "47 ans, double authentification. Patiente d’exemple des documents officiels de l’ANS.",
        amr=("pwd", "mfa"),
        given_name_array=["DOMINIQUE", "MARIE-LOUISE"],
        family_name="PAT-TROIS",
        gender="female",
        birthdate="1979-03-28",
        birthplace="51215",
        birthcountry="99100",
        email="dominique.pat-trois@exemple.test",
    ),
    _patient(
        "suzanne",
        "82 ans, connue sous son nom d’usage, mot de passe seul.",
        amr=("pwd",),
        given_name_array=["Suzanne", "Marguerite"],
        family_name="VALMORIN",
        preferred_username="BASTERAC",
        gender="female",
        birthdate="1944-05-17",
        birthplace="23096",
        birthcountry="99100",
        email="suzanne.basterac@exemple.test",
    ),
    _patient(
        "yacine",
        "Né à l’étranger, un jour inconnu de 1988. Mot de passe et code par courriel.",
        amr=("pwd", "mail"),
        given_name_array=["Yacine"],
        family_name="OUARDALI",
        gender="male",
        birthdate="1988-01-01",
        idp_birthdate="1988-00-00",
        birthplace="",
        birthcountry="99352",
        email="yacine.ouardali@exemple.test",
    ),
    _patient(
        "camille",
        "Mère d’une petite fille, pour agir au nom de son enfant. Double authentification.",
        amr=("pwd", "mfa"),
        given_name_array=["Camille", "Jeanne"],
        family_name="LORMEVAL",
        gender="female",
        birthdate="1991-09-12",
        birthplace="91174",
        birthcountry="99100",
        email="camille.lormeval@exemple.test",
    ),
    _patient(
        "jean-marie",
        "Un très long nom composé, des accents et un prénom en deux mots.",
        amr=("pwd", "mfa"),
        given_name_array=["Jean Marie", "Théophile", "Maximilien", "François-Xavier"],
        family_name="DE LA ROCHEBRIANT-MONTMIRAULT DE SAINT-HILARION D’ARTEMONT",
        preferred_username="DE LA ROCHEBRIANT-MONTMIRAULT",
        gender="male",
        birthdate="1957-12-31",
        birthplace="2A004",
        birthcountry="99100",
        email="jean-marie.de-la-rochebriant-montmirault@exemple.test",
    ),
    _patient(
        "helene",
        "Fille et aidante de Suzanne : elle s’occupe de ses rendez-vous et de ses factures. Double authentification.",
        amr=("pwd", "mfa"),
        given_name_array=["Hélène", "Solange"],
        family_name="BASTERAC",
        gender="female",
        birthdate="1971-11-02",
        birthplace="23096",
        birthcountry="99100",
        email="helene.basterac@exemple.test",
    ),
    _patient(
        "bernard",
        "Tuteur dont le jugement vient d’expirer. Double authentification.",
        amr=("pwd", "mfa"),
        given_name_array=["Bernard", "Yves"],
        family_name="KERSAUDY",
        gender="male",
        birthdate="1964-02-29",
        birthplace="29019",
        birthcountry="99100",
        email="bernard.kersaudy@exemple.test",
    ),
)


def _patient_plus(
    key: str, story: str, *, amr: tuple[str, ...], name: str, acr: str = "eidas2", **claims: Any
) -> Person:
    # Another platform than FranceConnect: the same person has another subject there.
    subject = hashlib.sha256(f"parvis-demo/plus/{key}".encode()).hexdigest() + "v1"
    return Person(key, name, story, subject, acr, amr, claims)


PATIENTS_PLUS = (
    _patient_plus(
        "dominique",
        "La même patiente qu’avec FranceConnect, ici avec son identité numérique vérifiée.",
        amr=("fr", "pwd", "mfa"),
        name="Dominique PAT-TROIS",
        given_name="Dominique Marie-Louise",
        rnipp_given_name_array=["DOMINIQUE", "MARIE-LOUISE"],
        family_name="PAT-TROIS",
        gender="female",
        birthdate="1979-03-28",
        birthplace="51215",
        birthcountry="99100",
        email="dominique.pat-trois@exemple.test",
    ),
    _patient_plus(
        "blanche",
        "64 ans, jamais venue sur le portail. Prénom en deux mots.",
        amr=("fr", "pwd", "mfa"),
        name="Anne Sophie ROUVEDEL",
        given_name="Anne Sophie Blanche",
        rnipp_given_name_array=["ANNE SOPHIE", "BLANCHE"],
        family_name="ROUVEDEL",
        preferred_username="TISSERAC",
        gender="female",
        birthdate="1962-06-21",
        birthplace="2B033",
        birthcountry="99100",
        email="blanche.tisserac@exemple.test",
    ),
    _patient_plus(
        "liisa",
        "Européenne : ni sexe, ni pays, ni code de commune de naissance.",
        amr=("eidas",),
        name="Liisa Marjatta KORVENRANTA",
        given_name="Liisa Marjatta",
        family_name="KORVENRANTA",
        birthdate="1985-02-09",
        birthplace="Jyväskylä, Suomi",
        email="liisa.korvenranta@exemple.test",
    ),
)
