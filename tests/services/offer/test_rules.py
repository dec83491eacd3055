"""Words that forgive, addresses that last, a plan that is to scale."""

import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.offer import drawing, pages, words
from services.offer.drawing import HEIGHT, WIDTH, Spot
from services.offer.pages import NoSuchPage

KNOWN = words.words_of(["Cardiologie", "Échographie cardiaque", "Hélène MERCIER", "IRM", "Maternité"])


class TestWords:
    @pytest.mark.parametrize(
        ("asked", "typos"),
        [
            ("cardiologie", 0), ("cardio", 0), ("cardiolgie", 1), ("caridologie", 1), ("echografie", 2), ("irm", 0),
            ("irn", None), ("mercire", 1), ("cardiologue", 1), ("orl", None), ("x", None),
        ],
    )  # fmt: skip
    def test_are_found_with_a_typo_and_not_with_many(self, asked: str, typos: int | None) -> None:
        assert words.nearest(asked, KNOWN) == typos

    @given(st.text(max_size=40))
    def test_folding_is_done_once(self, text: str) -> None:
        assert words.folded(words.folded(text)) == words.folded(text)

    @given(st.text(alphabet="abcde", max_size=8), st.text(alphabet="abcde", max_size=8))
    def test_a_distance_is_one(self, one: str, other: str) -> None:
        found = words.distance(one, other)
        assert found == words.distance(other, one)
        assert (found == 0) is (one == other)
        assert abs(len(one) - len(other)) <= found <= max(len(one), len(other))

    def test_little_words_do_not_count(self) -> None:
        assert words.asked("la maladie du cœur") == ["maladie", "coeur"]
        assert words.asked("de la") == ["de", "la"]


class TestAddresses:
    @given(st.uuids())
    def test_a_key_is_read_again(self, key: UUID) -> None:
        assert pages.long(pages.short(key)) == key

    @given(st.text(max_size=80))
    def test_words_of_an_address_are_plain(self, text: str) -> None:
        made = words.slug(text)
        assert made
        assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    @given(st.sampled_from(["establishment", "site", "unit", "activity", "practitioner"]), st.text(max_size=60))
    def test_anything_is_an_address_or_none(self, kind: str, text: str) -> None:
        with contextlib.suppress(NoSuchPage):
            pages.codes(kind, text)


def spot(number: int, latitude: float, longitude: float, town: str = "") -> Spot:
    return Spot(number, f"Site {number}", town or f"Ville {number}", latitude, longitude)


class TestPlan:
    def test_nothing_to_draw_is_no_plan(self) -> None:
        assert drawing.plan([]) is None

    def test_north_is_up_and_east_is_right(self) -> None:
        plan = drawing.plan([spot(1, 48.6, 2.2), spot(2, 48.7, 2.4)])
        assert plan is not None
        south, north = plan.marks
        assert north.y < south.y
        assert north.x > south.x

    def test_the_bar_says_how_far_it_is(self) -> None:
        one, other = spot(1, 48.60, 2.30), spot(2, 48.70, 2.30)
        plan = drawing.plan([one, other])
        assert plan is not None
        drawn = abs(plan.marks[0].y - plan.marks[1].y) / plan.bar * plan.bar_m / 1000
        assert drawn == pytest.approx(drawing.distance_km(one, other), rel=0.01)

    def test_sites_of_one_place_stand_side_by_side_and_their_town_is_said_once(self) -> None:
        plan = drawing.plan([spot(1, 48.6, 2.2, "Arceau"), spot(2, 48.6, 2.2, "Arceau")])
        assert plan is not None
        assert plan.marks[0].x != plan.marks[1].x
        assert [each.label for each in plan.marks] == ["Arceau", ""]

    @given(st.lists(st.tuples(st.floats(41, 51), st.floats(-5, 9)), min_size=1, max_size=6))
    def test_everything_is_inside_the_frame(self, places: list[tuple[float, float]]) -> None:
        plan = drawing.plan([spot(n, latitude, longitude) for n, (latitude, longitude) in enumerate(places, 1)])
        assert plan is not None
        assert all(0 <= each.y <= HEIGHT for each in plan.marks)
        assert all(0 <= each.x <= WIDTH + 200 for each in plan.marks)
        assert 0 < plan.bar <= WIDTH
