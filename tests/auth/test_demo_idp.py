"""The demonstration's providers are as severe as the real ones, and live on the loopback alone."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from stdnum import luhn
from werkzeug.test import TestResponse

from auth.demo_idp.agents import AGENTS
from auth.demo_idp.app import create_idp
from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.desk import IdpConfig
from auth.demo_idp.faults import CALLBACK_ERRORS, Faults
from auth.demo_idp.people import PATIENTS
from auth.demo_idp.practitioners import PROFESSIONALS
from auth.oidc import EncryptionKeys

TELLS_MORE = {"hospital": {"preferred_username", "given_name", "family_name", "email", "amr"}}
PORTAL = "http://127.0.0.1:8000"
SECRET = "a-secret-of-this-test-alone"
NAMES = sorted(AUDIENCES)
OUR_KEYS = EncryptionKeys.derived("what the portal of these tests keeps for itself")


class Idp:
    """The providers without a socket, their faults, and a clock that a test may move."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.faults = Faults()
        config = IdpConfig(
            client_id="portal",
            client_secret=SECRET,
            redirect_bases=(PORTAL,),
            portal_keys=lambda _base: OUR_KEYS.published(),
            clock=lambda: time.time() + self.ahead,
        )
        self.http: FlaskClient = create_idp(config, self.faults).test_client()

    def authorize(self, name: str, person: str | None = None, **changes: Any) -> TestResponse:
        """Asks for the page, or posts the choice of `person`; a change to None drops a parameter."""
        asked = {**request_of(name), **changes}
        query = urlencode({key: value for key, value in asked.items() if value is not None}, doseq=True)
        url = f"/{name}/authorize?{query}"
        return self.http.get(url) if person is None else self.http.post(url, data={"person": person})

    def code(self, name: str, person: str | None = None, **changes: Any) -> str:
        answer = self.authorize(name, person or AUDIENCES[name].people[0].key, **changes)
        return callback(answer)["code"]

    def exchange(self, name: str, code: str, **changes: Any) -> TestResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{door_of(name)}/callback",
            "client_id": "portal",
            "client_secret": SECRET,
            **changes,
        }
        return self.http.post(f"/{name}/token", data={key: value for key, value in form.items() if value is not None})

    def userinfo(self, name: str, access_token: str) -> TestResponse:
        return self.http.get(f"/{name}/userinfo", headers={"Authorization": f"Bearer {access_token}"})


def request_of(name: str) -> dict[str, str]:
    audience = AUDIENCES[name]
    return {
        "response_type": "code",
        "client_id": "portal",
        "redirect_uri": f"{door_of(name)}/callback",
        "scope": " ".join(audience.scopes),
        "state": "s" * 43,
        "nonce": "n" * 43,
        "acr_values": audience.acr_values[0],
    }


def door_of(name: str) -> str:
    """Where the portal's pages for this provider are."""
    return f"{PORTAL}/auth/{AUDIENCES[name].callbacks[0]}"


def callback(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def payload(token: str) -> dict[str, Any]:
    """The claims of a token, taken out of what was sealed for us if need be."""
    token = OUR_KEYS.open(token, "id_token") if token.count(".") == 4 else token
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


@pytest.fixture
def idp() -> Iterator[Idp]:
    idp = Idp()
    yield idp
    idp.faults.released.set()


class TestTheRequest:
    @pytest.mark.parametrize(
        "changes",
        [
            {"code_challenge": "c" * 43, "code_challenge_method": "S256"},
            {"login_hint": "someone"},
            {"max_age": "0"},
            {"response_mode": "query"},
            {"nonce": "n" * 21},
            {"nonce": None},
            {"state": None},
            {"state": "s" * 21},
            {"acr_values": None},
            {"acr_values": "eidas3"},
            {"prompt": "none"},
            {"prompt": "select_account"},
            {"claims": "not json"},
            {"claims": "[]"},
            {"scope": ["openid", "email"]},
        ],
    )
    def test_franceconnect_shows_its_error_page(self, idp: Idp, changes: dict[str, Any]) -> None:
        answer = idp.authorize("franceconnect", **changes)

        assert (answer.status_code, "Y030007" in answer.text) == (400, True)
        assert "Location" not in answer.headers

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "someone-else"},
            {"redirect_uri": "https://evil.exemple.test/"},
            {"redirect_uri": None},
        ],
    )
    def test_nobody_is_sent_to_an_unknown_address(self, idp: Idp, name: str, changes: dict[str, Any]) -> None:
        assert idp.authorize(name, **changes).status_code == 400
        assert idp.authorize(name, AUDIENCES[name].people[0].key, **changes).status_code == 400

    @pytest.mark.parametrize("name", NAMES)
    def test_the_address_is_compared_to_the_letter(self, idp: Idp, name: str) -> None:
        for almost in (f"{door_of(name)}/callback/", f"{door_of(name)}/callback?x=1"):
            assert idp.authorize(name, redirect_uri=almost).status_code == 400

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"scope": "profile_of_everyone openid"}, "invalid_scope"),
            ({"scope": "email"}, "invalid_scope"),
            ({"response_type": "token"}, "unsupported_response_type"),
        ],
    )
    def test_other_mistakes_are_told_to_the_service(
        self, idp: Idp, name: str, changes: dict[str, Any], error: str
    ) -> None:
        assert callback(idp.authorize(name, **changes))["error"] == error

    def test_proconnect_wants_long_secrets(self, idp: Idp) -> None:
        assert idp.authorize("proconnect", nonce="n" * 31).status_code == 400
        assert idp.authorize("proconnect", state="s" * 31).status_code == 400

    def test_a_plain_code_challenge_is_refused(self, idp: Idp) -> None:
        answer = idp.authorize("proconnect", "administrator", code_challenge="c" * 43, code_challenge_method="plain")
        assert callback(answer)["error"] == "invalid_request"


