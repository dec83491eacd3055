"""The fictional people of the demonstration, as each provider would describe them.

Nobody here exists. PAT-TROIS is the test patient that ANS publishes in its example documents; the
others are invented, their e-mails end in `.test`, their RPPS start with 997 as ANS's test numbers
do, and their FINESS and SIRET start with 99, which no French department bears.
"""

import hashlib
import unicodedata
import uuid
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

# The keys of Pro Santé Connect's userinfo, to the letter; all of them are texts, "" when unknown.
PRACTICE_KEYS = (
    "codeProfession",
    "codeCategorieProfessionnelle",
    "codeCiviliteDexercice",
    "nomDexercice",
    "prenomDexercice",
    "codeTypeSavoirFaire",
    "codeSavoirFaire",
)
PLACE_KEYS = (
    "codeModeExercice",
    "codeSecteurDactivite",
    "codeSectionPharmacien",
    "codeRole",
    "codeGenreActivite",
    "numeroSiretSite",
    "numeroSirenSite",
    "numeroFinessSite",
    "numeroFinessetablissementJuridique",
    "identifiantTechniqueDeLaStructure",
    "raisonSocialeSite",
    "enseigneCommercialeSite",
    "complementDestinataire",
    "complementPointGeographique",
    "numeroVoie",
    "indiceRepetitionVoie",
    "codeTypeDeVoie",
    "libelleVoie",
    "mentionDistribution",
    "bureauCedex",
    "codePostal",
    "codeCommune",
    "codePays",
    "telephone",
    "telephone2",
    "telecopie",
    "adresseEMail",
    "codeDepartement",
    "ancienIdentifiantDeLaStructure",
    "autoriteDenregistrement",
)


def _practice(*places: dict[str, str], **values: str) -> dict[str, Any]:
    return {**dict.fromkeys(PRACTICE_KEYS, ""), **values, "activities": list(places)}


def _place(**values: str) -> dict[str, str]:
    return {**dict.fromkeys(PLACE_KEYS, ""), "codeGenreActivite": "GENR01", **values}


def _professional(
    key: str, story: str, subject_name_id: str, given_name: str, family_name: str, *practices: dict[str, Any]
) -> Person:
    role = f"{practices[0]['codeProfession'] if practices else '350'}^1.2.250.1.213.1.1.5.5"
    claims: dict[str, Any] = {
        "SubjectNameID": subject_name_id,
        "preferred_username": subject_name_id,
        "given_name": given_name,
        "family_name": family_name,
        "email_verified": False,
        "Secteur_Activite": "SA07^1.2.250.1.71.4.2.4",
        "SubjectOrganization": "",
        "SubjectOrganizationID": "",
        "SubjectRole": [role],
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "FAUX",
        "UITVersion": "1.0",
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "otherIds": [],
    }
    if practices:
        claims["SubjectRefPro"] = {"codeCivilite": "", "exercices": list(practices)}
    # Keycloak's form, as Pro Santé Connect's examples show it.
    subject = f"f:0d5c6d3a-3b7f-4a55-9a0e-5b6f0c2e7a41:{subject_name_id}"
    return Person(key, f"{given_name} {family_name}", story, subject, "eidas1", (), claims)


