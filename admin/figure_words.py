"""How figures are written for the reader: values, comparisons, the names of bars."""

from collections.abc import Callable, Mapping

from babel.dates import format_skeleton
from flask_babel import format_date, format_decimal, format_percent, get_locale
from flask_babel import gettext as _
from markupsafe import Markup, escape

from admin.queries_figures import Choice, Reading
from admin.spans import Days, Grain
from portal import kpi
from portal.kpi import Definition, Figure
from portal.web.ui import euros, short_day

FEW = 30
"""Below this denominator a rate says little (domain catalogue, section 5.4)."""

_MONTHS_NAMED = 3

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
        return str(format_percent(number, "#,##0.# %" if _spaced() else "#,##0.#%"))
    if definition.unit == "cents":
        return euros(int(number))
    number = number if isinstance(number, int) else round(number, 1)
    unit = _UNITS.get(definition.unit)
    return str(unit(number)) if unit else str(format_decimal(number))


_UNITS: Mapping[str, Callable[[float | int], str]] = {
    "hours": lambda number: _("%(number)s h", number=format_decimal(number)),
    "days": lambda number: _("%(number)s d", number=format_decimal(number)),
}


def _spaced() -> bool:
    """French sets a no-break space before the per cent sign; English none."""
    return str(get_locale() or "fr").startswith("fr")


def parts(reading: Reading) -> str:
    """What stands under the value: its two parts, the month it is about, or what it waits for."""
    definition, figure = reading.definition, reading.figure
    if not figure.fed:
        return _waits_for(definition, figure)
    if definition.by_month:
        return str(format_date(reading.days.first, "LLLL y"))
    if figure.denominator is None:
        return ""
    counts = {"part": format_decimal(figure.numerator), "whole": format_decimal(figure.denominator)}
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
    share = format_decimal((now - earlier) / earlier * 100, "+#,##0;-#,##0")
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
    lines = [_("Counts: %(what)s.", what=str(definition.numerator).rstrip("."))]
    if definition.denominator:
        lines.append(_("Out of: %(what)s.", what=str(definition.denominator).rstrip(".")))
    if definition.portal:
        lines.append(_("Counted for the whole portal, not by hospital."))
    lines.append(
        _("Definition %(code)s, version %(version)s.", code=definition.code, version=kpi.version_of(definition.code))
    )
    return Markup("<br>").join(escape(line) for line in lines)


def place(definition: Definition | None, choice: Choice) -> str:
    """Where the figure was counted."""
    if definition and definition.portal:
        return str(_("Whole portal"))
    return choice.hospital.name if choice.hospital else str(_("All my hospitals"))


def days(chosen: Days) -> str:
    """`24 oct. 2026 – 22 nov. 2026`, or the one day."""
    if chosen.first == chosen.last:
        return short_day(chosen.first)
    return f"{short_day(chosen.first)} – {short_day(chosen.last)}"


def bar(cut: Days, grain: Grain) -> str:
    """The name of a bar, short enough for the foot of a chart: `22/11` in French, `11/22` in English; `nov. 26`."""
    if grain == "month":
        return str(format_date(cut.first, "LLL yy"))
    return str(format_skeleton("Md", cut.first, locale=get_locale() or "fr"))


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
    return [str(format_decimal(figure.numerator)), str(format_decimal(figure.denominator or 0)), shown]
