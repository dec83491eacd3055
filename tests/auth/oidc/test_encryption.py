"""Our own keys: read whatever shape they come in, published without their secret, and the only ones that open."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis.strategies import text
from joserfc import jwe, jwk

from auth.demo_idp.sealing import encryption_key, seal
from auth.demo_idp.server import RunningIdp
from auth.oidc import Client, EncryptionKeys, SignInRefused
from tests.auth.oidc.doors import Clock, Door, provider_of

ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def pem(key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def as_jwk(key: PrivateKeyTypes, **parameters: str) -> dict[str, Any]:
    return {**jwk.import_key(pem(key), "EC" if key is ELLIPTIC else "RSA").as_dict(private=True), **parameters}


class TestTheyAreRead:
    @pytest.mark.parametrize(
        "written",
        [
            pem(ELLIPTIC),
            pem(ELLIPTIC, PrivateFormat.TraditionalOpenSSL),
            pem(RSA),
            pem(RSA, PrivateFormat.TraditionalOpenSSL),
            f"# of last spring\n{pem(RSA)}",
            json.dumps(as_jwk(ELLIPTIC)),
            json.dumps(as_jwk(RSA, kid="spring", use="enc", alg="RSA-OAEP")),
            json.dumps([as_jwk(ELLIPTIC)]),
            json.dumps({"keys": [as_jwk(RSA)]}),
        ],
    )
    def test_from_pem_and_from_jwk(self, written: str) -> None:
        assert len(EncryptionKeys.read(written)) == 1

    def test_several_of_them_the_current_one_first(self) -> None:
        both = EncryptionKeys.read(pem(RSA) + pem(ELLIPTIC)).published()["keys"]
        assert [key["kty"] for key in both] == ["RSA", "EC"]

    @pytest.mark.parametrize(
        "written",
        [
            "a password",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "\n".join(("-----BEGIN {0}-----", "AAAA", "-----END {0}-----")).format("PRIVATE KEY"),  # an empty shell
            pem(rsa.generate_private_key(65537, 1024)),
            "{",
            "[3]",
            json.dumps({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}),
            json.dumps(jwk.import_key(pem(RSA), "RSA").as_dict(private=False)),
            json.dumps(as_jwk(RSA, use="sig")),
            json.dumps(as_jwk(RSA, alg="RSA1_5")),
            pem(RSA) + pem(RSA),
        ],
    )
    @pytest.mark.filterwarnings("ignore:Key size should be")
    def test_or_refused_without_a_word_of_them(self, written: str) -> None:
        with pytest.raises(ValueError, match="encryption key") as refused:
            EncryptionKeys.read(written)
        assert written not in str(refused.value)

    @given(text())
    def test_nothing_else_than_a_sentence_comes_of_nonsense(self, nonsense: str) -> None:
        try:
            keys = EncryptionKeys.read(nonsense)
        except ValueError:
            return
        assert len(keys) == 0


class TestTheyArePublished:
    @pytest.mark.parametrize("key", [ELLIPTIC, RSA])
    def test_for_encryption_and_without_their_secret(self, key: PrivateKeyTypes) -> None:
        (public,) = EncryptionKeys.read(pem(key)).published()["keys"]

        assert {"kid", "use", "alg", "kty"} <= set(public)
        assert public["use"] == "enc"
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(public)

    def test_under_the_algorithm_and_the_name_one_gave_them(self) -> None:
        (public,) = EncryptionKeys.read(json.dumps(as_jwk(RSA, kid="spring", alg="RSA-OAEP"))).published()["keys"]
        assert (public["kid"], public["alg"]) == ("spring", "RSA-OAEP")

    def test_and_never_shown_otherwise(self) -> None:
        assert repr(EncryptionKeys.read(json.dumps(as_jwk(RSA, kid="spring")))) == "EncryptionKeys(spring)"


class TestOneMadeFromTheSecret:
    def test_is_the_same_everywhere(self) -> None:
        assert EncryptionKeys.derived("s" * 40).published() == EncryptionKeys.derived("s" * 40).published()

    def test_is_another_with_another_secret(self) -> None:
        assert EncryptionKeys.derived("s" * 40).published() != EncryptionKeys.derived("t" * 40).published()

    def test_opens_what_was_sealed_for_it(self) -> None:
        keys = EncryptionKeys.derived("s" * 40)
        assert keys.open(seal("a.b.c", encryption_key(keys.published()), {}), "id_token") == "a.b.c"


class TestTheyOpen:
    @pytest.mark.parametrize("alg", ["RSA-OAEP", "RSA-OAEP-256"])
    def test_both_ways_an_rsa_key_may_be_used(self, alg: str) -> None:
        keys = EncryptionKeys.read(pem(RSA))
        (public,) = keys.published()["keys"]
        token = sealed({"alg": alg, "enc": "A256GCM", "kid": public["kid"]}, public)
        assert keys.open(token, "id_token") == "a.b.c"

    @pytest.mark.parametrize(
        "header", [{"enc": "A128GCM"}, {"enc": "A256CBC-HS512"}, {"zip": "DEF"}, {"alg": "RSA-OAEP"}]
    )
    def test_with_no_other_algorithm_than_theirs(self, header: dict[str, str]) -> None:
        keys = EncryptionKeys.read(json.dumps(as_jwk(RSA, kid="spring", alg="RSA-OAEP-256")))
        (public,) = keys.published()["keys"]
        token = sealed({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "spring", **header}, public)
        with pytest.raises(SignInRefused, match="id_token_not_decrypted"):
            keys.open(token, "id_token")

    @given(text(alphabet="abcAZ09._-=", max_size=300))
    def test_nothing_that_only_looks_sealed(self, token: str) -> None:
        with pytest.raises(SignInRefused):
            EncryptionKeys.derived("s" * 40).open(token, "id_token")

    def test_what_was_sealed_with_the_former_key_during_a_rotation(self, idp: RunningIdp, clock: Clock) -> None:
        """The provider reads our list when it likes: for a while it goes on with the key that it knows."""
        former, current = EncryptionKeys.read(pem(RSA)), EncryptionKeys.read(pem(ELLIPTIC) + pem(RSA))
        idp.desk.forget_portal_keys()
        kept = idp.config.portal_keys
        object.__setattr__(idp.config, "portal_keys", lambda _base: former.published())
        try:
            provider = provider_of(idp, "franceconnect-plus", encryption_keys=current)
            assert Door(idp, "franceconnect-plus", clock, Client(provider, now=clock)).sign_in()
        finally:
            object.__setattr__(idp.config, "portal_keys", kept)
            idp.desk.forget_portal_keys()


def sealed(header: dict[str, str], public: dict[str, Any]) -> str:
    registry = jwe.JWERegistry(algorithms=[header["alg"], header["enc"], "DEF"])
    key = jwk.import_key({name: value for name, value in public.items() if name != "alg"})
    return jwe.encrypt_compact(header, "a.b.c", key, registry=registry)


class TestFranceConnectPlus:
    def test_hint_for_signing_out_is_the_signed_token_and_no_longer_the_sealed_one(
        self, verified_patients: Door
    ) -> None:
        assert verified_patients.sign_in().id_token_raw.count(".") == 2

    def test_asks_for_the_substantial_level(self, verified_patients: Door) -> None:
        signed_in = verified_patients.sign_in("liisa")
        assert (signed_in.acr, signed_in.amr) == ("eidas2", ("eidas",))

    def test_cannot_be_set_up_without_keys(self, idp: RunningIdp) -> None:
        with pytest.raises(ValueError, match="encryption keys are needed"):
            provider_of(idp, "franceconnect-plus", encryption_keys=None)
