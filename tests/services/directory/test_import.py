"""Files of the national directory: what they change is what they say, however they come."""

import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from portal import db
from services.directory import folding, loading, staging
from services.directory.columns import NotTheDirectory
from services.directory.loading import AlreadyLoading, Report
from services.directory.models import DirectoryImport
from tests import ground
from tests.conftest import TESTDATA, Database
from tests.factories.directory import box, boxes_file, people_file, person, rpps

OFFICIAL = TESTDATA / "annuaire"
official = pytest.mark.skipif(not OFFICIAL.exists(), reason="the official examples are not beside the repository")


def day(number: str, what: str) -> Path:
    return next(OFFICIAL.glob(f"{what}_{number}*.txt"))


def lines(path: Path) -> list[list[str]]:
    """Cells of each line, without the header."""
    return [line.split("|") for line in path.read_text(encoding="utf-8").split("\n")[1:] if line]


def scalar(statement: str) -> Any:
    with db.transaction(db.system("tests")) as current:
        return current.scalar(text(statement))


def snapshot() -> dict[str, list[tuple[Any, ...]]]:
    """Everything the directory holds."""
    tables = ("directory_person", "directory_activity", "directory_box", "directory_word")
    with db.transaction(db.system("tests")) as current:
        return {name: sorted(map(tuple, current.execute(text(f"select * from {name}")))) for name in tables}


def load(*paths: Path, **options: bool) -> Report:
    """The last file's report."""
    return loading.load(list(paths), **options)[-1]


@pytest.fixture
def many(tmp_path: Path) -> Callable[[str, int, int], Path]:
    """A file of people number `first` to `last`."""

    def written(name: str, first: int, last: int) -> Path:
        return people_file(tmp_path / name, [person(n, f"NOM{n % 50}") for n in range(first, last)])

    return written


class TestTheOfficialExamples:
    pytestmark = official

    def test_the_first_day_is_loaded_whole(self, app: Flask) -> None:
        people, boxes = day("20261121", "*Personne_activite"), day("20261121", "*Correspondance_MSSante")
        done = {each.kind: each for each in loading.load([boxes, people])}
        assert {each.state for each in done.values()} == {"done"}
        told = lines(people)
        assert scalar("select count(*) from directory_person") == len({line[2] for line in told})
        assert scalar("select count(*) from directory_activity") == len(set(map(tuple, map(kept, told))))
        assert scalar("select count(*) from directory_box") == len(lines(boxes))
        assert done["people"].refused == done["boxes"].refused == 0
        assert scalar("select count(*) from directory_person where family = 'N’GUYEN' and family_key = 'nguyen'") > 0

    def test_the_second_day_changes_what_differs_and_nothing_else(self, app: Flask) -> None:
        first, second = (day(each, "*Personne_activite") for each in ("20261121", "20261122"))
        load(first)
        done = load(second)
        before, after = ({kept(line) for line in lines(path)} for path in (first, second))
        gone, come = Counter(map(work, before - after)), Counter(map(work, after - before))
        changed = (gone & come).total()
        assert done.counts is not None
        assert done.counts["activities"] == {
            "added": come.total() - changed, "changed": changed, "removed": gone.total() - changed,
            "unchanged": len(before & after), "repeated": len(lines(second)) - len(after),
        }  # fmt: skip
        people = [{line[2] for line in lines(path)} for path in (first, second)]
        assert done.counts["people"]["added"] == len(people[1] - people[0])
        assert done.counts["people"]["removed"] == len(people[0] - people[1])

    def test_boxes_that_are_no_longer_published_go(self, app: Flask) -> None:
        first, second = (day(each, "*Correspondance_MSSante") for each in ("20261121", "20261122"))
        load(first)
        done = load(second)
        gone = {line[1] for line in lines(first)} - {line[1] for line in lines(second)}
        assert done.counts is not None
        assert done.counts["boxes"]["removed"] == len(gone) > 0
        assert done.counts["boxes"]["added"] == done.counts["boxes"]["changed"] == 0
        assert scalar(f"select count(*) from directory_box where address in {tuple(gone)!r}") == 0

    def test_the_same_day_twice_changes_nothing(self, app: Flask) -> None:
        files = sorted(OFFICIAL.glob("*20261121*"))
        loading.load(files)
        before = snapshot()
        for again in loading.load(files):
            assert again.counts is not None
            for each in again.counts.values():
                assert each["added"] == each["changed"] == each["removed"] == 0
        assert snapshot() == before


def kept(line: list[str]) -> tuple[str, ...]:
    """The cells of an official line that the directory keeps about where somebody works."""
    wanted = (2, 9, 11, 15, 17, 48, 52, 23, 21, 19, 35, 36, 24, 25, 28, 29, 31, 32, 37, 40, 42, 43)
    return tuple(line[place] for place in wanted)