class TestThePage:
    @pytest.mark.parametrize("name", NAMES)
    def test_offers_each_fictional_person_and_a_way_out(self, idp: Idp, name: str) -> None:
        page = idp.authorize(name).text

        for person in AUDIENCES[name].people:
            assert f'value="{person.key}"' in page
        assert "Annuler" in page
        assert "personnes fictives" in page

    @pytest.mark.parametrize("name", NAMES)
    def test_needs_nothing_from_elsewhere(self, idp: Idp, name: str) -> None:
        answer = idp.authorize(name)

        assert re.findall(r"""(?:src|href)=["'](?!data:,)[^"']*""", answer.text) == []
        assert "url(" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'nonce-")
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("person", ["", "nobody"])
    def test_cancelling_comes_back_with_our_state(self, idp: Idp, name: str, person: str) -> None:
        answer = callback(idp.authorize(name, person))

        assert (answer["error"], answer["state"]) == ("access_denied", "s" * 43)
        assert answer.get("iss") == (AUDIENCES[name].issuer if name.startswith("franceconnect") else None)

    @pytest.mark.parametrize("error", sorted(CALLBACK_ERRORS))
    def test_any_error_can_come_instead(self, idp: Idp, error: str) -> None:
        idp.faults.switch_on("franceconnect", error)

        assert callback(idp.authorize("franceconnect"))["error"] == error

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            ("wrong_state", {"state": "x" * 43}),
            ("no_state", {"state": None}),
            ("mixup_iss", {"iss": "https://evil.exemple.test"}),
            ("no_callback_iss", {"iss": None}),
            ("bare_callback", {"code": None, "state": None, "iss": None}),
        ],
    )
    def test_the_way_back_can_be_spoilt(self, idp: Idp, fault: str, expected: dict[str, str | None]) -> None:
        idp.faults.switch_on("franceconnect", fault)
        answer = callback(idp.authorize("franceconnect", "dominique"))

        assert {name: answer.get(name) for name in expected} == expected


