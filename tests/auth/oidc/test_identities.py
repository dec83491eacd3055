"""From a provider's claims to a person, or to a refusal: never to half a person."""

from typing import Any

import pytest

from auth import franceconnect, proconnect, prosanteconnect
from auth.demo_idp.audiences import AUDIENCES
from auth.oidc import SignInRefused


class TestMalformedIdentities:
    PATIENT = AUDIENCES["franceconnect"].people[0].claims
    DOCTOR = AUDIENCES["prosanteconnect"].people[1].claims
    AGENT = AUDIENCES["proconnect"].people[0].claims

    @pytest.mark.parametrize(
        "wrong",
        [
            {"birthdate": "1979-02-30"},
            {"birthdate": "28/03/1979"},
            {"birthdate": None},
            {"gender": "unspecified"},
            {"family_name": ""},
            {"family_name": "NUL\x00"},
            {"family_name": ["PAT-TROIS"]},
            {"given_name_array": ["DOMINIQUE", 3]},
            {"birthplace": 51215},
        ],
    )
    def test_no_patient_is_made_of_nonsense(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(SignInRefused, match="claim_malformed"):
            franceconnect.identity_from({**self.PATIENT, **wrong})

    def test_first_names_come_from_the_sentence_when_there_is_no_list(self) -> None:
        claims = {name: value for name, value in self.PATIENT.items() if name != "given_name_array"}

        assert franceconnect.identity_from(claims).first_names == ("DOMINIQUE", "MARIE-LOUISE")

    @pytest.mark.parametrize("name", ["preferred_username", "email", "birthplace"])
    def test_a_patient_may_lack(self, name: str) -> None:
        franceconnect.identity_from({key: value for key, value in self.PATIENT.items() if key != name})
        franceconnect.identity_from({**self.PATIENT, name: None})

    @pytest.mark.parametrize(
        "wrong",
        [
            {"SubjectNameID": ""},
            {"family_name": None},
            {"SubjectRefPro": "none"},
            {"SubjectRefPro": {"exercices": "none"}},
            {"SubjectRefPro": {"exercices": ["10"]}},
            {"SubjectRefPro": {"exercices": [{"codeProfession": 10}]}},
        ],
    )
    def test_no_professional_is_made_of_nonsense(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(SignInRefused, match="claim_malformed"):
            prosanteconnect.identity_from({**self.DOCTOR, **wrong})

    @pytest.mark.parametrize("reference", [None, {}, {"exercices": []}, {"exercices": None}])
    def test_a_professional_may_have_no_practice(self, reference: object) -> None:
        assert prosanteconnect.identity_from({**self.DOCTOR, "SubjectRefPro": reference}).activities == ()

    def test_a_profession_without_a_place_is_kept(self) -> None:
        practice = {"codeProfession": "60", "activities": []}
        identity = prosanteconnect.identity_from({**self.DOCTOR, "SubjectRefPro": {"exercices": [practice]}})

        assert [(a.profession, a.siret) for a in identity.activities] == [("60", None)]

    @pytest.mark.parametrize(
        ("subject_name_id", "rpps"),
        [
            ("899700218896", "99700218896"),
            ("899700218897", None),
            ("099700218896", None),
            ("8997002188960", None),
            ("ANS20210107161422", None),
            ("3990000011/SEC0042", None),
            ("8٩٩٧٠٠٢١٨٨٩٦", None),
        ],
    )
    def test_an_rpps_is_eleven_digits_with_their_key(self, subject_name_id: str, rpps: str | None) -> None:
        assert prosanteconnect.rpps_of(subject_name_id) == rpps

    @pytest.mark.parametrize("wrong", [{"uid": ""}, {"email": None}, {"usual_name": 3}, {"siret": 99900001100018}])
    def test_no_agent_is_made_of_nonsense(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(SignInRefused, match="claim_malformed"):
            proconnect.identity_from({**self.AGENT, **wrong})

    @pytest.mark.parametrize("name", ["siret", "idp_id"])
    def test_an_agent_may_lack(self, name: str) -> None:
        assert proconnect.identity_from({**self.AGENT, name: ""}).uid == self.AGENT["uid"]
