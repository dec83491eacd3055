"""Every component in every state renders, and ties its words to its controls."""

import re

import html5lib
import pytest
from flask.testing import FlaskClient

from portal.web import ui
from portal.web.assets import DIST, manifest


@pytest.mark.parametrize("state", ["", "filled", "errors"])
def test_the_style_guide_is_a_good_page(client: FlaskClient, state: str) -> None:
    assert client.get("/_ui", query_string={"state": state}).status_code == 200


@pytest.fixture
def refused(client: FlaskClient) -> html5lib.treebuilders.base.Node:
    return html5lib.parse(client.get("/_ui?state=errors").text, namespaceHTMLElements=False)


def test_every_error_of_the_summary_leads_to_a_control_that_is_marked(refused) -> None:
    links = refused.findall(".//*[@class='govuk-error-summary']//a")
    targets = [link.get("href").removeprefix("#") for link in links]
    controls = {
        element.get("id"): element for element in refused.iter() if element.tag in ("input", "select", "textarea")
    }
    assert targets[:3] == ["name", "email", "birth_on-day"]
    assert len(targets) == len(set(targets)) >= 8
    assert set(targets) <= set(controls)
    assert controls["name"].get("aria-invalid") == "true"


def test_an_error_and_a_hint_are_read_with_their_control(refused) -> None:
    name = next(element for element in refused.iter("input") if element.get("id") == "name")
    assert name.get("aria-describedby") == "name-hint name-error"
    assert name.get("autocomplete") == "family-name"


def test_choices_are_groups_with_a_legend(refused) -> None:
    for fieldset in refused.iter("fieldset"):
        assert fieldset.find("legend") is not None
    kinds = {"radio", "checkbox"}
    grouped = {each.get("id") for fieldset in refused.iter("fieldset") for each in fieldset.iter("input")}
    alone = {each.get("id") for each in refused.iter("input") if each.get("type") in kinds} - grouped
    assert alone == {"consent"}


def test_the_title_of_a_refused_form_says_so_first(refused) -> None:
    assert refused.findtext(".//title").startswith(("Error:", "Erreur"))


def test_every_built_file_is_there() -> None:
    assert {"ui.css", "ui.rtl.css", "ui.js", "favicon.svg"} <= set(manifest())
    for name in manifest().values():
        assert (DIST / name).is_file()


def test_the_styles_fetch_their_own_fonts_and_nothing_else() -> None:
    for name in ("ui.css", "ui.rtl.css"):
        text = (DIST / manifest()[name]).read_text(encoding="utf-8")
        fetched = set(re.findall(r"url\(\"?([^)\"]+)", text))
        assert {target for target in fetched if not target.startswith("data:")} == {
            manifest()[font] for font in manifest() if font.endswith(".woff2")
        }
        assert "@import" not in text


def test_the_styles_wear_no_government_mark() -> None:
    text = (DIST / manifest()["ui.css"]).read_text(encoding="utf-8")
    assert "GDS Transport" not in text
    assert "crest" not in text


def test_a_drawing_we_do_not_carry_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        ui.icon("no-such-drawing")
    with pytest.raises(ValueError, match="not an icon name"):
        ui.icon("../dist/manifest")


@pytest.mark.parametrize("name", [path.stem for path in ui.ICONS.glob("*.svg")])
def test_drawings_are_silent_and_take_the_colour_of_the_text(name: str) -> None:
    drawing = ui.icon(name)
    assert 'aria-hidden="true"' in drawing
    assert 'stroke="currentColor"' in drawing
    assert "<!--" not in drawing
