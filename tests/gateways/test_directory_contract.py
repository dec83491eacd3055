"""What the door to the published files promises: the edition that is there, whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.gateways import Refused, Unavailable, UnsupportedUrl
from portal.gateways.directory import PublishedFiles, checked, connect
from portal.gateways.directory.twin import PublisherTwin

NAME = "PS_LibreAcces_202611220613.zip"


@pytest.fixture
def publisher() -> Iterator[PublisherTwin]:
    with PublisherTwin() as made:
        yield made


@pytest.fixture
def door() -> PublishedFiles:
    return connect(anywhere=True, timeout_seconds=5)


def test_an_edition_is_known_before_it_is_fetched(
    door: PublishedFiles, publisher: PublisherTwin, tmp_path: Path
) -> None:
    url = publisher.publish("/PS", NAME, b"x" * 1_000_000)
    assert (door.look(url).name, door.look(url).size) == (NAME, 1_000_000)
    assert publisher.shelf.asked == [("HEAD", "/PS")] * 2
    path = door.fetch(url, tmp_path)
    assert (path, path.stat().st_size) == (tmp_path / NAME, 1_000_000)


def test_an_edition_without_a_name_is_known_by_the_mark_of_the_server(
    door: PublishedFiles, publisher: PublisherTwin
) -> None:
    publisher.faults.hides_names = True
    first = door.look(publisher.publish("/a/PS.zip", "1", b"one")).name
    assert first.endswith("_PS.zip")
    assert door.look(publisher.publish("/a/PS.zip", "1", b"one")).name == first
    assert door.look(publisher.publish("/a/PS.zip", "2", b"other")).name != first


@pytest.mark.parametrize("name", ["../../x_202611220613.zip", "/etc/passwd", "..", "a\\b\\c_202611220613.txt", "é ü"])
def test_a_name_leads_nowhere_else(door: PublishedFiles, publisher: PublisherTwin, tmp_path: Path, name: str) -> None:
    url = publisher.publish("/PS", name.encode("ascii", "replace").decode(), b"content")
    assert door.fetch(url, tmp_path).parent == tmp_path


def test_a_file_cut_in_the_middle_leaves_nothing(
    door: PublishedFiles, publisher: PublisherTwin, tmp_path: Path
) -> None:
    url = publisher.publish("/PS", NAME, b"x" * 500_000)
    publisher.faults.cut_after = 100_000
    with pytest.raises(Unavailable):
        door.fetch(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "code"), [(301, "redirection"), (302, "redirection"), (403, "403"), (404, "404")])
def test_a_refusal_is_a_refusal_and_redirections_are_not_followed(
    door: PublishedFiles, publisher: PublisherTwin, status: int, code: str
) -> None:
    url = publisher.publish("/PS", NAME, b"x")
    publisher.faults.status, publisher.faults.location = status, url
    with pytest.raises(Refused) as refused:
        door.look(url)
    assert refused.value.code == code
    assert len(publisher.shelf.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_will_pass_is_tried_later(door: PublishedFiles, publisher: PublisherTwin, status: int) -> None:
    publisher.faults.status = status
    with pytest.raises(Unavailable):
        door.look(publisher.publish("/PS", NAME, b"x"))


def test_a_publisher_that_is_away(door: PublishedFiles) -> None:
    with PublisherTwin() as gone:
        url = gone.publish("/PS", NAME, b"x")
    with pytest.raises(Unavailable):
        door.look(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://annuaire.exemple.fr/a",
        "https://127.0.0.1/a",
        "https://u:p@exemple.fr/a",
        "file:///etc",
        "x",
        "https://[a",
    ],
)
def test_production_calls_only_public_https_addresses(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        checked(url)


def test_roots_to_trust_must_be_readable(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedUrl):
        connect(anchors=tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("no certificate", encoding="utf-8")
    with pytest.raises(UnsupportedUrl):
        connect(anchors=tmp_path / "bad.pem")
