"""A box is read in order, one mail at a time; whatever happens nothing is lost, and nothing is kept twice."""

import tracemalloc
from itertools import islice

import pytest

from portal.gateways import LeftAlone, Refused, Unavailable
from portal.gateways.mssante import Box, NotLetIn, Place
from portal.gateways.mssante import reading as reading_module
from portal.gateways.mssante.twin import Mail, Point, TwinBox
from tests.gateways.mssante.conftest import OURS, SECRET, TOKEN, Ground, Taking, mail

BEGINNING = Place()
KEYS = [b"<1@ch-essai.mssante.fr>", b"<2@ch-essai.mssante.fr>", b"<3@ch-essai.mssante.fr>"]
CUTS = [
    Point.IMAP_GREETING, Point.IMAP_CAPABILITY, Point.IMAP_STARTTLS, Point.IMAP_HANDSHAKE, Point.IMAP_LOGIN,
    Point.IMAP_SELECT, Point.IMAP_SEARCH, Point.IMAP_SIZES, Point.IMAP_FETCH, Point.IMAP_IN_LITERAL,
    Point.IMAP_BEFORE_STORE, Point.IMAP_AFTER_STORE,
]  # fmt: skip


@pytest.fixture
def three(ground: Ground) -> TwinBox:
    for number in (1, 2, 3):
        ground.ours.put(mail(number))
    return ground.ours


def uids(ground: Ground, after: Place = BEGINNING, limit: int = 100, **options: object) -> list[int]:
    with ground.operator(**options).read(ground.box, after) as reading:
        return [found.uid for found in reading.waiting(limit)]


def test_mails_come_whole_the_oldest_first(ground: Ground, three: TwinBox) -> None:
    with ground.operator().read(ground.box, Place()) as reading:
        assert reading.place == Place(three.validity, 0)
        found = list(reading.waiting(100))
    assert [(each.uid, each.raw) for each in found] == [(1, mail(1)), (2, mail(2)), (3, mail(3))]
    assert [each.size for each in found] == [len(mail(1))] * 3


def test_reading_marks_nothing_and_deletes_nothing(ground: Ground, three: TwinBox) -> None:
    assert uids(ground) == [1, 2, 3]
    assert [each.flags for each in three.mails] == [set(), set(), set()]


def test_what_was_taken_does_not_come_back(ground: Ground, three: TwinBox) -> None:
    with ground.operator().read(ground.box, Place()) as reading:
        reading.mark([1, 3])
    assert uids(ground) == [2]
    assert len(three.mails) == 3
    assert three.mails[0].flags == {"$ParvisTaken"}


def test_what_a_person_read_elsewhere_comes_all_the_same(ground: Ground, three: TwinBox) -> None:
    three.mails[0].flags.add("\\Seen")
    assert uids(ground) == [1, 2, 3]


def test_reading_goes_on_from_a_place(ground: Ground, three: TwinBox) -> None:
    assert uids(ground, Place(three.validity, 2)) == [3]
    assert uids(ground, Place(three.validity, 3)) == []
    assert uids(ground, limit=2) == [1, 2]


def test_a_box_that_was_renumbered_is_read_anew(ground: Ground, three: TwinBox) -> None:
    former = Place(three.validity, 3)
    three.renumber()
    with ground.operator().read(ground.box, former) as reading:
        assert reading.place == Place(three.validity, 0)
        assert [found.uid for found in reading.waiting(9)] == [1, 2, 3]


def test_where_keywords_are_refused_mails_are_marked_as_read_and_a_place_is_enough(
    ground: Ground, three: TwinBox
) -> None:
    ground.twin.faults.keeps_keywords = False
    three.mails[1].flags.add("\\Seen")
    with ground.operator().read(ground.box, Place(three.validity, 1)) as reading:
        assert [found.uid for found in reading.waiting(9)] == [2, 3]
        reading.mark([2, 3])
    assert [each.flags for each in three.mails] == [set(), {"\\Seen"}, {"\\Seen"}]


def test_keywords_refused_at_the_last_moment_become_read_marks(ground: Ground, three: TwinBox) -> None:
    with ground.operator().read(ground.box, Place()) as reading:
        ground.twin.faults.keeps_keywords = False
        reading.mark([1])
    assert three.mails[0].flags == {"\\Seen"}


def test_a_box_that_cannot_be_written_says_so(ground: Ground, three: TwinBox) -> None:
    ground.twin.faults.answers = {Point.IMAP_BEFORE_STORE: "NO [NOPERM] reading only"}
    with ground.operator().read(ground.box, Place()) as reading, pytest.raises(Refused):
        reading.mark([1])


