"""A mail is handed over once, and what is not known of it is said not to be."""

import pytest

from portal.gateways import DoorError, LeftAlone, OutcomeUnknown, Refused, Unavailable
from portal.gateways.mssante import Box, NobodyTaken, NotLetIn, Submission, TooLarge, connect
from portal.gateways.mssante.twin import Faults, Paper, Point
from tests.gateways.mssante.conftest import OURS, SECRET, THEIRS, TOKEN, Ground, mail

SAID_BEFORE_THE_TEXT = [
    Point.GREETING, Point.EHLO, Point.STARTTLS, Point.HANDSHAKE, Point.EHLO_AGAIN, Point.AUTH, Point.MAIL, Point.RCPT,
    Point.DATA,
]  # fmt: skip


@pytest.mark.parametrize("auth", ["password", "xoauth2", "client_cert"])
def test_each_means_opens_a_box_and_the_mail_arrives_as_it_was_written(ground: Ground, auth: str) -> None:
    ground.twin.post.tokens[TOKEN] = OURS
    raw = mail().replace(b"Bonjour", b".Bonjour\r\n.\r\n..\r\n\xc3\xa9t\xc3\xa9")
    done = ground.operator(auth).submit(Box(OURS, TOKEN if auth == "xoauth2" else SECRET), Submission([THEIRS], raw))
    assert done.refused == {}
    [arrived] = ground.theirs.contents()
    assert arrived.partition(b"\r\n")[2] == raw


@pytest.mark.parametrize(
    ("auth", "secret"), [("password", "wrong"), ("password", ""), ("xoauth2", "ended"), ("xoauth2", "")]
)
def test_a_wrong_or_ended_secret_says_nothing_of_the_mail(ground: Ground, auth: str, secret: str) -> None:
    operator = ground.operator(auth)
    with pytest.raises(NotLetIn) as caught:
        operator.submit(Box(OURS, secret), Submission([THEIRS], mail()))
    assert secret not in str(caught.value) or not secret
    with pytest.raises(NotLetIn):
        operator.check(Box(OURS, secret))
    assert ground.twin.post.taken == []


def test_a_secret_that_would_end_a_command_is_never_shown(ground: Ground) -> None:
    with pytest.raises(NotLetIn):
        ground.operator("xoauth2").check(Box(OURS, "token\r\nQUIT"))


def test_an_organisations_certificate_does_not_open_a_persons_box(ground: Ground) -> None:
    with pytest.raises(NotLetIn):
        ground.operator("client_cert").check(Box(THEIRS))


def test_a_revoked_certificate_of_ours_opens_nothing(ground: Ground) -> None:
    ground.twin.wallet.authority.revoke(ground.twin.wallet.client)
    with pytest.raises(NotLetIn):
        ground.operator("client_cert").check(Box(OURS))


def test_nobody_writes_from_anothers_box(ground: Ground) -> None:
    url = ground.twin.url(user=OURS.replace("@", "%40"))
    operator = connect(url, ground.twin.papers, production=False)
    with pytest.raises(Refused, match=r"550 5\.7\.1"):
        operator.submit(Box(THEIRS, SECRET), Submission([OURS], mail()))


@pytest.mark.parametrize("point", SAID_BEFORE_THE_TEXT)
def test_a_line_cut_before_the_text_means_that_nobody_has_it(ground: Ground, point: Point) -> None:
    ground.twin.faults.cut_at = point
    with pytest.raises(Unavailable):
        ground.operator().submit(ground.box, Submission([THEIRS], mail()))
    assert ground.twin.post.taken == []


def test_a_line_cut_in_the_middle_of_the_text_means_that_nobody_has_it(ground: Ground) -> None:
    ground.twin.faults.cut_at, ground.twin.faults.after = Point.IN_DATA, 3
    with pytest.raises(Unavailable):
        ground.operator().submit(ground.box, Submission([THEIRS], mail(size=9_000_000)))
    assert ground.twin.post.taken == []


