"""directory.import: lines of the national directory a second into an empty one, against COPY of the same columns;
directory.import_next_day: the file of the next day, of which one line in a hundred changed.

directory.search: how long it takes to find somebody by name, at the 95th percentile, against the bare statements;
directory.search_alike: by a name with a letter wrong. SIZE=2300000 is the country.
"""

import json
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from portal import db
from services.directory import loading, queries
from tests.bench.harness import Ground, application, ground, interleaved, p95_ms, report, seconds, size
from tests.factories.directory import box, boxes_file, people_file, person

NAMES = ("directory.import", "directory.import_next_day", "directory.search", "directory.search_alike")
LINES = 20_000
_LOOKS = 200
_TABLES = ("directory_person", "directory_activity", "directory_word")
_SYLLABLES = ("bar", "ber", "cas", "cor", "del", "dou", "fau", "gar", "jou", "lan", "mar", "mon", "nor", "per", "quin",
              "roc", "sal", "ter", "val", "vin")  # fmt: skip
_ENDS = ("ac", "eau", "el", "er", "et", "ier", "in", "on", "ot", "y")
_GIVENS = ("Marie", "Jean", "Camille", "Léa", "Noël", "Zoé", "Anne-Sophie", "Jean-Pierre", "Élodie", "François")
_BARE = (
    "select id, title, family, given from directory_person where family_key >= %(name)s and family_key < %(end)s"
    " order by family_key, given_key, id limit 26",
    "select * from directory_activity where person_id = any(%(ids)s)",
    "select * from directory_box where person_id = any(%(ids)s) and not red_list",
)


def run() -> None:
    with ground() as place, tempfile.TemporaryDirectory() as folder:
        app = application(place.settings)
        days = [people_file(Path(folder) / f"day{day}.txt", _people(size(LINES), day)) for day in (1, 2)]
        _import(place, days)
        with app.app_context():
            loading.load([boxes_file(Path(folder) / "boxes.txt", _boxes(size(LINES)))])
            _search(place)


def _name(number: int) -> str:
    drawn = random.Random(number)
    return (drawn.choice(_SYLLABLES) + drawn.choice(_SYLLABLES) + drawn.choice(_ENDS)).upper()


def _people(lines: int, day: int) -> Iterator[dict[str, str]]:
    """Three people on four lines, as in the country; the second day, one telephone in a hundred is another one."""
    for line in range(lines):
        number = line * 3 // 4
        town = f"{line % 36_000:05}"
        phone = f"01{line:08}" if day == 1 or line % 100 else f"02{line:08}"
        yield person(
            number, _name(number % 60_000), _GIVENS[number % len(_GIVENS)], structure_id=f"F{line // 3:09}",
            name=f"CABINET {line // 3}", finess=f"{line // 3:09}", commune=town, postcode=town, town=f"VILLE {town}",
            phone=phone,
        )  # fmt: skip


def _boxes(lines: int) -> Iterator[dict[str, str]]:
    for number in range(0, lines * 3 // 4, 3):
        yield box(f"p{number}@medecin.mssante.fr", number, _name(number % 60_000), _GIVENS[number % len(_GIVENS)])


def _import(place: Ground, days: list[Path]) -> None:
    lines, peaks = size(LINES), []
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as above:

        def load(file: Path) -> float:
            told = _loaded(place, file)
            peaks.append(int(told["peak_mb"]))
            return lines / float(str(told["seconds"]))

        def first() -> float:
            above.execute(f"truncate {', '.join(_TABLES)}")
            return load(days[0])

        load(days[0])
        _kept(above, days[0].parent)
        ours, limit = interleaved(first, lambda: lines / seconds(lambda: _copy(above, days[0].parent)), 2)
        next_day = load(days[1])
    note = f"{lines} lines, {max(peaks)} MB at most; COPY of the same columns, without checks, keys or policies"
    report("directory.import", ours, "rows/s", limit, note=note)
    report("directory.import_next_day", next_day, "rows/s", limit, note=f"{note}; one line in a hundred changed")


def _loaded(place: Ground, file: Path) -> dict[str, object]:
    environment = os.environ | place.environment
    done = subprocess.run(loading.arguments([file]), env=environment, capture_output=True, text=True, check=True)
    told: dict[str, object] = json.loads(done.stdout)
    if told["state"] != "done":
        raise RuntimeError(f"the file was {told['state']}: {told['why']}")
    return told


def _kept(above: psycopg.Connection, folder: Path) -> None:
    """What the import kept, as files that COPY reads."""
    for table in _TABLES:
        above.execute(f"create table bare_{table} as select * from {table} limit 0")
        with above.cursor().copy(f"copy {table} to stdout") as out, (folder / table).open("wb") as file:
            for piece in out:
                file.write(piece)


def _copy(above: psycopg.Connection, folder: Path) -> None:
    """The same columns into tables that have nothing else."""
    for table in _TABLES:
        with above.cursor().copy(f"copy bare_{table} from stdin") as into, (folder / table).open("rb") as file:
            while piece := file.read(1 << 20):
                into.write(piece)


def _search(place: Ground) -> None:
    names = [_name(number) for number in range(_LOOKS)]
    _look(place, "directory.search", names, names)
    _look(place, "directory.search_alike", [name[:2] + "x" + name[3:] for name in names], names)


def _look(place: Ground, what: str, typed: list[str], names: list[str]) -> None:
    asked, bare = iter(typed), iter(names)
    with db.transaction(db.system("bench")), psycopg.connect(place.server.url(database="bench")) as above:
        queries.search("warm")
        ours = p95_ms(lambda: queries.search(next(asked)), _LOOKS)
        limit = p95_ms(lambda: _bare(above, next(bare).lower()), _LOOKS)
    note = f"{size(LINES)} lines; three bare statements by the right name"
    report(what, ours, "ms", limit, lower_is_better=True, note=note)


def _bare(above: psycopg.Connection, name: str) -> None:
    found = above.execute(_BARE[0], {"name": name, "end": name + "\x7f"}).fetchall()
    ids = [row[0] for row in found]
    for statement in _BARE[1:]:
        above.execute(statement, {"ids": ids}).fetchall()