@pytest.mark.parametrize("point", CUTS)
def test_a_line_cut_anywhere_loses_nothing_and_keeps_nothing_twice(
    ground: Ground, three: TwinBox, taking: Taking, point: Point
) -> None:
    ground.twin.faults.cut_at, ground.twin.faults.times = point, 1
    with pytest.raises(Unavailable):
        taking(ground.operator())
    taking(ground.operator())
    assert taking.kept == KEYS
    assert uids(ground, taking.place) == []


@pytest.mark.parametrize("point", CUTS)
def test_a_line_cut_again_and_again_gets_there_in_the_end(
    ground: Ground, three: TwinBox, taking: Taking, point: Point
) -> None:
    """Each try goes one step further than the one before it."""
    for passed in range(3):
        ground.twin.faults.cut_at, ground.twin.faults.times, ground.twin.faults.after = point, 1, passed
        try:
            taking(ground.operator())
        except LeftAlone:
            raise
        except Unavailable:
            continue
    ground.twin.faults.clear()
    taking(ground.operator())
    assert taking.kept == KEYS


def test_a_rude_goodbye_changes_nothing(ground: Ground, three: TwinBox, taking: Taking) -> None:
    ground.twin.faults.cut_at = Point.IMAP_LOGOUT
    taking(ground.operator())
    assert taking.kept == KEYS


@pytest.mark.parametrize("fault", ["silent_at", "drip_at"])
@pytest.mark.parametrize("point", [point for point in CUTS if point is not Point.IMAP_HANDSHAKE])
def test_an_operator_that_says_nothing_is_not_waited_for(
    ground: Ground, three: TwinBox, taking: Taking, point: Point, fault: str
) -> None:
    setattr(ground.twin.faults, fault, point)
    with pytest.raises(Unavailable):
        taking(ground.operator(timeout_seconds=0.15))


@pytest.mark.parametrize("point", [Point.IMAP_SELECT, Point.IMAP_SEARCH, Point.IMAP_SIZES, Point.IMAP_FETCH])
@pytest.mark.parametrize("answer", ["NO [SERVERBUG] no", "BAD what", "NO"])
def test_a_no_reads_nothing_and_loses_nothing(
    ground: Ground, three: TwinBox, taking: Taking, point: Point, answer: str
) -> None:
    ground.twin.faults.answers = {point: answer}
    with pytest.raises((Unavailable, Refused)):
        taking(ground.operator())
    ground.twin.faults.clear()
    taking(ground.operator())
    assert taking.kept == KEYS


@pytest.mark.parametrize("answer", ["* BYE go away", "¶", "x" * 2_000_000, "* OK"])
def test_what_is_no_greeting_opens_nothing(ground: Ground, answer: str) -> None:
    ground.twin.faults.answers = {Point.IMAP_GREETING: answer}
    ground.twin.faults.cut_at = Point.IMAP_CAPABILITY
    with pytest.raises(Unavailable):
        uids(ground)


@pytest.mark.parametrize(("auth", "secret"), [("password", "wrong"), ("password", ""), ("xoauth2", "ended")])
def test_a_wrong_or_ended_secret_opens_no_box(ground: Ground, auth: str, secret: str) -> None:
    with pytest.raises(NotLetIn), ground.operator(auth).read(Box(OURS, secret), Place()):
        pass


@pytest.mark.parametrize("auth", ["password", "xoauth2", "client_cert"])
def test_each_means_opens_a_box(ground: Ground, three: TwinBox, auth: str) -> None:
    ground.twin.post.tokens[TOKEN] = OURS
    with ground.operator(auth).read(Box(OURS, TOKEN if auth == "xoauth2" else SECRET), Place()) as reading:
        assert len(list(reading.waiting(9))) == 3


def test_a_token_that_ends_while_a_box_is_read_lets_the_reading_end(ground: Ground, three: TwinBox) -> None:
    ground.twin.post.tokens[TOKEN] = OURS
    with ground.operator("xoauth2").read(Box(OURS, TOKEN), Place()) as reading:
        ground.twin.post.tokens.clear()
        assert len(list(reading.waiting(9))) == 3


def test_an_operator_that_cannot_tell_now_did_not_say_no(ground: Ground) -> None:
    ground.twin.faults.answers = {Point.IMAP_LOGIN: "NO [UNAVAILABLE] directory down"}
    with pytest.raises(Unavailable):
        uids(ground)