@pytest.mark.parametrize(("point", "arrived"), [(Point.BEFORE_TAKING, 0), (Point.AFTER_TAKING, 1)])
def test_a_line_cut_after_the_last_dot_leaves_the_outcome_unknown(ground: Ground, point: Point, arrived: int) -> None:
    ground.twin.faults.cut_at = point
    with pytest.raises(OutcomeUnknown):
        ground.operator().submit(ground.box, Submission([THEIRS], mail()))
    assert len(ground.theirs.mails) == arrived


def test_a_rude_goodbye_changes_nothing(ground: Ground) -> None:
    ground.twin.faults.cut_at = Point.QUIT
    ground.operator().submit(ground.box, Submission([THEIRS], mail()))
    assert len(ground.theirs.mails) == 1


@pytest.mark.parametrize(
    ("fault", "point"),
    [("silent_at", point) for point in (*SAID_BEFORE_THE_TEXT, Point.BEFORE_TAKING, Point.AFTER_TAKING)]
    + [("drip_at", point) for point in (*SAID_BEFORE_THE_TEXT, Point.AFTER_TAKING) if point is not Point.HANDSHAKE],
)
def test_an_operator_that_says_nothing_is_not_waited_for(ground: Ground, point: Point, fault: str) -> None:
    setattr(ground.twin.faults, fault, point)
    expected, seconds = (OutcomeUnknown, 1.0) if point.endswith("taking") else (Unavailable, 0.15)
    with pytest.raises(expected):
        ground.operator(timeout_seconds=seconds).submit(ground.box, Submission([THEIRS], mail()))


def test_an_operator_that_is_slow_is_waited_for(ground: Ground) -> None:
    ground.twin.faults.slow_at, ground.twin.faults.slow_seconds = Point.AFTER_TAKING, 0.3
    ground.operator().submit(ground.box, Submission([THEIRS], mail()))
    assert len(ground.theirs.mails) == 1


@pytest.mark.parametrize("point", [Point.MAIL, Point.DATA, Point.BEFORE_TAKING])
@pytest.mark.parametrize(("answer", "fact"), [("451 4.3.0 adam: later", Unavailable), ("554 5.6.0 adam: no", Refused)])
def test_a_no_is_final_or_not_as_the_operator_says(
    ground: Ground, point: Point, answer: str, fact: type[DoorError]
) -> None:
    ground.twin.faults.answers = {point: answer}
    with pytest.raises(fact) as caught:
        ground.operator().submit(ground.box, Submission([THEIRS], mail()))
    assert "adam" not in str(caught.value)
    assert answer[:3] in str(caught.value)
    assert ground.theirs.mails == []


@pytest.mark.parametrize("point", [Point.GREETING, Point.EHLO, Point.STARTTLS, Point.AUTH])
@pytest.mark.parametrize("answer", ["421 4.3.2 closing", "450 busy", "¶", "x" * 9000, "-1 what", ""])
def test_what_is_no_answer_is_no_answer(ground: Ground, point: Point, answer: str) -> None:
    ground.twin.faults.answers = {point: answer or " "}
    with pytest.raises((Unavailable, Refused)):
        ground.operator(timeout_seconds=2).submit(ground.box, Submission([THEIRS], mail()))
    assert ground.twin.post.taken == []


def test_each_recipient_is_taken_or_refused_by_itself(ground: Ground) -> None:
    ground.twin.entrance.recipient_answers = {
        "plein@medecin.mssante.fr": "452 4.2.2 full", "ferme@medecin.mssante.fr": "550 5.2.1 closed",
    }  # fmt: skip
    others = ["plein@medecin.mssante.fr", "ferme@medecin.mssante.fr", "personne@medecin.mssante.fr", "a@b> NOTIFY=x"]
    done = ground.operator().submit(ground.box, Submission([*others, THEIRS], mail()))
    assert done.refused == dict(zip(others, ["452 4.2.2", "550 5.2.1", "550 5.1.1", "553 5.1.3"], strict=True))
    assert len(ground.theirs.mails) == 1


