"""city.search: how long a member waits for a page of results in a library of 100 000 documents of 20 pages, at the 95th
percentile: the question taken apart, the documents found, ranked and counted, their descriptions and excerpts.

The limit is the bare look-up of the same words in the same index, without rank, counts, texts or policies. SIZE is the
number of documents. A text has about 8 000 words drawn as words of a language are (a few in every text, most in few).
"""

import random
from collections.abc import Sequence
from uuid import UUID

import psycopg

from portal import db
from portal.db import Actor
from services.communities.library import search
from services.communities.library.reading import folding
from services.communities.library.search import Asked
from tests.bench.harness import Ground, application, ground, p95_ms, report, size
from tests.factories import communities, library, people

NAMES = ("city.search",)
DOCUMENTS = 100_000
_WORDS_A_TEXT = 8_000
_LEXICON = 30_000
_LOOKS = 200
_BATCH = 1000
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo", "car", "den", "fil",
              "gas", "hem", "lom", "mor", "nep", "pul", "ren", "ter", "vas")  # fmt: skip
_TEXTS = 500
"""Different texts; each document has one of them under a title of its own, which changes nothing for the index: it
holds as many places for each word."""
_MADE = """
insert into library_document select (d).* from (select jsonb_populate_record(e, jsonb_build_object('id', m.document_id,
    'title', m.title, 'updated_at', m.at)) d from library_document e, made m where e.id = %(example)s) x;
insert into library_version select (v).* from (select jsonb_populate_record(e, jsonb_build_object('id', m.version_id,
    'document_id', m.document_id)) v from library_version e, made m where e.document_id = %(example)s) x;
insert into library_text select (t).* from (select jsonb_populate_record(e, jsonb_build_object('version_id',
    m.version_id, 'document_id', m.document_id, 'content', b.content)) t
    from library_text e, made m join base b on b.number = m.number where e.document_id = %(example)s) x;
insert into library_words (document_id, community_id, kind, file_kind, author_id, at, head, words)
    select m.document_id, e.community_id, e.kind, 'pdf', e.author_id, m.at, m.head || a.exact,
        m.head || b.words || a.exact
    from made m join base b on b.number = m.number join library_document e on e.id = %(example)s
        cross join lateral (select array_to_tsvector(array['c:' || e.community_id, 'k:' || e.kind, 'a:' || e.author_id,
            'f:pdf']) exact) a;
truncate made
"""


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context():
            with db.transaction(db.system("bench")):
                within = communities.community()
                own = people.account("professional", "Dr BANC", "banc@exemple.test")
                seat = communities.seat(within, own, own.name, "contributor")
                example = library.document(seat, "Exemple", "Exemple.")
                example_id, within_id, own_id = example.id, within.id, own.id
            lexicon = _lexicon()
            _fill(place, example_id, within_id, lexicon)
            _measure(place, within_id, own_id, lexicon)


def _lexicon() -> list[str]:
    drawn = random.Random(8)
    found: dict[str, None] = {}
    while len(found) < _LEXICON:
        found["".join(drawn.choices(_SYLLABLES, k=drawn.randint(2, 4)))] = None
    return list(found)


def _text(number: int, lexicon: Sequence[str]) -> str:
    """Zipf: the word of rank r about 1/r of the time."""
    drawn = random.Random(number)
    top = len(lexicon)
    return " ".join(lexicon[int(top ** drawn.random()) - 1] for _ in range(_WORDS_A_TEXT))


def _title(number: int, lexicon: Sequence[str]) -> str:
    drawn = random.Random(-number)
    return " ".join(lexicon[int(len(lexicon) ** (0.3 + 0.7 * drawn.random())) - 1] for _ in range(4))


def _fill(place: Ground, example: UUID, community_id: UUID, lexicon: Sequence[str]) -> None:
    """Copies of one document, with titles and texts of their own. The indexes are built at the end."""
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as above:
        above.execute("set maintenance_work_mem = '1GB'")
        above.execute("create temp table base (number integer primary key, content text, words tsvector)")
        above.execute(
            "create temp table made (number integer, document_id uuid, version_id uuid, title text, at timestamptz,"
            " head tsvector)"
        )
        for number in range(_TEXTS):
            above.execute(
                "insert into base select %s, %s, setweight(to_tsvector('french', %s), 'D')",
                [number, text := _text(number, lexicon), text],
            )
        above.execute("drop index ix_library_words_words, ix_library_words_head")
        for begin in range(0, size(DOCUMENTS), _BATCH):
            with above.cursor() as cursor:
                cursor.executemany(
                    "insert into made select %s, gen_random_uuid(), gen_random_uuid(), %s,"
                    " now() - %s * interval '1 min',"
                    " setweight(to_tsvector('french', %s), 'A')",
                    [
                        (number % _TEXTS, title := _title(number, lexicon), number, title)
                        for number in range(begin, min(begin + _BATCH, size(DOCUMENTS)))
                    ],
                )
            for statement in _MADE.split(";"):
                above.execute(statement, {"example": example} if "%(" in statement else None)
        for index in ("words", "head"):
            above.execute(f"create index ix_library_words_{index} on library_words using gin ({index})")
        above.execute(
            "insert into library_vocabulary select %s, word, word from unnest(%s::text[]) word on conflict do nothing",
            [community_id, list(lexicon)],
        )
        above.execute("vacuum analyze")


def _questions(lexicon: Sequence[str]) -> list[str]:
    """One to three words, as people ask: few that are in every text, many that are in some."""
    drawn = random.Random(1)
    return [
        " ".join(lexicon[int(len(lexicon) ** (0.4 + 0.6 * drawn.random())) - 1] for _ in range(drawn.randint(1, 3)))
        for _ in range(_LOOKS + 1)
    ]


def _measure(place: Ground, community_id: UUID, account_id: UUID, lexicon: Sequence[str]) -> None:
    questions = _questions(lexicon)
    asked, bare, found = iter(questions), iter(questions), []
    frequent = iter([lexicon[number % 3] for number in range(_LOOKS + 1)])
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as above:
        above.execute("set enable_seqscan = off")
        with db.transaction(Actor("professional", account_id=account_id)):
            for words in questions[:20]:
                search.search(community_id, Asked(words))
            ours = p95_ms(lambda: found.append(search.search(community_id, Asked(next(asked))).total), _LOOKS)
            limit = p95_ms(lambda: _bare(above, next(bare)), _LOOKS)
            worst = p95_ms(lambda: search.search(community_id, Asked(next(frequent))), 20)
        held = above.execute("select pg_size_pretty(pg_database_size(current_database()))").fetchone()
    note = (
        f"{size(DOCUMENTS)} documents of {_WORDS_A_TEXT} words, {held[0] if held else ''}; half of the questions find"
        f" more than {sorted(found)[len(found) // 2]}; a word of every text {worst:.0f} ms; bare look-up in the index"
    )
    report("city.search", ours, "ms", limit, lower_is_better=True, note=note)


def _bare(above: psycopg.Connection, words: str) -> None:
    above.execute(
        "select document_id from library_words where words @@ plainto_tsquery('french', %s) limit 20",
        [folding.key(words)],
    ).fetchall()
