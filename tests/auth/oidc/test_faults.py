"""A provider or a network that is wrong, one way at a time: nobody gets in, and we know why."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.faults import CALLBACK_ERRORS, CALLBACK_FAULTS, ENDPOINTS, TRANSPORT_FAULTS, known_faults
from auth.demo_idp.server import RunningIdp
from auth.oidc import ProviderUnavailable, SignInRefused, new_attempt
from auth.oidc.remembered import FRESH_SECONDS, RETRY_SECONDS, Remembered
from tests.auth.oidc.doors import Clock, Door, door

# What the id_token may say or bear, whoever the provider is.
ID_TOKEN = {
    "no_id_token": "id_token_missing",
    "wrong_iss": "id_token_issuer",
    "no_iss": "id_token_issuer",
    "wrong_aud": "id_token_audience",
    "no_aud": "id_token_audience",
    "aud_other_azp_ok": "id_token_audience",
    "aud_and_other": "id_token_audience",
    "wrong_azp": "id_token_authorized_party",
    "expired": "id_token_expired",
    "expired_60s": "id_token_expired",
    "no_exp": "id_token_expired",
    "exp_nan": "id_token_expired",
    "future_iat": "id_token_iat",
    "no_iat": "id_token_iat",
    "not_yet_valid": "id_token_not_yet_valid",
    "wrong_nonce": "id_token_nonce",
    "missing_nonce": "id_token_nonce",
    "wrong_at_hash": "id_token_at_hash",
    "low_acr": "acr_not_accepted",
    "no_acr": "acr_not_accepted",
    "no_sub": "id_token_subject",
    "hostile_sub": "id_token_subject",
    "sub": "userinfo_subject",
    "alg_none": "id_token_alg",
    "hs256_public_key": "id_token_alg",
    "hs256_secret": "id_token_alg",
    "unknown_kid": "id_token_key_unknown",
    "no_kid": "id_token_key_unknown",
    "bad_sig": "id_token_signature",
    "foreign_key": "id_token_signature",
    "crit_header": "id_token_malformed",
    "not_claims": "id_token_malformed",
}

# What the signed userinfo of FranceConnect and ProConnect may say or bear.
SIGNED_USERINFO = {
    "userinfo_wrong_iss": "userinfo_issuer",
    "userinfo_no_iss": "userinfo_issuer",
    "userinfo_wrong_aud": "userinfo_audience",
    "userinfo_no_aud": "userinfo_audience",
    "userinfo_aud_other_azp_ok": "userinfo_audience",
    "userinfo_aud_and_other": "userinfo_audience",
    "userinfo_wrong_azp": "userinfo_authorized_party",
    "userinfo_expired": "userinfo_expired",
    "userinfo_expired_60s": "userinfo_expired",
    "userinfo_no_exp": "userinfo_expired",
    "userinfo_exp_nan": "userinfo_expired",
    "userinfo_future_iat": "userinfo_iat",
    "userinfo_not_yet_valid": "userinfo_not_yet_valid",
    "userinfo_sub": "userinfo_subject",
    "userinfo_no_sub": "userinfo_subject",
    "userinfo_hostile_sub": "userinfo_subject",
    "userinfo_missing_claims": "claim_missing",
    "userinfo_alg_none": "userinfo_alg",
    "userinfo_hs256_public_key": "userinfo_alg",
    "userinfo_hs256_secret": "userinfo_alg",
    "userinfo_unknown_kid": "userinfo_key_unknown",
    "userinfo_no_kid": "userinfo_key_unknown",
    "userinfo_bad_sig": "userinfo_signature",
    "userinfo_foreign_key": "userinfo_signature",
    "userinfo_crit_header": "userinfo_malformed",
    "userinfo_not_claims": "userinfo_malformed",
    "userinfo_json": "userinfo_malformed",
    "userinfo_empty": "userinfo_malformed",
    "userinfo_garbage": "userinfo_malformed",
    "userinfo_not_an_object": "userinfo_malformed",
}

NOT_EVEN_A_TOKEN = ("userinfo_json", "userinfo_empty", "userinfo_garbage", "userinfo_not_an_object")

# What the JSON userinfo of Pro Santé Connect and of a hospital's own provider may say.
JSON_USERINFO = {
    "userinfo_sub": "userinfo_subject",
    "userinfo_no_sub": "userinfo_subject",
    "userinfo_hostile_sub": "userinfo_subject",
}

# How what FranceConnect+ should seal for us alone may be left open, or closed for somebody else.
SEALED = {
    "not_encrypted": "not_encrypted",
    "sealed_for_unknown_key": "encryption_key_unknown",
    "sealed_for_another": "not_decrypted",
    "sealed_weakly": "not_decrypted",
    "sealed_compressed": "not_decrypted",
    "sealed_nothing": "malformed",
    "sealed_and_cut": "not_decrypted",
}

# The network, or a provider on a bad day.
NETWORK = {
    "down": "answer_not_ok",
    "slow": "timeout",
    "drip": "timeout",
    "huge": "answer_too_large",
    "garbage": "answer_unreadable",
    "empty": "answer_unreadable",
    "not_an_object": "answer_unreadable",
    "redirect": "answer_not_ok",
}
# A token endpoint that redirects is read as one that does not answer JSON: not followed either way.
TOKEN_REDIRECT = "answer_unreadable"

NONSENSE = {
    "no_access_token": "answer_unreadable",
    "wrong_token_type": "answer_unreadable",
    "discovery_wrong_issuer": "discovery_issuer",
    "discovery_http_endpoint": "discovery_endpoint",
}


class TestNobodyGetsInWith:
    @pytest.mark.parametrize(("fault", "reason"), ID_TOKEN.items())
    def test_an_id_token_that_is(self, any_door: Door, fault: str, reason: str) -> None:
        failed = any_door.refusal(fault)

        assert (type(failed), failed.reason) == (SignInRefused, reason)

    @pytest.mark.parametrize("name", ["franceconnect", "franceconnect-plus", "proconnect"])
    @pytest.mark.parametrize(("fault", "reason"), SIGNED_USERINFO.items())
    def test_a_signed_userinfo_that_is(self, idp: RunningIdp, clock: Clock, name: str, fault: str, reason: str) -> None:
        if name == "franceconnect-plus" and fault in NOT_EVEN_A_TOKEN:
            reason = "userinfo_not_encrypted"
        failed = door(idp, clock, name).refusal(fault)

        assert (type(failed), failed.reason) == (SignInRefused, reason)

    @pytest.mark.parametrize("name", ["prosanteconnect", "hospital"])
    @pytest.mark.parametrize(("fault", "reason"), JSON_USERINFO.items())
    def test_a_json_userinfo_that_is(self, idp: RunningIdp, clock: Clock, name: str, fault: str, reason: str) -> None:
        failed = door(idp, clock, name).refusal(fault)

        assert (type(failed), failed.reason) == (SignInRefused, reason)

    def test_a_userinfo_that_says_too_little(self, professionals: Door) -> None:
        assert professionals.refusal("userinfo_missing_claims").reason == "claim_missing"

    @pytest.mark.parametrize("what", ["id_token", "userinfo"])
    @pytest.mark.parametrize(("fault", "reason"), SEALED.items())
    def test_an_answer_of_franceconnect_plus_that_is(
        self, verified_patients: Door, what: str, fault: str, reason: str
    ) -> None:
        failed = verified_patients.refusal(fault if what == "id_token" else f"userinfo_{fault}")

        assert (type(failed), failed.reason) == (SignInRefused, f"{what}_{reason}")

    def test_the_nonce_of_another_attempt(self, any_door: Door) -> None:
        any_door.sign_in()

        assert any_door.refusal("replayed_nonce").reason == "id_token_nonce"

    def test_a_key_set_without_a_usable_key(self, any_door: Door) -> None:
        assert any_door.refusal("jwks_no_keys").reason == "id_token_key_unknown"

    @pytest.mark.parametrize(("fault", "reason"), NONSENSE.items())
    def test_an_answer_that_makes_no_sense(self, any_door: Door, fault: str, reason: str) -> None:
        failed = any_door.refusal(fault)

        assert (type(failed), failed.reason) == (ProviderUnavailable, reason)

    def test_the_callback_of_another_provider(self, any_door: Door) -> None:
        attempt = new_attempt()
        answer = any_door.callback(attempt)

        with pytest.raises(SignInRefused, match="callback_issuer"):
            any_door.client.exchange(answer["code"], attempt.nonce, attempt.code_verifier, "https://evil.exemple.test")

    @pytest.mark.parametrize("name", ["franceconnect", "franceconnect-plus"])
    @pytest.mark.parametrize("fault", ["mixup_iss", "no_callback_iss"])
    def test_a_franceconnect_callback_that_does_not_name_it(
        self, idp: RunningIdp, clock: Clock, name: str, fault: str
    ) -> None:
        assert door(idp, clock, name).refusal(fault).reason == "callback_issuer"

    @pytest.mark.parametrize("name", ["prosanteconnect", "proconnect", "hospital"])
    def test_a_callback_that_names_another_where_naming_is_optional(
        self, idp: RunningIdp, clock: Clock, name: str
    ) -> None:
        assert door(idp, clock, name).refusal("mixup_iss").reason == "callback_issuer"


class TestABadNetwork:
    @pytest.mark.parametrize("endpoint", ENDPOINTS)
    @pytest.mark.parametrize(("fault", "reason"), NETWORK.items())
    def test_is_told_as_such_and_in_time(
        self, idp: RunningIdp, clock: Clock, endpoint: str, fault: str, reason: str
    ) -> None:
        # Pro Santé Connect, whose four answers are all JSON.
        impatient = door(idp, clock, "prosanteconnect", timeout=0.25)
        if (endpoint, fault) == ("token", "redirect"):
            reason = TOKEN_REDIRECT
        began = time.monotonic()

        failed = impatient.refusal(f"{endpoint}_{fault}")

        assert (type(failed), failed.reason) == (ProviderUnavailable, reason)
        assert time.monotonic() - began < 2

    def test_a_provider_that_is_not_there(self, idp: RunningIdp, clock: Clock) -> None:
        nowhere = door(idp, clock, "franceconnect", discovery_url="http://127.0.0.1:9/nobody")

        with pytest.raises(ProviderUnavailable, match="unreachable"):
            nowhere.sign_in()
        assert nowhere.client.check() == ["provider unavailable: unreachable"]

    def test_an_outage_of_what_is_published_does_not_stop_us(self, any_door: Door) -> None:
        any_door.sign_in()
        any_door.idp.faults.switch_on(any_door.name, "discovery_down", "jwks_down")
        any_door.clock.ahead += FRESH_SECONDS + 1

        assert any_door.sign_in()

    def test_new_keys_are_found_at_once(self, any_door: Door) -> None:
        any_door.sign_in()
        any_door.clock.ahead += RETRY_SECONDS
        any_door.idp.desk.rotate_key(any_door.name)

        assert any_door.sign_in()

    @pytest.mark.parametrize("fault", ["null_amr", "userinfo_slow"])
    def test_a_harmless_oddity_is_forgiven(self, any_door: Door, fault: str) -> None:
        any_door.idp.faults.switch_on(any_door.name, fault)
        any_door.idp.faults.slow_seconds = 0.1

        assert any_door.sign_in()

    def test_no_amr_means_no_second_factor(self, patients: Door) -> None:
        patients.idp.faults.switch_on("franceconnect", "null_amr")

        assert patients.sign_in().amr == ()

    @pytest.mark.parametrize(
        ("seconds", "reason"), [(-8, None), (8, None), (-20, "id_token_iat"), (75, "id_token_expired")]
    )
    def test_clocks_may_differ_by_ten_seconds(
        self, idp: RunningIdp, clock: Clock, seconds: float, reason: str | None
    ) -> None:
        ours = Clock()
        ours.ahead = seconds
        skewed = Door(idp, "franceconnect", ours, door(idp, ours, "franceconnect").client)

        if reason is None:
            assert skewed.sign_in()
        else:
            assert skewed.refusal().reason == reason

    def test_many_people_at_once(self, any_door: Door) -> None:
        everyone = AUDIENCES[any_door.name].people
        people = [person for person in everyone if not person.key.endswith("-without-mfa")] * 4
        keys = [person.key for person in people]

        with ThreadPoolExecutor(8) as pool:
            subjects = [signed_in.subject for signed_in in pool.map(any_door.sign_in, keys)]

        assert subjects == [person.subject for person in people]


class Publisher:
    """Counts how often it is asked, and can fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_down = False

    def __call__(self) -> int:
        self.asked += 1
        if self.is_down:
            raise ProviderUnavailable("timeout")
        return self.asked


