"""billing.import: lines of the billing system's file merged a second, against COPY of the same columns.

billing.import_again: the same file a second time, which changes nothing.
"""

import tempfile
from pathlib import Path

import psycopg

from portal import db
from services.billing import bill_file
from services.billing.imports import jobs
from tests.bench.harness import Ground, application, ground, interleaved, report, seconds, size
from tests.factories import hospitals

NAMES = ("billing.import", "billing.import_again")
LINES = 200_000
_FACTS = (
    "990000017;regie;2026;{prefix}-{number:07};;Consultation;Cardiologie;2026-09-14;2026-10-01;2026-12-01;10000;5480;0"
    ";4520;8{number:07};KR7{number:07}"
)


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context():
            with db.transaction(db.system("bench")):
                hospitals.hospital()
            _import(place, size(LINES))


def _import(place: Ground, lines: int) -> None:
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(place.server.url(database="bench")) as above:
        above.execute(f"create table bare_bill ({', '.join(f'{name} {_kind(name)}' for name in bill_file.COLUMNS)})")
        above.commit()
        drawn = [_written(Path(folder), f"F{number}", lines) for number in range(2)]
        new, bare = iter(drawn), iter(drawn)

        def load(what: str, file: Path) -> None:
            report_ = jobs.import_bills(file)
            if getattr(report_, what) != lines:
                raise RuntimeError(f"{lines} lines made {getattr(report_, what)} bills {what}")

        def copy() -> None:
            how = "copy bare_bill from stdin (format csv, delimiter ';', header)"
            with above.cursor().copy(how) as out, next(bare).open("rb") as file:
                while chunk := file.read(1 << 20):
                    out.write(chunk)
            above.commit()

        ours, limit = interleaved(
            lambda: lines / seconds(lambda: load("added", next(new))), lambda: lines / seconds(copy), 2
        )
        again = lines / seconds(lambda: load("unchanged", drawn[0]))
    note = f"{lines} lines; COPY of the same columns, without checks, keys or policies"
    report("billing.import", ours, "rows/s", limit, note=note)
    report("billing.import_again", again, "rows/s", limit, note=note)


def _kind(name: str) -> str:
    return "date" if name.endswith("_on") else "bigint" if name.endswith("_cents") else "text"


def _written(folder: Path, prefix: str, lines: int) -> Path:
    path = folder / f"{prefix}.csv"
    rows = (_FACTS.format(prefix=prefix, number=number) for number in range(lines))
    path.write_text("\r\n".join([";".join(bill_file.COLUMNS), *rows, ""]), encoding="utf-8")
    return path
