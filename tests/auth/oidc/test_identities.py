"""From a provider's claims to a person, or to a refusal: never to half a person."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import dates, sampled_from

from auth import franceconnect, franceconnect_plus, hospital_oidc, proconnect, prosanteconnect
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
            {"birthdate": "1979-13-00"},
            {"birthdate": "٢٠٢٠-01-01"},
            {"idp_birthdate": 1979},
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


class TestBirthDates:
    PATIENT = AUDIENCES["franceconnect"].people[0].claims

    @pytest.mark.parametrize(
        ("told", "kept"),
        [
            ("1992-00-00", "1992-00-00"),
            ("1992-11-00", "1992-11-00"),
            ("1992-11-05", "1992-11-05"),
            ("about 1992", ""),
            ("", ""),
            (None, ""),
        ],
    )
    def test_what_is_known_of_the_day_is_kept_to_the_letter(self, told: str | None, kept: str) -> None:
        identity = franceconnect.identity_from({**self.PATIENT, "birthdate": "1992-01-01", "idp_birthdate": told})

        assert (identity.birth_on, identity.birth_on_raw) == (date(1992, 1, 1), kept)

    @given(day=dates())
    def test_every_real_day_comes_back(self, day: date) -> None:
        assert franceconnect.completed_day(day.isoformat()) == day

    @given(day=dates(), keep=sampled_from([0, 1]))
    def test_an_unknown_part_becomes_the_first(self, day: date, keep: int) -> None:
        known = f"{day:%m}" if keep else "00"
        expected = date(day.year, day.month if keep else 1, 1)
        assert franceconnect.completed_day(f"{day.year:04d}-{known}-00") == expected


class TestFranceConnectPlus:
    PATIENT, TWO_WORDS, EUROPEAN = (person.claims for person in AUDIENCES["franceconnect-plus"].people)

    def test_first_names_are_the_person_s_own_cut_as_insee_cuts_them(self) -> None:
        assert franceconnect_plus.identity_from(self.TWO_WORDS).first_names == ("Anne Sophie", "Blanche")

    @pytest.mark.parametrize(
        ("names", "listed", "expected"),
        [
            ("Zoé Anaïs", ["ZOE", "ANAIS"], ("Zoé", "Anaïs")),
            ("Jean Marie", ["JEAN", "PIERRE"], ("Jean", "Marie")),
            ("Jean Marie", ["JEAN"], ("Jean", "Marie")),
            ("Jean Marie", [], ("Jean", "Marie")),
            ("Jean Marie", ["JEAN", 3], ("Jean", "Marie")),
            ("Jean Marie", None, ("Jean", "Marie")),
            ("Jean-Marie Luc", ["JEAN-MARIE", "LUC"], ("Jean-Marie", "Luc")),
        ],
    )
    def test_insee_s_names_never_replace_them(self, names: str, listed: Any, expected: tuple[str, ...]) -> None:
        claims = {**self.PATIENT, "given_name": names, "rnipp_given_name_array": listed}
        assert franceconnect_plus.identity_from(claims).first_names == expected

    def test_a_european_has_neither_sex_nor_country_nor_numbered_place(self) -> None:
        identity = franceconnect_plus.identity_from(self.EUROPEAN)

        assert (identity.sex, identity.birthcountry_insee, identity.birthplace_insee) == ("", "", "")
        assert identity.birthplace_text == "Jyväskylä, Suomi"
        assert identity.first_names == ("Liisa", "Marjatta")

    def test_unspecified_is_no_sex(self) -> None:
        assert franceconnect_plus.identity_from({**self.EUROPEAN, "gender": "unspecified"}).sex == ""

    @pytest.mark.parametrize("place", ["51215", "2A004", "97411", "98818"])
    def test_a_commune_is_told_from_a_place(self, place: str) -> None:
        identity = franceconnect_plus.identity_from({**self.PATIENT, "birthplace": place})
        assert (identity.birthplace_insee, identity.birthplace_text) == (place, "")

    @pytest.mark.parametrize(
        "wrong", [{"gender": "other"}, {"gender": 1}, {"family_name": ""}, {"birthdate": "1985"}, {"birthplace": 51215}]
    )
    def test_no_patient_is_made_of_nonsense(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(SignInRefused, match="claim_malformed"):
            franceconnect_plus.identity_from({**self.PATIENT, **wrong})


class TestAHospitalsOwn:
    @pytest.mark.parametrize(
        ("claims", "email", "names"),
        [
            (AUDIENCES["hospital"].people[0].claims, "hugo.delsarte@hopital.exemple.test", ("Hugo", "Delsarte")),
            # ADFS: the login is the address.
            ({"upn": "h.delsarte@ch.test", "name": "Hugo Delsarte"}, "h.delsarte@ch.test", ("", "Hugo Delsarte")),
            # Entra without its optional claims.
            ({"preferred_username": "hd@ch.test", "name": "Hugo D."}, "hd@ch.test", ("", "Hugo D.")),
            ({"email": "hd@ch.test"}, "hd@ch.test", ("", "hd")),
        ],
    )
    def test_agent_is_known_whatever_the_make(self, claims: Any, email: str, names: tuple[str, str]) -> None:
        identity = hospital_oidc.identity_from(claims)
        assert (identity.email, (identity.given_name, identity.usual_name)) == (email, names)

    @pytest.mark.parametrize("claims", [{}, {"preferred_username": "hdelsarte"}, {"name": "Hugo"}])
    def test_agent_without_an_address_is_nobody(self, claims: Any) -> None:
        with pytest.raises(SignInRefused, match="claim_missing"):
            hospital_oidc.identity_from(claims)

    def test_a_professional_at_the_staff_s_door_brings_a_number_and_no_address(self) -> None:
        agent = prosanteconnect.agent_from(AUDIENCES["prosanteconnect"].people[1].claims)
        assert (agent.subject_name_id, agent.email, agent.usual_name) == ("899700000021", "", "NEVELET")
