"""How figures are written for the reader: values, comparisons, the names of bars."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache

from babel.dates import format_date as written_date
from babel.dates import format_skeleton
from babel.numbers import format_percent as written_percent
from flask_babel import format_date, format_decimal, get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup, escape

from admin.queries_figures import Choice, Reading
from admin.spans import Days, Grain
from portal import kpi
from portal.kpi import Definition, Figure
from portal.web import charts
from portal.web.ui import euros, short_day

FEW = 30
"""Below this denominator a rate says little (domain catalogue, section 5.4)."""

_MONTHS_NAMED = 3
_LEAST_MOVE = 0.05
"""Per cent: a smaller one would be written 0.0."""

Value = float | int | None


def value(definition: Definition, figure: Figure) -> str | None:
    """The figure itself; None when it is not fed, a dash when there is nothing to divide by."""
    if not figure.fed:
        return None
    return written(definition, figure.value)


def written(definition: Definition, number: Value) -> str:
    """A value of this figure; a dash when there is none."""
    if number is None:
        return "–"
    if definition.unit == "rate":
        return _percent(number, str(get_locale() or "fr"))
    if definition.unit == "cents":
        return euros(int(number))
    number = number if isinstance(number, int) else round(number, 1)
    unit = _UNITS.get(definition.unit)
    return str(unit(number)) if unit else charts.written(number)


_UNITS: Mapping[str, Callable[[float | int], str]] = {
    "hours": lambda number: _("%(number)s h", number=charts.written(number)),
    "days": lambda number: _("%(number)s d", number=charts.written(number)),
}


@lru_cache(maxsize=5_000)
def _percent(number: float, language: str) -> str:
    """French sets a no-break space before the per cent sign; English none."""
    return str(written_percent(number, "#,##0.# %" if language.startswith("fr") else "#,##0.#%", locale=language))


def parts(reading: Reading) -> str:
    """What stands under the value: its two parts, the month it is about, or what it waits for."""
    definition, figure = reading.definition, reading.figure
    if not figure.fed:
        return _waits_for(definition, figure)
    if definition.by_month:
        return str(format_date(reading.days.first, "LLLL y"))
    if figure.denominator is None:
        return ""
    if definition.unit == "score":
        return str(ngettext("%(num)d answer", "%(num)d answers", figure.denominator))
    counts = {"part": charts.written(figure.numerator), "whole": charts.written(figure.denominator)}
    if 0 < figure.denominator < FEW:
        return str(_("%(part)s of %(whole)s: few cases, read with care", **counts))
    return str(_("%(part)s of %(whole)s", **counts))


def comparison(reading: Reading) -> str:
    """How the figure moved since the days it is compared with; nothing when there is nothing to compare."""
    now, earlier = reading.figure.value, reading.earlier.value
    if now is None or earlier is None:
        return ""
    if now == earlier:
        return str(_("as before"))
    then = written(reading.definition, earlier)
    if reading.definition.unit == "rate":
        points = format_decimal((now - earlier) * 100, "+#,##0.#;-#,##0.#")
        return str(_("%(points)s points (%(earlier)s before)", points=points, earlier=then))
    if not earlier:
        return str(_("none before"))
    moved = (now - earlier) / earlier * 100
    if abs(moved) < _LEAST_MOVE:
        return str(_("as before"))
    share = format_decimal(moved, "+#,##0;-#,##0" if abs(moved) >= 1 else "+0.0;-0.0")
    return str(_("%(share)s %% (%(earlier)s before)", share=share, earlier=then))


def tone(reading: Reading) -> str:
    """Whether the figure went the better way (`success`) or the other one (`danger`); '' when neither is better."""
    now, earlier = reading.figure.value, reading.earlier.value
    better = reading.definition.better
    if now is None or earlier is None or now == earlier or better not in ("up", "down"):
        return ""
    return "success" if (now > earlier) == (better == "up") else "danger"


def _waits_for(definition: Definition, figure: Figure) -> str:
    """What a figure that is not fed needs, and for which months when that is known."""
    needed = str(definition.missing or _("The hospital’s totals are needed."))
    if not figure.missing:
        return needed
    months = ", ".join(str(format_date(month, "LLL y")) for month in figure.missing[:_MONTHS_NAMED])
    if len(figure.missing) > _MONTHS_NAMED:
        months += "…"
    return str(_("%(needed)s: nothing for %(months)s", needed=needed.rstrip("."), months=months))


def beside(rate: Reading) -> str:
    """A rate under the number it goes with: what it is, its value, its parts."""
    shown = written(rate.definition, rate.figure.value)
    return str(_("%(rate)s: %(value)s (%(parts)s)", rate=rate.definition.title, value=shown, parts=parts(rate)))


def target(reading: Reading) -> str:
    """The target and whether it is reached; nothing without one."""
    if reading.target is None:
        return ""
    value = written(reading.definition, reading.target)
    if reading.reached is None:
        return str(_("Target: %(value)s", value=value))
    if reading.reached:
        return str(_("Target: %(value)s, reached", value=value))
    return str(_("Target: %(value)s, not reached", value=value))


def trend(reading: Reading) -> str:
    """The small line in words, for those who do not see it."""
    known = [each for each in reading.past if each is not None]
    first, last = (known[0], known[-1]) if known else (None, None)
    return str(
        _(
            "From %(first)s to %(last)s over the period",
            first=written(reading.definition, first),
            last=written(reading.definition, last),
        )
    )


def explanation(definition: Definition) -> Markup:
    """The definition in words: what is counted, out of what, and its version."""
    return _explanation(definition, kpi.version_of(definition.code), str(get_locale() or "fr"))


@lru_cache(maxsize=1_000)
def _explanation(definition: Definition, version: int, language: str) -> Markup:
    """language: the reader's, which the words are in."""
    lines = [_("Counts: %(what)s.", what=str(definition.numerator).rstrip("."))]
    if definition.denominator:
        lines.append(_("Out of: %(what)s.", what=str(definition.denominator).rstrip(".")))
    if definition.portal:
        lines.append(_("Counted for the whole portal, not by hospital."))
    lines.append(_("Definition %(code)s, version %(version)s.", code=definition.code, version=version))
    return Markup("<br>").join(escape(line) for line in lines)