def work(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Who, at which structure, for which work: what makes two lines one that changed."""
    return (cells[0], cells[7], cells[1], cells[3], cells[4])


class TestAFile:
    def test_is_known_by_its_columns_wherever_they_stand(self, app: Flask, tmp_path: Path) -> None:
        path = people_file(tmp_path / "a.txt", [person(1)])
        turned = [list(reversed(line.split("|")[:-1])) for line in path.read_text(encoding="utf-8").splitlines()]
        turned[0].append("COLONNE NOUVELLE")
        turned[1].append("?")
        other = tmp_path / "no-name-that-says-it.csv"
        other.write_text("".join("|".join(line) + "\n" for line in turned), encoding="utf-8")
        load(path)
        before = snapshot()
        assert load(other).state == "done"
        assert snapshot() == before

    @pytest.mark.parametrize("column", ["code commune", "Nom d'exercice", "raison sociale"])
    def test_without_a_column_we_need_is_refused_before_anything_is_written(
        self, app: Flask, tmp_path: Path, column: str
    ) -> None:
        path = people_file(tmp_path / "a.txt", [person(1)])
        path.write_text(path.read_text(encoding="utf-8").replace(column, "autre"), encoding="utf-8")
        good = boxes_file(tmp_path / "b.txt", [box("a@x.mssante.fr", 1)])
        with pytest.raises(NotTheDirectory, match=f"missing columns: {folding.column(column)}"):
            load(good, path)
        assert ground.rows(DirectoryImport) == []
        assert scalar("select count(*) from directory_box") == 0

    @pytest.mark.parametrize("content", [b"", b"\n", b"a;b;c\n1;2;3\n", b"\x00\x01\x02", b"nom|prenom\nA|B\n"])
    def test_that_is_something_else_is_refused(self, app: Flask, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(content)
        with pytest.raises(NotTheDirectory):
            load(path)

    def test_of_diplomas_or_skills_is_recognised_and_left_out(self, app: Flask, tmp_path: Path) -> None:
        path = tmp_path / "PS_LibreAcces_SavoirFaire_202611210613.txt"
        path.write_text("Identification nationale PP|Nom d'exercice|Code savoir-faire|\n8|A|SM04|\n", encoding="utf-8")
        assert load(path).state == "left_out"

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: text.replace("\n", "\r\n").encode(),
            lambda text: b"\xef\xbb\xbf" + text.encode(),
            lambda text: text.replace("’", "'").encode("cp1252"),
            lambda text: text.removesuffix("\n").encode(),
            lambda text: text.replace("|", " | ").replace(" | \n", "|\n").encode(),
        ],
        ids=["crlf", "bom", "latin-1", "no end of line", "spaces"],
    )
    def test_may_come_in_other_clothes(self, app: Flask, tmp_path: Path, spoil: Callable[[str], bytes]) -> None:
        path = people_file(tmp_path / "a.txt", [person(1, "ÇELIK", "Élodie"), person(2, "MÜLLER", "Noël")])
        path.write_bytes(spoil(path.read_text(encoding="utf-8")))
        done = load(path)
        assert (done.state, done.refused) == ("done", 0)
        assert scalar("select string_agg(family, ' ' order by family_key) from directory_person") == "ÇELIK MÜLLER"

    def test_that_would_take_half_of_the_people_away_is_refused_unless_forced(
        self, app: Flask, many: Callable[[str, int, int], Path]
    ) -> None:
        load(many("all.txt", 0, 100))
        before = snapshot()
        done = load(many("few.txt", 0, 40))
        assert (done.state, done.why) == ("refused", "60 of 100 people would go")
        assert snapshot() == before
        assert load(many("few.txt", 0, 40), force=True).state == "done"
        assert scalar("select count(*) from directory_person") == 40

    def test_that_is_mostly_unreadable_is_refused(self, app: Flask, tmp_path: Path) -> None:
        path = people_file(tmp_path / "a.txt", [person(1), person(2, id="nobody"), person(3, id="nobody")])
        assert load(path).why == "2 of 3 lines cannot be read"
        assert scalar("select count(*) from directory_person") == 0

    def test_that_is_older_than_the_last_one_is_refused_unless_forced(self, app: Flask, tmp_path: Path) -> None:
        load(people_file(tmp_path / "P_202611220613.txt", [person(1)]))
        older = people_file(tmp_path / "P_202611210613.txt", [person(2)])
        assert load(older).why == "a file generated on 202611220613 was loaded already"
        assert load(older, force=True).state == "done"


class TestLines:
    GOOD = person(1)

    def refused(self, tmp_path: Path, spoil: Callable[[list[str]], list[str]]) -> list[tuple[object, object]]:
        """(line, why) of a file of five good lines, one of which was spoilt."""
        path = people_file(tmp_path / "a.txt", [person(n) for n in range(1, 6)])
        told = path.read_text(encoding="utf-8").split("\n")
        path.write_text("\n".join(spoil(told)), encoding="utf-8", newline="\n")
        done = load(path)
        assert done.state == "done"
        assert scalar("select count(*) from directory_person") == 5 - len(done.samples)
        return [(each["line"], each["why"]) for each in done.samples]

    def test_with_another_number_of_cells_are_refused_alone(self, app: Flask, tmp_path: Path) -> None:
        width = people_file(tmp_path / "b.txt", []).read_text(encoding="utf-8").count("|") + 1
        found = self.refused(tmp_path, lambda told: [*told[:2], told[2] + "|more|", *told[3:]])
        assert found == [(3, f"{width + 2} cells, {width} columns")]

    def test_cut_before_their_end_are_refused(self, app: Flask, tmp_path: Path) -> None:
        (found,) = self.refused(tmp_path, lambda told: [*told[:5], told[5][:-1]])
        assert found[0] == 6

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            ("MARTIN", "MAR\0TIN", "the line holds a zero byte"),
            ("MARTIN", "M" * 9000, "the line is too long"),
            ("MARTIN", "M" * 2_500_000, "the line is too long"),
            ("MARTIN", "M" * 3000, "a cell is too long"),
            ("MARTIN", "", "the name is missing"),
            (rpps(3), rpps(3)[:-1] + str((int(rpps(3)[-1]) + 1) % 10), "the key of the RPPS number is wrong"),
            (rpps(3), "81234", "the RPPS number has not 11 digits"),
            (rpps(3), "8١٠٩٠٠٠٠٠٠٠٣", "the RPPS number has not 11 digits"),
            (rpps(3), "", "the national identifier is missing, or is none"),
        ],
    )
    def test_that_cannot_be_read_are_refused_with_the_reason(
        self, app: Flask, tmp_path: Path, old: str, new: str, why: str
    ) -> None:
        assert self.refused(tmp_path, lambda told: [*told[:3], told[3].replace(old, new), *told[4:]]) == [(4, why)]

    def test_not_in_the_encoding_of_the_file_are_refused_alone(self, app: Flask, tmp_path: Path) -> None:
        path = people_file(tmp_path / "a.txt", [person(n, given="Zoé") for n in (1, 2, 3)])
        told = path.read_bytes().split(b"\n")
        told[2] = told[2].decode().encode("latin-1", "replace")
        path.write_bytes(b"\n".join(told))
        done = load(path)
        assert [(each["line"], each["why"]) for each in done.samples] == [(3, "the line is not in UTF-8")]
        assert scalar("select count(*) from directory_person") == 2

    def test_that_say_the_same_are_one(self, app: Flask, tmp_path: Path) -> None:
        done = load(people_file(tmp_path / "a.txt", [person(1), person(2), person(1)]))
        assert done.counts is not None
        assert (done.counts["activities"]["added"], done.counts["activities"]["repeated"]) == (2, 1)

    def test_may_hold_what_copy_reads_as_something_else(self, app: Flask, tmp_path: Path) -> None:
        load(people_file(tmp_path / "a.txt", [person(1, "O\\.'\"; --", name="\\N", street="a\tb")]))
        assert scalar("select family from directory_person") == "O\\.'\"; --"
        assert scalar("select name || ',' || address from directory_activity") == "\\N,12 Avenue a b"

    def test_of_boxes_are_checked_too(self, app: Flask, tmp_path: Path) -> None:
        good = [box(f"p{n}@x.mssante.fr", n) for n in range(1, 8)]
        wrong = [box("not an address", 8), box("a@b.fr", 9, kind="FAX"), box("b@b.fr", 9, person_id="1")]
        done = load(boxes_file(tmp_path / "b.txt", [*good, *wrong]))
        assert [each["why"] for each in done.samples] == [
            "the address of the box is none", "the kind of box is none we know",
            "the national identifier is missing, or is none",
        ]  # fmt: skip

    def test_of_the_same_box_leave_the_same_one_whatever_their_order(self, app: Flask, tmp_path: Path) -> None:
        twice = [box("a@x.mssante.fr", 1, service="A"), box("a@x.mssante.fr", 1, service="B")]
        load(boxes_file(tmp_path / "b.txt", twice))
        before = snapshot()
        done = load(boxes_file(tmp_path / "b.txt", reversed(twice)))
        assert done.counts is not None
        assert done.counts["boxes"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 1, "repeated": 1}
        assert snapshot() == before


class TestAnArchive:
    def archive(self, tmp_path: Path, *names: str) -> Path:
        people = people_file(tmp_path / "people.txt", [person(1), person(2)])
        path = tmp_path / "PS_LibreAcces.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name in names:
                made.write(people, name)
        return path

    def test_is_read_without_being_unpacked(self, app: Flask, tmp_path: Path) -> None:
        done = load(self.archive(tmp_path, "../../etc/PS_202611210613.txt"))
        assert (done.state, done.file) == ("done", "PS_202611210613.txt")
        assert scalar("select count(*) from directory_person") == 2
        assert not (tmp_path.parent.parent / "etc").exists()

    def test_that_would_unpack_without_end_is_refused(self, app: Flask, tmp_path: Path) -> None:
        path = tmp_path / "bomb.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("a.txt", "0" * 30_000_000)
        with pytest.raises(NotTheDirectory, match="unpack"):
            load(path)

    def test_of_too_many_files_is_refused(self, app: Flask, tmp_path: Path) -> None:
        with pytest.raises(NotTheDirectory, match="25 files"):
            load(self.archive(tmp_path, *(f"{n}.txt" for n in range(25))))

    def test_that_is_broken_changes_nothing(self, app: Flask, tmp_path: Path) -> None:
        path = self.archive(tmp_path, "a.txt")
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            start = archive.infolist()[0].header_offset + 60
        content[start : start + 20] = bytes(20)
        path.write_bytes(bytes(content))
        try:
            state = load(path).state
        except NotTheDirectory:
            state = "refused"
        assert state == "refused"
        assert scalar("select count(*) from directory_person") == 0


class TestACut:
    """Killed at any moment, an import goes on and ends as if it had never been."""

    @pytest.fixture
    def small_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.directory.lines._BLOCK", 4096)

    @pytest.mark.parametrize("after", [1, 2, 5])
    def test_while_reading(
        self,
        app: Flask,
        many: Callable[[str, int, int], Path],
        monkeypatch: pytest.MonkeyPatch,
        small_blocks: None,
        after: int,
    ) -> None:
        path = many("all.txt", 0, 400)
        load(path)
        whole = snapshot()
        load(many("other.txt", 200, 600), force=True)
        stage, calls = loading._stage, iter(range(100))

        def dying(*arguments: Any) -> None:
            if next(calls) == after:
                raise KeyboardInterrupt
            stage(*arguments)

        with monkeypatch.context() as cut:
            cut.setattr(loading, "_stage", dying)
            with pytest.raises(KeyboardInterrupt):
                load(path, force=True)
        waiting = self.running()
        assert (waiting.state, waiting.lines > 0) == ("reading", True)
        done = load(path, force=True)
        assert (done.resumed, done.state, done.lines) == (True, "done", 400)
        assert snapshot() == whole

    def test_while_merging(
        self, app: Flask, many: Callable[[str, int, int], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = many("all.txt", 0, 50)
        with monkeypatch.context() as cut:
            cut.setattr(staging, "_merge_words", lambda: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                load(path)
        assert self.running().state == "merging"
        assert scalar("select count(*) from directory_person") == 0
        assert load(path).resumed
        assert scalar("select count(*) from directory_person") == 50

    def test_and_a_database_that_lost_what_waited_starts_over(
        self, app: Flask, many: Callable[[str, int, int], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = many("all.txt", 0, 50)
        with monkeypatch.context() as cut:
            cut.setattr(staging, "merge", lambda _kind: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                load(path)
        scalar("select directory_empty_staging()")
        done = load(path)
        assert (done.resumed, done.state, done.counts is not None) == (False, "done", True)

    def running(self) -> DirectoryImport:
        (found,) = [each for each in ground.rows(DirectoryImport) if each.state in ("reading", "merging")]
        return found


class TestMeanwhile:
    def test_a_second_import_is_refused(
        self, app: Flask, many: Callable[[str, int, int], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, merge, refused = many("a.txt", 0, 5), staging.merge, []

        def during(kind: str) -> Any:
            try:
                loading.load([path])
            except AlreadyLoading:
                refused.append(kind)
            return merge(kind)

        monkeypatch.setattr(staging, "merge", during)
        assert load(path).state == "done"
        assert refused == ["people"]

    def test_people_are_found_as_they_were_until_the_end(
        self,
        app: Flask,
        many: Callable[[str, int, int], Path],
        monkeypatch: pytest.MonkeyPatch,
        reader: psycopg.Cursor[Any],
    ) -> None:
        load(many("a.txt", 0, 30))
        empty, seen = staging.empty, []

        def during() -> None:
            reader.execute("set lock_timeout = '2s'")
            seen.append(reader.execute("select count(*) from directory_person").fetchone())
            empty()

        monkeypatch.setattr(staging, "empty", during)
        load(many("b.txt", 0, 40))
        assert seen == [(30,), (30,)]
        assert reader.execute("select count(*) from directory_person").fetchone() == (40,)

    @pytest.fixture
    def reader(self, database: Database) -> Iterator[psycopg.Cursor[Any]]:
        with psycopg.connect(database.application_url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("set parvis.system = 'tests'")
            yield cursor
