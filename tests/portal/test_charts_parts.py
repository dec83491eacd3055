"""Charts made of parts, rows and cells say what their figures say."""

from itertools import pairwise

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from portal.web import charts, charts_grids, charts_parts, charts_rows

counts = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=1, max_size=30)


@pytest.fixture(autouse=True, scope="module")
def _in_french():
    app = Flask(__name__)
    Babel(app, default_locale="fr")
    with app.test_request_context():
        yield


def series(parts):
    return [{"name": f"part {rank}", "values": values} for rank, values in enumerate(parts)]


@st.composite
def tables(draw):
    length = draw(st.integers(1, 20))
    column = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=length, max_size=length)
    return [str(index) for index in range(length)], series(draw(st.lists(column, min_size=1, max_size=6)))


class TestStacked:
    @given(tables())
    def test_parts_stand_upon_one_another_and_keep_in_the_frame(self, table) -> None:
        labels, parts = table
        drawn = charts_parts.stacked(labels, parts)
        columns = {}
        for piece in drawn.pieces:
            columns.setdefault(piece.x, []).append(piece)
        for pieces in columns.values():
            assert pieces[0].y + pieces[0].height == pytest.approx(charts.HEIGHT - charts.BOTTOM, abs=0.2)
            for below, above in pairwise(pieces):
                assert above.y + above.height == pytest.approx(below.y, abs=0.2)
            assert pieces[-1].y >= charts.TOP - 0.2

    def test_the_table_says_every_part_and_the_total(self) -> None:
        drawn = charts_parts.stacked(["s1"], series([[1200], [None], [3]]))
        assert drawn.rows == [["s1", "1\u202f200", "0", "3", "1\u202f203"]]
        assert [header if isinstance(header, str) else header["text"] for header in drawn.headers("Week", "All")] == [
            "Week", "part 0", "part 1", "part 2", "All",
        ]  # fmt: skip


class TestShares:
    @given(tables())
    def test_every_column_with_something_in_it_is_full(self, table) -> None:
        labels, parts = table
        drawn = charts_parts.shares(labels, parts)
        heights = {}
        for piece in drawn.pieces:
            heights[piece.x] = heights.get(piece.x, 0) + piece.height
        full = sum(any(one["values"][index] for one in parts) for index in range(len(labels)))
        assert len(heights) == full
        assert all(height == pytest.approx(charts.PLOT_HEIGHT, abs=1) for height in heights.values())

    def test_the_scale_is_in_per_cent_and_the_table_in_numbers(self) -> None:
        drawn = charts_parts.shares(["s1"], series([[1], [3]]))
        assert [line.text for line in drawn.lines] == ["0\xa0%", "25\xa0%", "50\xa0%", "75\xa0%", "100\xa0%"]
        assert drawn.rows == [["s1", "1", "3", "4"]]


class TestRows:
    @given(counts)
    def test_the_longest_bar_is_the_highest_figure_and_leaves_room_for_words(self, values) -> None:
        drawn = charts_rows.ranked([{"label": "x", "value": value} for value in values]).drawn
        for row, value in zip(drawn, values, strict=True):
            assert row.x + row.width + charts_rows.FIGURES <= charts.WIDTH + 0.1
            assert (row.width == 0) == (not value) or row.width < 0.1
        assert drawn[values.index(max(values, key=lambda value: value or 0))].width == max(row.width for row in drawn)

    def test_a_long_name_is_cut_in_the_drawing_and_whole_in_the_table(self) -> None:
        name = "Pièce illisible ou prise dans le noir"
        drawn = charts_rows.ranked([{"label": name, "value": 3}])
        assert drawn.drawn[0].name.endswith("…")
        assert drawn.rows == [[name, "3"]]

    def test_a_funnel_says_what_each_step_keeps(self) -> None:
        steps = [("Begun", 200), ("Sent", 150), ("Accepted", 120), ("Registered", 0)]
        drawn = charts_rows.funnel([{"label": label, "value": value} for label, value in steps])
        assert [row[1:] for row in drawn.rows] == [
            ["200", "100\xa0%", "100\xa0%"],
            ["150", "75\xa0%", "75\xa0%"],
            ["120", "60\xa0%", "80\xa0%"],
            ["0", "0\xa0%", "0\xa0%"],
        ]
        widths = [row.width for row in drawn.drawn]
        assert widths[1] == pytest.approx(0.75 * widths[0])
        assert all(row.x - drawn.names == pytest.approx((widths[0] - row.width) / 2, abs=0.1) for row in drawn.drawn)

    def test_an_empty_funnel_divides_by_nothing(self) -> None:
        drawn = charts_rows.funnel([{"label": "Begun", "value": 0}, {"label": "Sent", "value": 0}])
        assert [row[2] for row in drawn.rows] == ["–", "–"]


class TestGrids:
    def test_the_busiest_hour_is_the_darkest_and_a_quiet_one_is_blank(self) -> None:
        hours = [[0] * 24 for _day in range(7)]
        hours[2][9], hours[6][23] = 500, 1
        drawn = charts_grids.heat("LMMJVSD", hours)
        assert len(drawn.cells) == 7 * 24
        assert [(cell.level, cell.text) for cell in drawn.cells if cell.level] == [(5, "500"), (1, "1")]
        assert drawn.rows[2][10] == "500"

    def test_small_charts_share_one_scale(self) -> None:
        places = [
            {"name": "North", "values": [100, 50], "displays": ["100", "50"], "text": "75"},
            {"name": "South", "values": [10, None], "displays": ["10", "< 11"], "text": "5"},
        ]
        drawn = charts_grids.multiples(["s1", "s2"], places)
        north, south = drawn.charts
        assert north.bars[0][3] == pytest.approx(10 * south.bars[0][3], abs=0.5)
        assert (len(south.bars), len(south.gaps)) == (1, 1)
        assert drawn.rows == [["s1", "100", "10"], ["s2", "50", "< 11"]]
        assert drawn.headers("Week")[2] == {"text": "South", "numeric": True}


@pytest.mark.parametrize("target", [12, 480])
def test_a_target_is_within_the_frame_whatever_the_figures(target: int) -> None:
    asked = {"value": target, "text": "Target"}
    for drawn in (
        charts.bars([{"label": "a", "value": 100}], asked),
        charts.lines(["a"], [{"name": "x", "values": [100]}], asked),
    ):
        assert drawn.target is not None
        assert charts.TOP - 0.1 <= drawn.target.y <= charts.HEIGHT - charts.BOTTOM