def place(definition: Definition | None, choice: Choice) -> str:
    """Where the figure was counted."""
    if definition and definition.portal:
        return str(_("Whole portal"))
    if choice.unit and choice.hospital:
        return f"{choice.hospital.name}, {choice.unit.name}"
    return choice.hospital.name if choice.hospital else str(_("All my hospitals"))


def days(chosen: Days) -> str:
    """`24 oct. 2026 – 22 nov. 2026`, or the one day."""
    if chosen.first == chosen.last:
        return short_day(chosen.first)
    return f"{short_day(chosen.first)} – {short_day(chosen.last)}"


def months(chosen: Days) -> str:
    """The whole months that these days touch: `octobre 2026 – novembre 2026`, or the one month."""
    first, last = month(chosen.first), month(chosen.last)
    return first if first == last else f"{first} – {last}"


def month(day: date) -> str:
    """`octobre 2026`."""
    return str(format_date(day, "LLLL y"))


def weekdays() -> list[str]:
    """Seven short names, from Monday."""
    return [str(format_date(date(2024, 1, day), "ccc")) for day in range(1, 8)]


def bars(cuts: Iterable[Days], grain: Grain) -> list[str]:
    """The names of bars, short enough for the foot of a chart: `22/11` in French, `11/22` in English; `nov. 26`."""
    language = str(get_locale() or "fr")
    return [_bar(cut.first, grain, language) for cut in cuts]


@lru_cache(maxsize=2_000)
def _bar(day: date, grain: Grain, language: str) -> str:
    """Each chart of a page names the same bars."""
    if grain == "month":
        return str(written_date(day, "LLL yy", locale=language))
    # Charts run from the left in every language: without the mark that turns an Arabic date round.
    return str(format_skeleton("Md", day, locale=language)).replace("\u200f", "")


def grain(name: Grain) -> str:
    """What each bar stands for."""
    return str({"day": _("by day"), "week": _("by week"), "month": _("by month")}[name])


def columns(definition: Definition) -> list[object]:
    """The head of the table of figures."""
    numbers = [_("Numerator"), _("Denominator"), _("Value")] if definition.unit == "rate" else [_("Value")]
    return [_("Days"), *({"text": text, "numeric": True} for text in numbers)]


def rows(reading: Reading) -> list[list[str]]:
    """The table of figures, latest first: days, then the two parts of a rate, then the value."""
    return [[days(cut.days), *_numbers(reading.definition, cut.figure)] for cut in reversed(reading.cuts)]


def _numbers(definition: Definition, figure: Figure) -> list[str]:
    shown = value(definition, figure) or "–"
    if definition.unit != "rate":
        return [shown]
    return [charts.written(figure.numerator), charts.written(figure.denominator or 0), shown]