def test_a_mail_that_nobody_may_have_is_refused_with_each_reason(ground: Ground) -> None:
    with pytest.raises(NobodyTaken) as caught:
        ground.operator().submit(ground.box, Submission(["personne@medecin.mssante.fr", "x"], mail()))
    assert caught.value.refused == {"personne@medecin.mssante.fr": "550 5.1.1", "x": "553 5.1.3"}
    assert "personne" not in str(caught.value)


def test_a_mail_that_one_may_have_later_is_tried_again_later(ground: Ground) -> None:
    ground.twin.entrance.recipient_answers = {THEIRS: "450 4.2.0 busy"}
    with pytest.raises(Unavailable):
        ground.operator().submit(ground.box, Submission([THEIRS, "personne@medecin.mssante.fr"], mail()))


def test_a_mail_that_is_too_large_never_leaves(ground: Ground) -> None:
    ground.twin.post.size_limit = 1000
    operator = ground.operator()
    assert operator.size_limit(ground.box) == 1000
    with pytest.raises(TooLarge) as caught:
        operator.submit(ground.box, Submission([THEIRS], mail(size=2000)))
    assert caught.value.limit == 1000


@pytest.mark.parametrize(("told", "limit"), [("SIZE 0", None), ("SIZE", None), ("SIZE x", None), ("SIZE 12", 12)])
def test_an_operator_without_a_limit_has_none(ground: Ground, told: str, limit: int | None) -> None:
    ground.twin.faults.answers = {Point.EHLO_AGAIN: f"250-twin\r\n250-{told}\r\n250 AUTH PLAIN"}
    assert ground.operator().size_limit(ground.box) == limit


def test_what_was_announced_in_clear_is_forgotten(ground: Ground) -> None:
    ground.twin.faults.answers = {Point.EHLO: "250-twin\r\n250-SIZE 1\r\n250 STARTTLS"}
    assert ground.operator().size_limit(ground.box) == 10 * 2**20


def test_delivery_is_told_when_it_is_asked(ground: Ground) -> None:
    ground.operator().submit(ground.box, Submission([THEIRS], mail(1), asks_delivery=True))
    ground.operator().submit(ground.box, Submission([THEIRS], mail(2)))
    [told] = ground.ours.contents()
    assert b"Action: delivered" in told
    assert b"<1@ch-essai.mssante.fr>" in told


def test_lines_that_end_badly_hide_no_second_mail(ground: Ground) -> None:
    smuggled = b"\n.\r\nMAIL FROM:<x@y>\r\n\r.\rDATA\n.\n"
    ground.operator().submit(ground.box, Submission([THEIRS], mail() + smuggled))
    [arrived] = ground.theirs.contents()
    assert b"MAIL FROM:<x@y>" in arrived
    assert len(ground.twin.post.taken) == 1


def test_a_mail_of_24_mb_passes_whole(ground: Ground) -> None:
    ground.twin.post.size_limit = 30 * 2**20
    raw = mail(size=24 * 2**20)
    ground.operator().submit(ground.box, Submission([THEIRS], raw))
    [arrived] = ground.theirs.contents()
    assert arrived.endswith(raw)


def test_an_operator_that_fails_again_and_again_is_left_alone_by_every_job(ground: Ground) -> None:
    ground.twin.faults.down = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            ground.operator().submit(ground.box, Submission([THEIRS], mail()))
    with pytest.raises(LeftAlone):
        ground.operator().submit(ground.box, Submission([THEIRS], mail()))


def test_nobody_there_is_unavailable(ground: Ground) -> None:
    operator = ground.operator()
    ground.twin.stop()
    with pytest.raises(Unavailable):
        operator.check(None)


def test_a_check_goes_through_both_doors(ground: Ground) -> None:
    ground.operator().check(None)
    ground.operator().check(ground.box)
    ground.twin.faults.cut_at = Point.IMAP_LOGIN
    ground.operator().check(None)
    with pytest.raises(Unavailable):
        ground.operator().check(ground.box)


def test_faults_return_to_good_health(ground: Ground) -> None:
    ground.twin.faults.paper, ground.twin.faults.answers = Paper.EXPIRED, {Point.MAIL: "500"}
    ground.twin.faults.clear()
    assert ground.twin.faults == Faults()