PROFESSIONALS = (
    _professional(
        "roumillac",
        "Médecin généraliste, seule en cabinet de ville.",
        "899700000013",
        "Claire",
        "ROUMILLAC",
        _practice(
            _place(
                codeModeExercice="L",
                codeSecteurDactivite="SA07",
                numeroSiretSite="99900010200015",
                raisonSocialeSite="CABINET DU DR ROUMILLAC",
                codePostal="91100",
                codeCommune="91174",
            ),
            codeProfession="10",
            codeCategorieProfessionnelle="C",
            codeCiviliteDexercice="DR",
            nomDexercice="ROUMILLAC",
            prenomDexercice="Claire",
            codeTypeSavoirFaire="S",
            codeSavoirFaire="SM54",
        ),
    ),
    _professional(
        "nevelet",
        "Cardiologue sur deux sites : choisit celui où il travaille aujourd’hui.",
        "899700000021",
        "Idriss",
        "NEVELET",
        _practice(
            _place(
                codeModeExercice="S",
                codeSecteurDactivite="SA01",
                numeroFinessSite=HOSPITAL_FINESS_SITES[0],
                numeroSiretSite=HOSPITAL_SIRETS[0],
                raisonSocialeSite="CH DU VAL D’ARCEAU",
            ),
            _place(
                codeModeExercice="L",
                codeSecteurDactivite="SA05",
                numeroFinessSite="990000102",
                raisonSocialeSite="CLINIQUE DES TROIS PONTS",
            ),
            codeProfession="10",
            codeCategorieProfessionnelle="C",
            codeCiviliteDexercice="DR",
            nomDexercice="NEVELET",
            prenomDexercice="Idriss",
            codeTypeSavoirFaire="S",
            codeSavoirFaire="SM04",
        ),
    ),
    _professional(
        "abrial",
        "Infirmière libérale, dont l’exercice n’indique aucun lieu.",
        "899700000039",
        "Solène",
        "ABRIAL",
        _practice(
            codeProfession="60",
            codeCategorieProfessionnelle="C",
            codeCiviliteDexercice="MME",
            nomDexercice="ABRIAL",
            prenomDexercice="Solène",
        ),
    ),
    _professional(
        "vauquelin",
        "Médecin remplaçante sur trois sites, connue à l’exercice sous son nom de naissance.",
        "899700000047",
        "Joséphine",
        "DELORMEAU",
        _practice(
            _place(
                codeModeExercice="L",
                codeSecteurDactivite="SA07",
                numeroSiretSite="99900010200015",
                raisonSocialeSite="CABINET DU DR ROUMILLAC",
                codePostal="91100",
                codeCommune="91174",
            ),
            _place(
                codeModeExercice="L",
                codeSecteurDactivite="SA08",
                numeroFinessSite="990000110",
                raisonSocialeSite="SCM DES ECLUSES",
                enseigneCommercialeSite="MAISON DE SANTÉ DES ÉCLUSES",
                codePostal="91250",
            ),
            _place(codeModeExercice="L", codeSecteurDactivite="SA07"),
            codeProfession="10",
            codeCategorieProfessionnelle="C",
            codeCiviliteDexercice="DR",
            nomDexercice="VAUQUELIN",
            prenomDexercice="Joséphine",
            codeTypeSavoirFaire="S",
            codeSavoirFaire="SM54",
        ),
    ),
    _professional(
        "quesnoy",
        "Secrétaire médicale : pas de RPPS, pas d’exercice.",
        "3990000011/SEC0042",
        "Maud",
        "QUESNOY",
    ),
)


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _agent(
    key: str,
    story: str,
    given_name: str,
    usual_name: str,
    *,
    siret: str = HOSPITAL_SIRETS[0],
    acr: str = "https://proconnect.gouv.fr/assurance/consistency-checked-2fa",
) -> Person:
    email = _ascii(f"{given_name}.{usual_name}@hopital.exemple.test".lower())
    claims = {
        "uid": f"demo-{key}",
        "email": email,
        "given_name": given_name,
        "usual_name": usual_name,
        "siret": siret,
        "idp_id": AGENTS_IDP_ID,
    }
    amr = ("pwd", "mfa") if acr.endswith("2fa") else ("pwd",)
    subject = hashlib.sha256(f"parvis-demo/agent/{key}".encode()).hexdigest()
    return Person(key, f"{given_name} {usual_name}", story, subject, acr, amr, claims)


AGENTS = (
    _agent("admissions-clerk", "Agente des admissions : pré-admissions.", "Nadège", "Forvil"),
    _agent("appointments-agent", "Agent du standard : rendez-vous.", "Bruno", "Castelain"),
    _agent("billing-agent", "Agente des frais de séjour : factures.", "Odile", "Maresquier"),
    _agent("medical-secretary", "Secrétaire médicale : documents.", "Inès", "Tavernoy"),
    _agent("administrator", "Administrateur du portail.", "Hugo", "Delsarte"),
    _agent(
        "unknown-agent",
        "Agent d’un autre employeur, sans aucun rôle ici.",
        "Rémi",
        "Passavent",
        siret="99900099500012",
    ),
    _agent(
        "agent-without-mfa",
        "Mot de passe seul : le portail doit refuser cette agente.",
        "Lucie",
        "Ambremont",
        acr="eidas1",
    ),
)


def _account(
    key: str, story: str, given_name: str, family_name: str, *, amr: tuple[str, ...] = ("pwd", "otp"), acr: str = "2"
) -> Person:
    claims = {
        "preferred_username": _ascii(f"{given_name[0]}{family_name}".lower()),
        "given_name": given_name,
        "family_name": family_name,
        "email": _ascii(f"{given_name}.{family_name}@hopital.exemple.test".lower()),
    }
    subject = str(uuid.uuid5(uuid.NAMESPACE_URL, f"parvis-demo/directory/{key}"))
    return Person(key, f"{given_name} {family_name}", story, subject, acr, amr, claims)


DIRECTORY = (
    _account("administrator", "Administrateur du portail, par l’annuaire de l’hôpital.", "Hugo", "Delsarte"),
    _account("admissions-clerk", "Agente des admissions, par l’annuaire de l’hôpital.", "Nadège", "Forvil"),
    _account(
        "account-without-mfa",
        "Mot de passe seul : le portail doit refuser ce compte.",
        "Joël",
        "Vercassin",
        amr=("pwd",),
        acr="1",
    ),
)
