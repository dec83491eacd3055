"""The fictional health professionals, with every key that Pro Santé Connect gives."""

from typing import Any

from auth.demo_idp.people import HOSPITAL_FINESS_SITES, HOSPITAL_SIRETS, Person

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
