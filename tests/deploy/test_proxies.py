"""The examples of reverse proxies: what they let in, what they make the portal believe, how long they wait."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.web import listening, uploads
from tests.deploy import edges
from tests.deploy.edges import HAPROXY, HOST, NGINX, Edge
from tests.deploy.facts import DEPLOY, gunicorn_arguments, routes

MACHINES = (DEPLOY / "nginx/machines.conf").read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"(?m)^    #   (acl|http-request)", r"    \1", HAPROXY).replace(
    "bind :443 ssl", "bind :443 ssl ca-file /etc/parvis/tls/machines-ca.pem verify optional"
)
BELIEVED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
"""What ProxyFix reads (portal.app), and nothing else."""
PRETENDED = ("Forwarded", "X-Real-IP", "X-Forwarded-Prefix", "X-Forwarded-Port", "X-Forwarded-Ssl",
             "X-Forwarded-Protocol", "Proxy", "Upgrade")  # fmt: skip
WITHOUT_CERTIFICATE = re.compile(r"^/callbacks/")


class TestNginx:
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", NGINX))

    def test_writes_anew_what_the_portal_believes(self) -> None:
        assert {name: self.headers[name] for name in BELIEVED} == {
            "X-Forwarded-For": "$remote_addr", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "$host",
        }  # fmt: skip

    def test_takes_away_what_else_claims_to_come_from_a_proxy(self) -> None:
        assert {self.headers[name] for name in PRETENDED} == {'""'}
        assert "underscores_in_headers off;" in NGINX

    def test_lets_in_what_the_portal_takes_and_no_more(self) -> None:
        (most,) = re.findall(r"client_max_body_size (\d+)m;", NGINX)
        assert int(most) * 1024 * 1024 == uploads.MAX_UPLOAD_BYTES

    def test_keeps_bodies_and_answers_off_the_disk(self) -> None:
        for folder in re.findall(r"(?:client_body|proxy)_temp_path (\S+);", NGINX):
            assert folder.startswith("/run/")
        assert "proxy_request_buffering on;" in NGINX

    def test_sends_a_request_once(self) -> None:
        assert "proxy_next_upstream off;" in NGINX

    def test_is_more_patient_than_the_web_processes_and_closes_before_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (reads,) = re.findall(r"proxy_read_timeout (\d+)s;", NGINX)
        (keeps,) = re.findall(r"    keepalive_timeout (\d+)s;\n}", NGINX)
        assert int(reads) > int(gunicorn_arguments(monkeypatch)["--timeout"])
        assert int(keeps) < listening.KEEP_ALIVE_S

    def test_waits_for_headers_ten_seconds_at_most(self) -> None:
        """nginx takes this from the first server of the address, whatever name is called."""
        first = NGINX[: NGINX.index("location")]
        assert "default_server" in first
        assert "client_header_timeout 10s;" in first

    def test_asks_modern_tls(self) -> None:
        assert "ssl_protocols TLSv1.2 TLSv1.3;" in NGINX
        (ciphers,) = re.findall(r"ssl_ciphers (\S+);", NGINX)
        assert all(re.match(r"ECDHE-.*-(GCM|CHACHA20)", cipher) for cipher in ciphers.split(":"))

    def test_leaves_headers_of_security_to_the_portal(self) -> None:
        """Two of the same header are one too many."""
        site = NGINX[NGINX.rindex("location / {") :]
        assert "add_header" not in site
        outside = re.sub(r"location [^{]+\{[^}]*\}", "", NGINX)
        assert "add_header" not in outside

    def test_hides_the_figures_of_the_machine(self) -> None:
        hidden = set(re.findall(r"location \^~ (\S+) { return 404; }", NGINX))
        assert hidden == {"/status/metrics", "/status/ready"} & {route.path for route in routes()}

    def test_shows_the_portals_own_page_while_it_is_away(self) -> None:
        (page,) = re.findall(r"error_page 502 504 =503 (\S+);", NGINX)
        assert (DEPLOY.parent / "portal" / page.lstrip("/")).is_file()


@pytest.mark.parametrize("path", sorted({route.path for route in routes() if route.access == "machines"}))
def test_every_address_of_machines_asks_for_the_certificate(path: str) -> None:
    (asked,) = re.findall(r"location ~ (\S+) {", MACHINES)
    (also,) = re.findall(r"acl of_machines \S+ -m reg (\S+)", UNCOMMENTED)
    expected = not WITHOUT_CERTIFICATE.match(path)
    assert bool(re.match(asked, path)) == bool(re.match(also, path)) == expected


def test_no_address_of_people_asks_for_the_certificate() -> None:
    (asked,) = re.findall(r"location ~ (\S+) {", MACHINES)
    assert {route.access for route in routes() if re.match(asked, route.path)} == {"machines"}


def test_certificates_are_checked_by_the_proxy_and_not_sent_on() -> None:
    assert "ssl_client_verify" in MACHINES
    assert not re.search(r"proxy_set_header .*ssl_client", NGINX + MACHINES)
    assert "set-header X-SSL" not in HAPROXY


def test_addresses_are_not_logged_since_some_hold_a_token() -> None:
    (nginx,) = re.findall(r"log_format parvis (.*?);", NGINX, re.DOTALL)
    (haproxy,) = re.findall(r'log-format "(.*)"', HAPROXY)
    assert not re.search(r"\$(request|request_uri|uri|args|http_\w+)\b", nginx)
    assert not re.search(r"%(\[.*\])?(r|HU|HP|HPO|HQ|hr|hs)\b", haproxy)
    assert NGINX.count("server_name portail") == NGINX.count("access_log /var/log/nginx/parvis.log parvis;")


class TestHaproxy:
    def test_writes_anew_what_the_portal_believes(self) -> None:
        for header in BELIEVED:
            assert f"http-request set-header {header} " in HAPROXY
        cleared = HAPROXY.index("http-request del-header x-forwarded- -m beg")
        assert cleared < min(HAPROXY.index(f"set-header {header}") for header in BELIEVED)

    def test_takes_away_what_else_claims_to_come_from_a_proxy(self) -> None:
        for rule in ("_ -m sub", "x-real-ip", "forwarded", "proxy", "upgrade", "x-ssl- -m beg"):
            assert f"http-request del-header {rule}\n" in HAPROXY

    def test_lets_in_what_the_portal_takes_and_no_more(self) -> None:
        (most,) = re.findall(r"req\.body_size gt (\d+)", HAPROXY)
        assert int(most) == uploads.MAX_UPLOAD_BYTES

    def test_sends_a_request_once(self) -> None:
        assert re.findall(r"retry-on (.*)", HAPROXY) == ["conn-failure"]

    def test_slow_uploads_never_hold_every_thread(self) -> None:
        pages, some = re.findall(r"default-server .*maxconn (\d+)", HAPROXY)
        assert int(some) * 2 <= int(pages)

    def test_looks_at_a_page_that_is_there(self) -> None:
        (looked,) = re.findall(r"option httpchk GET (\S+)", HAPROXY)
        assert looked in {route.path for route in routes()}


@pytest.mark.skipif(not shutil.which("haproxy"), reason="HAProxy is not here")
@pytest.mark.parametrize("text", [HAPROXY, UNCOMMENTED], ids=["as it is", "with certificates for machines"])
def test_haproxy_itself_takes_it(text: str, tmp_path: Path) -> None:
    settings = tmp_path / "h.cfg"
    settings.write_text(edges.haproxy_text(tmp_path, text), encoding="utf-8")
    done = subprocess.run(["haproxy", "-c", "-f", settings], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not here")
@pytest.mark.parametrize("machines", [False, True], ids=["as it is", "with certificates for machines"])
def test_nginx_itself_takes_it(machines: bool, tmp_path: Path, short_folder: str) -> None:
    settings = edges.nginx_settings(tmp_path, short_folder, machines=machines)
    done = subprocess.run(["nginx", "-t", "-c", settings, "-p", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class TestInClear:
    """Port 80 leads people to https. Machines are refused: one that speaks in clear has to notice."""

    (nginx,) = re.findall(r"location ~ (\S+) {\n        return 403;", NGINX)
    (haproxy,) = re.findall(r"deny_status 403 if { path,\S+ -m reg (\S+) }", HAPROXY)

    def test_no_machine_is_led_on(self) -> None:
        assert self.nginx == self.haproxy
        machines = {route.path for route in routes() if route.access == "machines" or route.path.startswith(READ_BY)}
        assert len(machines) > 50
        assert {path for path in machines if not re.match(self.nginx, path)} == set()

    def test_everybody_else_is(self) -> None:
        refused = {route.path for route in routes() if re.match(self.nginx, route.path) and route.access != "machines"}
        assert {path for path in refused if not path.startswith(READ_BY)} <= POSTED

    @pytest.mark.parametrize("name", ["nginx", "haproxy"])
    def test_and_the_proxies_say_so(self, name: str, tmp_path: Path, short_folder: str) -> None:
        if not shutil.which(name):
            pytest.skip(f"{name} is not here")
        with getattr(edges, name)(tmp_path, short_folder, Edge(("127.0.0.1", 9))) as proxy:
            asked = f" HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
            said = {words: _first_line(proxy.plain.says(words + asked)) for words in CLEAR}
            led = proxy.plain.says("GET /a?b=c" + asked)
            assert said == CLEAR
            assert f"location: https://{HOST}/a?b=c\r\n" in led.decode().replace("Location", "location")
            other = proxy.plain.says("GET /" + asked.replace(HOST, "autre.exemple.test"))
            assert _first_line(other) in (0, 421)


READ_BY = ("/rendez-vous/calendrier/<", "/oidc/", "/status/")
"""Addresses that programs call and anybody may."""
POSTED = {f"/rendez-vous/calendrier/{word}" for word in ("choix", "fermer", "ouvrir", "renouveler")}
CLEAR = {"GET /": 308, "HEAD /connexion": 308, "GET /rendez-vous/calendrier": 308, "GET /api/urgences": 403,
         "GET /fhir/Patient?name=x": 403, "GET //fhir/Patient": 403, "GET /%66hir/Patient": 403, "POST /connexion": 403,
         "POST /oauth/token": 403, "PUT /fhir/Encounter": 403, "GET /oidc/jwks": 403,
         "GET /rendez-vous/calendrier/abc.ics": 403}  # fmt: skip


def _first_line(said: bytes) -> int:
    return int(said.split(b" ", 2)[1]) if said else 0


@pytest.fixture
def short_folder() -> Iterator[str]:
    """A socket's path holds 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="n") as folder:
        yield folder