def test_a_mail_that_is_too_large_is_told_and_not_read(ground: Ground) -> None:
    ground.ours.put(mail(1, size=5000))
    ground.ours.put(mail(2))
    with ground.operator(most_bytes=1000).read(ground.box, Place()) as reading:
        large, small = list(reading.waiting(9))
    assert (large.uid, large.size, large.raw) == (1, len(mail(1, size=5000)), None)
    assert small.raw == mail(2)


@pytest.mark.parametrize("whole", [False, True])
def test_an_operator_that_lies_about_a_size_fills_no_memory(ground: Ground, whole: bool) -> None:
    ground.ours.put(mail(1, size=5000))
    ground.ours.put(mail(2))
    ground.twin.faults.told_size, ground.twin.faults.ignores_partial = 10, whole
    with ground.operator(most_bytes=1000).read(ground.box, Place()) as reading:
        large, small = list(reading.waiting(9))
    assert (large.raw, large.size) == (None, 1001)
    assert small.raw == mail(2)


def test_an_operator_whose_numbers_drift_loses_nothing(ground: Ground, three: TwinBox, taking: Taking) -> None:
    ground.twin.faults.validity_drifts = True
    for _ in range(3):
        taking(ground.operator())
    assert taking.kept == KEYS


def test_a_mail_that_somebody_deletes_meanwhile_is_passed_over(ground: Ground, three: TwinBox) -> None:
    with ground.operator().read(ground.box, Place()) as reading:
        waiting = reading.waiting(9)
        del three.mails[1]
        assert [found.uid for found in waiting] == [1, 2, 3]  # this session still sees it, RFC 3501 § 7.4.1
    assert uids(ground) == [1, 3]


def test_a_mail_whose_size_is_not_told_is_read_all_the_same(ground: Ground, three: TwinBox) -> None:
    ground.twin.faults.tells_sizes = False
    assert uids(ground) == [1, 2, 3]


def test_a_mail_that_is_there_and_is_not_given_is_not_passed_over(ground: Ground, three: TwinBox) -> None:
    ground.twin.faults.gives_nothing = True
    with pytest.raises(Unavailable):
        uids(ground)


def test_numbers_far_apart_are_found(ground: Ground) -> None:
    for uid in (7, 90_000, 2**31, 2**32 - 2):
        ground.ours.mails.append(Mail(uid, mail(uid)))
    ground.ours.next_uid = 2**32 - 1
    assert uids(ground) == [7, 90_000, 2**31, 2**32 - 2]
    ground.twin.faults.tells_uidnext = False
    assert uids(ground) == [7, 90_000, 2**31, 2**32 - 2]


def test_an_empty_box_is_empty(ground: Ground) -> None:
    assert uids(ground) == []
    ground.twin.faults.tells_uidnext = False
    assert uids(ground) == []


def test_a_box_of_fifty_thousand_mails_never_lies_in_memory(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers come by windows, and a poller that takes a hundred asks for no more."""
    ground.ours.fill(50_001, lambda uid: mail(uid, size=20_000))
    asked: list[str] = []
    monkeypatch.setattr(reading_module.OpenBox, "_asked", _noting(asked, reading_module.OpenBox._asked))
    with ground.operator().read(ground.box, Place()) as reading:
        tracemalloc.start()
        found = sum(1 for _each in islice(reading.waiting(100), 100))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == 100
    assert asked.count("search") == 1
    assert peak < 3 * 2**20


def _noting(asked: list[str], ask):  # type: ignore[no-untyped-def]  # a method, as it is
    def noted(self, operation, *command):  # type: ignore[no-untyped-def]  # the same
        asked.append(operation)
        return ask(self, operation, *command)

    return noted


def test_all_of_fifty_thousand_numbers_are_found_by_windows(ground: Ground) -> None:
    ground.ours.fill(50_001, mail)
    for place in ground.ours.mails[:-3]:
        place.flags.add("$ParvisTaken")
    assert uids(ground) == [49_999, 50_000, 50_001]


def test_mails_of_24_mb_come_one_at_a_time(ground: Ground) -> None:
    large = mail(size=24 * 2**20)
    for _ in range(3):
        ground.ours.put(large)
    with ground.operator().read(ground.box, Place()) as reading:
        tracemalloc.start()
        for found in reading.waiting(9):
            assert found.size == len(large)
            del found
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * len(large)  # the twin, in this process too, holds a copy of its own