class TestWhatIsRemembered:
    @pytest.fixture
    def publisher(self) -> Publisher:
        return Publisher()

    @pytest.fixture
    def remembered(self, publisher: Publisher, clock: Clock) -> Remembered[int]:
        return Remembered(publisher, clock)

    def test_is_asked_once_an_hour(self, remembered: Remembered[int], clock: Clock, idp: RunningIdp) -> None:
        assert [remembered.read(), remembered.read()] == [1, 1]
        clock.ahead += FRESH_SECONDS + 1
        assert [remembered.read(), remembered.read()] == [2, 2]

    def test_is_not_asked_more_for_a_hundred_forged_tokens(
        self, remembered: Remembered[int], publisher: Publisher, clock: Clock, idp: RunningIdp
    ) -> None:
        for _ in range(100):
            remembered.read_again()
        assert publisher.asked == 1
        clock.ahead += RETRY_SECONDS
        assert remembered.read_again() == 2

    def test_is_kept_while_the_provider_is_down(
        self, remembered: Remembered[int], publisher: Publisher, clock: Clock, idp: RunningIdp
    ) -> None:
        remembered.read()
        publisher.is_down = True
        clock.ahead += 24 * FRESH_SECONDS
        assert [remembered.read(), remembered.read()] == [1, 1]
        assert publisher.asked == 2

    def test_is_not_waited_for_by_everyone_when_it_never_came(
        self, remembered: Remembered[int], publisher: Publisher, clock: Clock, idp: RunningIdp
    ) -> None:
        publisher.is_down = True
        for _ in range(3):
            with pytest.raises(ProviderUnavailable):
                remembered.read()
        assert publisher.asked == 1
        publisher.is_down = False
        clock.ahead += RETRY_SECONDS
        assert remembered.read() == 2

    def test_is_fetched_once_for_sixteen_threads(self, remembered: Remembered[int], publisher: Publisher) -> None:
        start = threading.Barrier(16)

        def read(_: int) -> int:
            start.wait()
            return remembered.read()

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(read, range(16))) == {1}
        assert publisher.asked == 1


def test_every_fault_that_can_be_switched_on_has_its_test() -> None:
    transport = {f"{endpoint}_{fault}" for endpoint in ENDPOINTS for fault in TRANSPORT_FAULTS}
    sealed = {*SEALED, *(f"userinfo_{fault}" for fault in SEALED)}
    tested_here = {*ID_TOKEN, *SIGNED_USERINFO, *JSON_USERINFO, *NONSENSE, *sealed, *transport}
    by_name = {"replayed_nonce", "jwks_no_keys", "null_amr", "mixup_iss", "no_callback_iss"}
    in_test_sign_in = {"discovery_no_pkce", "discovery_no_logout"}
    in_test_demo_idp = {*CALLBACK_ERRORS, *CALLBACK_FAULTS}

    assert known_faults() == tested_here | by_name | in_test_sign_in | in_test_demo_idp