class TestTheExchange:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"client_secret": "guess"}, 401, "invalid_client"),
            ({"client_id": None}, 401, "invalid_client"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
            ({"redirect_uri": "http://127.0.0.1:8000/"}, 400, "invalid_grant"),
            ({"code": "guess"}, 400, "invalid_grant"),
        ],
    )
    def test_is_refused(self, idp: Idp, name: str, changes: dict[str, Any], status: int, error: str) -> None:
        answer = idp.exchange(name, **{"code": idp.code(name), **changes})

        assert (answer.status_code, answer.get_json()["error"]) == (status, error)

    def test_franceconnect_refuses_a_parameter_it_does_not_know(self, idp: Idp) -> None:
        answer = idp.exchange("franceconnect", idp.code("franceconnect"), code_verifier="v" * 43)
        assert answer.get_json()["error"] == "invalid_request"

    def test_franceconnect_wants_its_secret_in_the_body(self, idp: Idp) -> None:
        answer = idp.http.post("/franceconnect/token", auth=("portal", SECRET), data={})
        assert answer.get_json()["error"] == "invalid_client"

    @pytest.mark.parametrize("name", ["prosanteconnect", "proconnect"])
    def test_pkce_is_held_to(self, idp: Idp, name: str) -> None:
        challenge = {"code_challenge": "c" * 43, "code_challenge_method": "S256"}

        for verifier in (None, "v" * 43):
            answer = idp.exchange(name, idp.code(name, **challenge), code_verifier=verifier)
            assert answer.get_json()["error"] == "invalid_grant"

    @pytest.mark.parametrize("name", NAMES)
    def test_a_code_of_another_provider_is_worth_nothing(self, idp: Idp, name: str) -> None:
        other = NAMES[NAMES.index(name) - 1]
        assert idp.exchange(name, idp.code(other)).get_json()["error"] == "invalid_grant"

    @pytest.mark.parametrize("name", NAMES)
    def test_a_code_used_twice_kills_its_access_token(self, idp: Idp, name: str) -> None:
        code = idp.code(name)
        access_token = idp.exchange(name, code).get_json()["access_token"]
        assert idp.userinfo(name, access_token).status_code == 200

        assert idp.exchange(name, code).get_json()["error"] == "invalid_grant"
        assert idp.userinfo(name, access_token).status_code == 401

    @pytest.mark.parametrize("name", NAMES)
    def test_codes_and_tokens_die_in_time(self, idp: Idp, name: str) -> None:
        code, late_code = idp.code(name), idp.code(name)
        access_token = idp.exchange(name, code).get_json()["access_token"]
        idp.ahead = AUDIENCES[name].code_seconds + 1
        assert idp.exchange(name, late_code).get_json()["error"] == "invalid_grant"
        idp.ahead = AUDIENCES[name].access_token_seconds + 1
        assert idp.userinfo(name, access_token).status_code == 401

    @pytest.mark.parametrize("name", NAMES)
    def test_the_id_token_tells_the_protocol_and_no_identity(self, idp: Idp, name: str) -> None:
        claims = payload(idp.exchange(name, idp.code(name)).get_json()["id_token"])

        assert set(claims) - TELLS_MORE.get(name, set()) == {
            "iss",
            "aud",
            "iat",
            "exp",
            "sub",
            "acr",
            "auth_time",
            "at_hash",
            "nonce",
        }
        assert claims["exp"] - claims["iat"] == AUDIENCES[name].id_token_seconds

    def test_amr_comes_when_asked(self, idp: Idp) -> None:
        asked = json.dumps({"id_token": {"amr": {"essential": True}}})
        answer = idp.exchange("franceconnect", idp.code("franceconnect", "suzanne", claims=asked))

        assert payload(answer.get_json()["id_token"])["amr"] == ["pwd"]

    def test_only_the_scopes_granted_are_told(self, idp: Idp) -> None:
        token = idp.exchange("franceconnect", idp.code("franceconnect", scope="openid email")).get_json()
        told = payload(idp.userinfo("franceconnect", token["access_token"]).text)

        assert set(told) == {"iss", "aud", "iat", "exp", "sub", "email"}

    def test_pro_sante_connect_answers_plain_json_of_texts(self, idp: Idp) -> None:
        token = idp.exchange("prosanteconnect", idp.code("prosanteconnect", "nevelet")).get_json()
        answer = idp.userinfo("prosanteconnect", token["access_token"])
        place = answer.get_json()["SubjectRefPro"]["exercices"][0]["activities"][0]

        assert answer.content_type == "application/json"
        assert {type(value) for value in place.values()} == {str}
        assert place["numeroFinessSite"] == "990000011"


class TestSigningOut:
    def leave(self, idp: Idp, name: str, **changes: str | None) -> TestResponse:
        hint = idp.exchange(name, idp.code(name)).get_json()["id_token"]
        if AUDIENCES[name].seals:
            hint = OUR_KEYS.open(hint, "id_token")
        params = {
            "id_token_hint": hint,
            "post_logout_redirect_uri": f"{door_of(name)}/logout-callback",
            "state": "our-state",
            **changes,
        }
        idp.ahead = 3600
        return idp.http.get(f"/{name}/session/end", query_string={k: v for k, v in params.items() if v is not None})

    @pytest.mark.parametrize("name", NAMES)
    def test_comes_back_with_our_state_even_with_an_expired_hint(self, idp: Idp, name: str) -> None:
        assert callback(self.leave(idp, name)) == {"state": "our-state"}

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        "changes",
        [
            {"id_token_hint": None},
            {"id_token_hint": "not.a.token"},
            {"post_logout_redirect_uri": None},
            {"post_logout_redirect_uri": "https://evil.exemple.test/"},
            {"post_logout_redirect_uri": f"{PORTAL}/auth/franceconnect/logout-callback/"},
        ],
    )
    def test_is_refused(self, idp: Idp, name: str, changes: dict[str, str | None]) -> None:
        answer = self.leave(idp, name, **changes)

        assert answer.status_code == 400
        assert "evil.exemple.test" not in answer.text

    def test_shows_the_way_back_when_the_hint_is_from_before_a_restart(self, idp: Idp) -> None:
        before = Idp()
        hint = before.exchange("franceconnect", before.code("franceconnect")).get_json()["id_token"]
        answer = self.leave(idp, "franceconnect", id_token_hint=hint)

        assert f'href="{PORTAL}/auth/franceconnect/logout-callback"' in answer.text


