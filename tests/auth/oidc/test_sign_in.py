"""Signing in and out, over real HTTP, against the demonstration's providers."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from auth import franceconnect, prosanteconnect
from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.server import RunningIdp, start_in_thread
from auth.oidc import ProviderUnavailable, SignInCancelled, SignInFailed, SignInRefused, new_attempt
from tests.auth.oidc.doors import MODULES, PORTAL, Clock, Door, door

TOO_WEAK = ("agent-without-mfa", "account-without-mfa")
EVERYONE = [(name, person.key) for name, audience in AUDIENCES.items() for person in audience.people]


class TestWhoComesBack:
    @pytest.mark.parametrize(("name", "person"), [pair for pair in EVERYONE if pair[1] not in TOO_WEAK])
    def test_is_the_person_chosen_and_no_other(self, idp: RunningIdp, clock: Clock, name: str, person: str) -> None:
        signed_in = door(idp, clock, name).sign_in(person)

        chosen = AUDIENCES[name].person(person)
        assert chosen is not None
        assert (signed_in.issuer, signed_in.subject) == (AUDIENCES[name].issuer, chosen.subject)
        assert signed_in.acr == chosen.acr
        MODULES[name].identity_from(signed_in.claims)

    def test_patient_with_every_civil_trait_to_the_letter(self, patients: Door) -> None:
        identity = franceconnect.identity_from(patients.sign_in("dominique").claims)

        assert vars(identity) == {
            "birth_name": "PAT-TROIS",
            "used_name": None,
            "first_names": ("DOMINIQUE", "MARIE-LOUISE"),
            "birth_on": date(1979, 3, 28),
            "birth_on_raw": "",
            "sex": "F",
            "birthplace_insee": "51215",
            "birthplace_text": "",
            "birthcountry_insee": "99100",
            "email": "dominique.pat-trois@exemple.test",
        }

    def test_patient_keeps_a_first_name_in_two_words_and_a_very_long_name(self, patients: Door) -> None:
        identity = franceconnect.identity_from(patients.sign_in("jean-marie").claims)

        assert identity.first_names[0] == "Jean Marie"
        assert identity.birth_name == "DE LA ROCHEBRIANT-MONTMIRAULT DE SAINT-HILARION D’ARTEMONT"

    def test_patient_born_abroad_has_no_birthplace(self, patients: Door) -> None:
        identity = franceconnect.identity_from(patients.sign_in("yacine").claims)

        assert (identity.birthplace_insee, identity.birthcountry_insee) == ("", "99352")

    def test_patient_born_on_an_unknown_day_keeps_what_is_known_of_it(self, patients: Door) -> None:
        identity = franceconnect.identity_from(patients.sign_in("yacine").claims)

        assert (identity.birth_on, identity.birth_on_raw) == (date(1988, 1, 1), "1988-00-00")

    @pytest.mark.parametrize(("person", "expected"), [("dominique", True), ("suzanne", False), ("yacine", False)])
    def test_patient_is_known_to_have_used_two_factors_or_not(
        self, patients: Door, person: str, expected: bool
    ) -> None:
        assert franceconnect.has_second_factor(patients.sign_in(person).amr) is expected

    def test_professional_brings_each_place_of_work(self, professionals: Door) -> None:
        identity = prosanteconnect.identity_from(professionals.sign_in("nevelet").claims)

        assert identity.rpps == "99700000021"
        assert [activity.finess_site for activity in identity.activities] == ["990000011", "990000102"]
        assert {activity.speciality for activity in identity.activities} == {"SM04"}

    def test_secretary_has_no_rpps_and_no_place_of_work(self, professionals: Door) -> None:
        identity = prosanteconnect.identity_from(professionals.sign_in("quesnoy").claims)

        assert (identity.rpps, identity.activities) == (None, ())

    def test_agent_without_a_second_factor_is_refused(self, agents: Door) -> None:
        with pytest.raises(SignInRefused, match="acr_not_accepted"):
            agents.sign_in("agent-without-mfa")

    def test_account_without_a_second_factor_is_refused(self, accounts: Door) -> None:
        with pytest.raises(SignInRefused, match="acr_not_accepted"):
            accounts.sign_in("account-without-mfa")

    def test_someone_else_after_someone(self, patients: Door) -> None:
        assert patients.sign_in("dominique").subject != patients.sign_in("camille").subject

    def test_the_same_person_keeps_the_same_subject_after_a_restart(self, patients: Door, clock: Clock) -> None:
        before = patients.sign_in("camille")
        restarted = start_in_thread(PORTAL, clock=clock)
        try:
            after = door(restarted, clock, "franceconnect").sign_in("camille")
        finally:
            restarted.stop()

        assert (after.issuer, after.subject) == (before.issuer, before.subject)

    def test_nothing_personal_shows_in_a_log_line(self, patients: Door) -> None:
        signed_in = patients.sign_in("dominique")

        told = repr(signed_in) + repr(franceconnect.identity_from(signed_in.claims)) + repr(patients.client.provider)
        for secret in ("PAT-TROIS", signed_in.access_token, patients.idp.config.client_secret):
            assert secret not in told


class TestWhatWeAsk:
    def asked(self, door: Door, **options: str) -> dict[str, str]:
        attempt = new_attempt()
        url = door.client.authorization_url(attempt.state, attempt.nonce, attempt.code_verifier, **options)
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    @pytest.mark.parametrize("name", ["franceconnect", "franceconnect-plus"])
    def test_franceconnect_hears_no_parameter_it_does_not_know(self, idp: RunningIdp, clock: Clock, name: str) -> None:
        assert set(self.asked(door(idp, clock, name))) == {
            "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values", "claims"
        }  # fmt: skip

    @pytest.mark.parametrize("name", ["prosanteconnect", "proconnect", "hospital"])
    def test_the_others_are_asked_for_pkce(self, idp: RunningIdp, clock: Clock, name: str) -> None:
        assert self.asked(door(idp, clock, name))["code_challenge_method"] == "S256"

    def test_pkce_stays_home_when_it_is_not_offered(self, professionals: Door) -> None:
        professionals.idp.faults.switch_on("prosanteconnect", "discovery_no_pkce")

        assert "code_challenge" not in self.asked(professionals)
        assert professionals.sign_in("roumillac")

    def test_someone_may_be_asked_to_prove_themselves_again(self, patients: Door) -> None:
        assert self.asked(patients, prompt="login")["prompt"] == "login"

    def test_the_assurance_asked_of_proconnect_is_the_one_we_accept(self, idp: RunningIdp, clock: Clock) -> None:
        strict = door(idp, clock, "proconnect", acr_accepted=("eidas3",))

        assert '"values": ["eidas3"]' in self.asked(strict)["claims"]

    def test_secrets_are_fresh_and_long(self) -> None:
        attempts = [new_attempt() for _ in range(50)]
        secrets = [secret for a in attempts for secret in (a.state, a.nonce, a.code_verifier)]

        assert len(set(secrets)) == 150
        assert {len(secret) for secret in secrets} == {43}

    def test_short_secrets_are_our_own_mistake(self, patients: Door) -> None:
        with pytest.raises(ValueError, match="new_attempt"):
            patients.client.authorization_url("customState11", "test")
        with pytest.raises(ValueError, match="new_attempt"):
            patients.client.exchange("code", "")


class TestComingBackWithoutACode:
    def test_cancelling_is_no_fault(self, any_door: Door) -> None:
        attempt = new_attempt()
        answer = any_door.callback(attempt, person="")

        assert answer["state"] == attempt.state
        failed = any_door.client.callback_error(answer["error"], answer.get("iss"))
        assert isinstance(failed, SignInCancelled)

    @pytest.mark.parametrize(
        ("error", "fact", "reason"),
        [
            ("access_denied", SignInCancelled, "access_denied"),
            ("server_error", ProviderUnavailable, "server_error"),
            ("temporarily_unavailable", ProviderUnavailable, "temporarily_unavailable"),
            ("invalid_scope", SignInRefused, "invalid_scope"),
            ("login_required", SignInRefused, "login_required"),
            ("<script>Y500015</script>", SignInRefused, "provider_error"),
        ],
    )
    def test_each_error_is_a_fact_of_ours(
        self, patients: Door, error: str, fact: type[SignInFailed], reason: str
    ) -> None:
        failed = patients.client.callback_error(error, AUDIENCES["franceconnect"].issuer)

        assert (type(failed), failed.reason) == (fact, reason)

    def test_an_error_from_another_provider_is_a_forgery(self, patients: Door) -> None:
        assert patients.client.callback_error("access_denied", "https://evil.exemple.test").reason == "callback_issuer"


class TestACodeServesOnce:
    def test_and_only_once(self, any_door: Door) -> None:
        attempt = new_attempt()
        answer = any_door.callback(attempt)
        exchange = (answer["code"], attempt.nonce, attempt.code_verifier, answer.get("iss"))
        any_door.client.exchange(*exchange)

        with pytest.raises(SignInRefused, match="code_refused"):
            any_door.client.exchange(*exchange)

    def test_for_half_a_minute(self, patients: Door) -> None:
        attempt = new_attempt()
        answer = patients.callback(attempt)
        patients.clock.ahead += 31

        with pytest.raises(SignInRefused, match="code_refused"):
            patients.client.exchange(answer["code"], attempt.nonce, iss=answer["iss"])

    def test_for_the_browser_that_asked(self, professionals: Door) -> None:
        attempt, thief = new_attempt(), new_attempt()
        answer = professionals.callback(attempt)

        with pytest.raises(SignInRefused, match="code_refused"):
            professionals.client.exchange(answer["code"], attempt.nonce, thief.code_verifier)

    def test_for_the_attempt_that_asked(self, patients: Door) -> None:
        answer = patients.callback(new_attempt())

        with pytest.raises(SignInRefused, match="id_token_nonce"):
            patients.client.exchange(answer["code"], new_attempt().nonce, iss=answer["iss"])

    def test_with_our_own_secret(self, idp: RunningIdp, clock: Clock) -> None:
        with pytest.raises(SignInRefused, match="client_refused"):
            door(idp, clock, "franceconnect", client_secret="x" * 43).sign_in()

    def test_with_basic_authentication_as_well(self, idp: RunningIdp, clock: Clock) -> None:
        assert door(idp, clock, "prosanteconnect", token_auth_method="client_secret_basic").sign_in()


class TestSigningOut:
    def test_leaves_the_provider_with_a_hint_and_comes_back_with_our_state(self, any_door: Door) -> None:
        url = any_door.client.logout_url(any_door.sign_in().id_token_raw, "our-state")

        assert url is not None
        query = parse_qs(urlsplit(url).query)
        assert set(query) == {"id_token_hint", "state", "post_logout_redirect_uri"}
        assert query["post_logout_redirect_uri"] == [any_door.client.provider.post_logout_redirect_uri]

    def test_is_only_ours_when_the_provider_is_down(self, patients: Door) -> None:
        patients.idp.faults.switch_on("franceconnect", "discovery_down")

        assert patients.client.logout_url("a-token", "our-state") is None

    def test_is_only_ours_without_a_hint_or_an_endpoint(self, idp: RunningIdp, clock: Clock) -> None:
        idp.faults.switch_on("proconnect", "discovery_no_logout")

        assert door(idp, clock, "franceconnect").client.logout_url("", "our-state") is None
        assert door(idp, clock, "proconnect").client.logout_url("a-token", "our-state") is None
