"""Charts say what their figures say."""

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from portal.web import charts

figures = st.lists(st.one_of(st.none(), st.integers(0, 10**9), st.floats(0, 10**9)), min_size=1, max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _in_french():
    app = Flask(__name__)
    Babel(app, default_locale="fr")
    with app.test_request_context():
        yield


@given(figures)
def test_bars_stand_on_the_ground_and_keep_in_the_frame(values) -> None:
    drawn = charts.bars([{"label": str(index), "value": value} for index, value in enumerate(values)])
    for bar, value in zip(drawn.bars, values, strict=True):
        assert charts.TOP - 0.1 <= bar.y <= charts.HEIGHT - charts.BOTTOM
        assert bar.y + bar.height == pytest.approx(charts.HEIGHT - charts.BOTTOM, abs=0.2)
        assert bar.x >= charts.LEFT
        assert bar.height == pytest.approx(0, abs=0.2) or value


@given(st.integers(0, 10**9))
def test_the_scale_is_whole_rising_and_holds_the_highest_figure(highest: int) -> None:
    step = charts._round_step(highest)
    assert isinstance(step, int)
    assert step * 4 >= highest
    assert step == 1 or step * 4 < highest * 2.1


def test_a_missing_figure_leaves_a_gap_and_a_dash() -> None:
    drawn = charts.lines(["a", "b", "c"], [{"name": "Visits", "values": [1, None, 3]}])
    assert drawn.series[0].path.count("M") == 2
    assert len(drawn.series[0].dots) == 2
    assert drawn.rows[1] == ["b", "–"]


def test_the_table_holds_every_figure_of_every_series() -> None:
    drawn = charts.lines(["a", "b"], [{"name": "One", "values": [1234, 2]}, {"name": "Two", "values": [3, 4.5]}])
    assert drawn.rows == [["a", "1\u202f234", "3"], ["b", "2", "4,5"]]
    assert drawn.headers("Week") == ["Week", {"text": "One", "numeric": True}, {"text": "Two", "numeric": True}]


def test_no_more_labels_than_there_is_room_for() -> None:
    drawn = charts.bars([{"label": str(index), "value": index} for index in range(90)])
    assert sum(bar.show_label for bar in drawn.bars) <= charts.MOST_LABELS
    assert not any(bar.show_value for bar in drawn.bars)


@given(figures)
def test_a_sparkline_keeps_in_its_frame(values) -> None:
    drawn = charts.spark(values)
    for point in drawn.path.removeprefix("M").split("L"):
        x, y = map(float, point.split())
        assert 0 <= x <= charts.SPARK_WIDTH
        assert 0 <= y <= charts.SPARK_HEIGHT


def test_nothing_to_draw_draws_a_flat_line() -> None:
    assert charts.spark([]).path.startswith("M0")