class TestThePeople:
    def test_every_subject_and_key_is_of_one_person(self) -> None:
        people = [*PATIENTS, *PROFESSIONALS, *AGENTS]

        assert len({person.subject for person in people}) == len({person.key for person in people}) == len(people)

    def test_patients_have_subjects_of_franceconnect_s_form(self) -> None:
        for patient in PATIENTS:
            assert re.fullmatch(r"[0-9a-f]{64}v1", patient.subject)

    def test_no_mail_can_leave(self) -> None:
        for person in (*PATIENTS, *AGENTS):
            assert re.fullmatch(r"[a-z.-]+@([a-z]+\.)*exemple\.test", person.claims["email"]), person.claims["email"]

    def test_numbers_have_their_key(self) -> None:
        places = PROFESSIONALS[0].claims["SubjectRefPro"]["exercices"][0]["activities"]
        numbers = [place["numeroSiretSite"] for place in places]
        numbers += [person.claims["siret"] for person in AGENTS]
        numbers += [person.claims["SubjectNameID"][1:] for person in PROFESSIONALS if person.key != "quesnoy"]
        for number in numbers:
            assert luhn.is_valid(number), number


class TestWhereItRuns:
    def test_a_stranger_is_refused(self, idp: Idp) -> None:
        answer = idp.http.get("/franceconnect/jwks", environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert answer.status_code == 403

    def test_a_name_that_resolves_to_us_is_refused(self, idp: Idp) -> None:
        answer = idp.http.get("/franceconnect/jwks", headers={"Host": "rebound.exemple.test"})
        assert answer.status_code == 400

    @pytest.mark.parametrize("path", ["/", "/franceconnect-minus/jwks", "/franceconnect/", "/static/x"])
    def test_nothing_else_is_served(self, idp: Idp, path: str) -> None:
        assert idp.http.get(path).status_code == 404

    def test_private_keys_are_not_published(self, idp: Idp) -> None:
        for name in NAMES:
            for key in idp.http.get(f"/{name}/jwks").get_json()["keys"]:
                assert "d" not in key

    @pytest.mark.parametrize("environment", [None, "production", "development"])
    def test_does_not_start_outside_a_demonstration(self, environment: str | None) -> None:
        ended = subprocess.run(
            command(0), env=environ(environment), capture_output=True, text=True, timeout=20, check=False
        )

        assert ended.returncode == 2
        assert "PORTAL_ENV=demo" in ended.stderr

    def test_does_not_start_without_a_secret(self) -> None:
        ended = subprocess.run(
            command(0),
            env=environ("demo", secret=None),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert (ended.returncode, "DEMO_IDP_CLIENT_SECRET" in ended.stderr) == (2, True)

    def test_says_so_when_its_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = subprocess.run(
                command(port), env=environ("demo"), capture_output=True, text=True, timeout=20, check=False
            )
        assert (ended.returncode, f"cannot listen on port {port}" in ended.stderr) == (2, True)

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
    def test_starts_answers_and_stops_in_silence(self, how: signal.Signals) -> None:
        port = free_port()
        with subprocess.Popen(
            command(port), env=environ("demo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                document = first_answer(f"http://127.0.0.1:{port}/proconnect/.well-known/openid-configuration")
            finally:
                process.send_signal(how)
            said = process.communicate(timeout=10)

        assert document["issuer"] == AUDIENCES["proconnect"].issuer
        assert (process.returncode, said) == (0, (b"", b""))


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "auth.demo_idp", "--port", str(port), "--redirect-base", PORTAL]


def environ(environment: str | None, secret: str | None = SECRET) -> dict[str, str]:
    ours = {"PORTAL_ENV": environment, "DEMO_IDP_CLIENT_SECRET": secret}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {name: value for name, value in ours.items() if value is not None}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def first_answer(url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while True:
        try:
            answer: dict[str, Any] = requests.get(url, timeout=5).json()
            return answer
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
