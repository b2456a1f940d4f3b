"""A plan as one self-contained HTML file: the map, each site, what one more buys, who is worst served, how it was made.

It is drawn from what ``gis.planning.plans.publishing`` let out: sums to the nearest ten, none under ten.
"""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
from branca.element import Figure, MacroElement
from folium.template import Template

from maps import closed, style

MODES: Final = {"walk": ("步行", "on foot"), "drive": ("驾车", "by car")}


@dataclass(frozen=True, kw_only=True)
class PlanMap:
    """Everything a drawn plan shows."""

    title_zh: str
    title_en: str
    answer: dict[str, Any]
    """A published plan."""
    made_on: str
    source_zh: str
    source_en: str
    data_zh: str
    """Which state of the register and which roads it was made on."""
    outlines: gpd.GeoDataFrame
    """Columns code, name, geometry (polygons, OGC:CRS84)."""
    settled: gpd.GeoDataFrame | None = None
    """Columns n, geometry: released squares, drawn beneath to show where people live."""
    review_number: str | None = None


class _PlanLayer(MacroElement):
    """The folium element that carries the styles, the sites and the pages beside the map."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>{{ this.css }}</style>
            <script>{{ this.leaflet }}</script>
            <script>{{ this.drawing }}</script>
        {% endmacro %}
        {% macro html(this, kwargs) %}
            {{ this.panel }}
            <script type="application/json" id="plan">{{ this.payload }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            drawPlan({{ this._parent.get_name() }}, JSON.parse(document.getElementById("plan").textContent));
        {% endmacro %}
        """
    )

    def __init__(self, payload: str, panel: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca is annotated in part
        self._name = "PlanLayer"
        self._id = "menpai"
        self.payload = payload
        self.panel = panel
        self.leaflet = closed.leaflet_script()
        self.drawing = closed.text("plan.js")
        self.css = closed.leaflet_style() + closed.text("plan.css").replace("FONTS", style.FONTS)


def write_html(plan: PlanMap, out: Path) -> None:
    """Write the plan as one HTML file that asks for nothing else; raises OSError where it cannot be written."""
    closed.write_page(_page(plan), out)


def _page(plan: PlanMap) -> str:
    """Render the whole HTML page."""
    west, south, east, north = (float(edge) for edge in plan.outlines.total_bounds)
    chart = closed.ClosedMap(((south + north) / 2, (west + east) / 2))
    figure = chart.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - tells mypy what folium.Map made
    figure.title = escape(f"{plan.title_zh} {plan.title_en}")
    _PlanLayer(_payload(plan), _panel(plan)).add_to(chart)
    return str(figure.render()).replace("<html>", '<html lang="zh-CN">', 1)


def _payload(plan: PlanMap) -> str:
    """Write what the drawing code needs as JSON that is safe inside a script element."""
    content = {
        "outlines": json.loads(plan.outlines[["name", "geometry"]].to_json(drop_id=True)),
        "settled": None if plan.settled is None else json.loads(plan.settled.to_json(drop_id=True)),
        "sites": plan.answer["sites"],
        "curve": plan.answer["curve"],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _panel(plan: PlanMap) -> str:
    """Write the title and everything beside the map."""
    answer, review = plan.answer, plan.review_number
    return closed.text("plan.html").format(
        title_zh=escape(plan.title_zh),
        title_en=escape(plan.title_en),
        headline=headline(answer),
        facts="".join(f"<dt>{zh} <i>{en}</i></dt><dd>{words}</dd>" for zh, en, words in _facts(plan)),
        sites="".join(_site(place, site) for place, site in enumerate(answer["sites"], 1)),
        curve_hidden="" if answer["curve"] else " hidden",
        worst=_worst(answer),
        robust=_robust(answer),
        review=f"审图号：{escape(review)}" if review else "内部用图 <i>for internal use only</i>",
    )


def headline(answer: dict[str, Any]) -> str:
    """Say in one sentence what the plan does, for those who read nothing else."""
    people = _count(answer["people"])
    new = sum(not site["stands"] for site in answer["sites"])
    old = len(answer["sites"]) - new
    sites_zh = f"新设{new}处" + (f"，连同已有{old}处，" if old else "，")
    sites_en = f"{new} new sites" + (f" beside the {old} that stand" if old else "")
    covered = answer["covered"]
    if covered is not None:
        return _both(
            f"{sites_zh}{answer['within_min']:g}分钟内可到者占{answer['demand']['zh']}（{people}人）的{covered['percent']}%。",
            f"{sites_en} put {covered['percent']} % of {people} {answer['demand']['en']} within"
            f" {answer['within_min']:g} minutes.",
        )
    mean, farthest = _count(answer["mean_min"]), _count(answer["farthest_min"])
    return _both(
        f"{sites_zh}{answer['demand']['zh']}（{people}人）平均路程{mean}分钟，最远{farthest}分钟。",
        f"{sites_en}: {people} {answer['demand']['en']} are {mean} minutes away in the mean, {farthest} at most.",
    )


def quality(answer: dict[str, Any]) -> tuple[str, str]:
    """Say how far from the best possible this is."""
    known = answer["quality"]
    best = _count(known["best_possible"])
    of_what = {
        "p-median": (f"平均路程不可能低于{best}分钟", f"no plan has a mean below {best} minutes"),
        "p-center": (f"最远路程不可能低于{best}分钟", f"no plan has a longest way below {best} minutes"),
        "max-cover": (f"覆盖人数不可能高于{best}人", f"no plan covers more than {best}"),
        "set-cover": (f"不可能少于{best}处", f"no plan has fewer than {best} sites"),
    }[answer["model"]["name"]]
    if known["status"] == "optimal":
        return known["zh"], known["en"]
    return (
        f"{known['zh']}；{of_what[0]}，差距至多{known['gap_percent']:g}%",
        f"{known['en']}; {of_what[1]}, a gap of {known['gap_percent']:g} % at most",
    )


def _facts(plan: PlanMap) -> list[tuple[str, str, str]]:
    """Return what there is to say of how the plan was made."""
    answer = plan.answer
    mode = MODES[answer["mode"]]
    facts = [
        ("服务对象", "whom", f"{_both(answer['demand']['zh'], answer['demand']['en'])}，{_count(answer['people'])}"),
        ("目标", "aim", _both(answer["model"]["zh"], answer["model"]["en"])),
        ("质量", "quality", _both(*quality(answer))),
        ("出行", "travel", f"{_both(*mode)}<br>{_both(answer['method']['zh'], answer['method']['en'])}"),
        ("候选", "candidates", _both(answer["candidates"]["zh"], answer["candidates"]["en"])),
        ("日期", "date", escape(plan.made_on)),
        ("数据", "data", escape(plan.data_zh)),
        ("来源", "source", _both(plan.source_zh, plan.source_en)),
    ]
    if plan.settled is not None:
        facts.append(("底图", "beneath", _both("灰色为已发布的每平方公里居民", "in grey: released residents per km²")))
    if answer["capacity"]:
        facts.insert(2, ("每处容量", "capacity", f"{answer['capacity']:,.0f} 人 people"))
    if answer["unserved"]:
        facts.insert(2, ("不可到达", "out of reach", f"{_count(answer['unserved'])} 人 people"))
    return facts


def _site(place: int, site: dict[str, Any]) -> str:
    """Write a site's line."""
    kind = '<td class="kind">●<i>已有 stands</i></td>' if site["stands"] else '<td class="kind">◆<i>新设 new</i></td>'
    cells = (
        escape(site["name"]),
        _count(site["serves"]),
        _count(site["mean_min"]),
        _count(site["farthest_min"]),
        _count(site["only"]),
        _count(site["closing_person_min"]),
    )
    return f"<tr><td>{place}</td>{kind}<td>" + "</td><td>".join(cells) + "</td></tr>"


def _worst(answer: dict[str, Any]) -> str:
    """Write who is worst served, by county."""
    worst = answer["worst"]
    head = _both(
        f"路程最长的十分之一，{_count(worst['from_min'])}分钟以上：",
        f"the tenth with the longest way, {_count(worst['from_min'])} minutes and more:",
    )
    lines = "".join(
        f"<tr><td>{escape(one.get('name') or one['county'])}</td><td>{_count(one['people'])}</td>"
        f"<td>{_count(one['mean_min'])}</td></tr>"
        for one in worst["counties"]
    )
    return (
        f"<p>{head}</p><table><thead><tr><th>县区 <i>county</i></th><th>人 <i>people</i></th>"
        f"<th>平均分钟 <i>mean min</i></th></tr></thead><tbody>{lines}</tbody></table>"
    )


def _robust(answer: dict[str, Any]) -> str:
    """Write what happens where assumptions are off."""
    lines = []
    for one in answer["speed"]:
        zh = f"出行速度为假设的{one['speed_percent']}%时，平均路程{_count(one['mean_min'])}分钟"
        en = f"at {one['speed_percent']} % of the assumed speed the mean way is {_count(one['mean_min'])} minutes"
        if "covered_percent" in one:
            zh += f"，覆盖{one['covered_percent']}%"
            en += f", {one['covered_percent']} % are within reach"
        lines.append(_both(zh + "。", en + "."))
    if answer["uncertainty"]:
        loss, kept = answer["uncertainty"]["worst_loss_percent"], answer["uncertainty"]["sites_kept_percent"]
        lines.append(
            _both(
                f"需求上下浮动两成（8次）：与当时最好的方案相比最多差{loss:g}%，{kept}%的点位不变。",
                f"With demand off by a fifth (8 draws) it loses {loss:g} % at most, and {kept} % of its sites stay.",
            )
        )
    return "".join(f"<li>{line}</li>" for line in lines)


def _count(value: float | None) -> str:
    """Write a figure; what is withheld is said."""
    if value is None:
        return "&lt;10"
    return f"{value:,}"


def _both(zh: str, en: str) -> str:
    """Write Chinese first, English beside it."""
    return f'{escape(zh, quote=False)} <i lang="en">{escape(en, quote=False)}</i>'
