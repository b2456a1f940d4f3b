"""A density map as one self-contained HTML file that asks for nothing else."""

import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from branca.element import Figure, MacroElement
from folium.template import Template

from maps import closed, style
from maps.classes import Classes
from maps.density import (
    NO_COUNT,
    NOBODY,
    WITHHELD,
    DensityMap,
    Drawn,
    classed,
    facts,
    other_words,
    review_words,
    spans,
)
from maps.packing import packed


def write_html(density: DensityMap, out: Path) -> None:
    """Write the map as one HTML file that asks for nothing else.

    The file appears whole or not at all. Raises OSError where it cannot be written.
    """
    closed.write_page(_page(density), out)


class _DensityLayer(MacroElement):
    """The folium element that carries the counts, the legend and the code that draws them."""

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
            <script type="application/json" id="density">{{ this.payload }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            drawDensity({{ this._parent.get_name() }}, JSON.parse(document.getElementById("density").textContent));
        {% endmacro %}
        """
    )

    def __init__(self, payload: str, panel: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca is annotated in part
        self._name = "DensityLayer"
        self._id = "menpai"
        self.payload = payload
        self.panel = panel
        self.leaflet = closed.leaflet_script()
        self.drawing = closed.text("density.js")
        self.css = closed.leaflet_style() + closed.text("density.css").replace("FONTS", style.FONTS)


def _page(density: DensityMap) -> str:
    """Render the whole HTML page."""
    classes, (drawn,) = classed([density])
    colours = style.sequential(len(classes.uppers)) if classes.uppers else []
    chart = closed.ClosedMap(_centre(density))
    figure = chart.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - tells mypy what folium.Map made
    figure.title = escape(f"{density.title_zh} {density.title_en}")
    payload = _payload(density, drawn, colours)
    _DensityLayer(payload, _panel(density, drawn, classes, colours)).add_to(chart)
    return str(figure.render()).replace("<html>", '<html lang="zh-CN">', 1)


def _payload(density: DensityMap, drawn: Drawn, colours: list[str]) -> str:
    """Write what the drawing code needs as JSON that is safe inside a script element."""
    areas, outlines = density.areas, density.outlines
    # The middle of the widest place of a division is where its name has most room.
    anchors = [shapely.get_point(shapely.maximum_inscribed_circle(shape, 0.002), 0) for shape in outlines.geometry]
    named = areas["name"].notna()
    content: dict[str, Any] = {
        "shapes": packed(list(areas.geometry)),
        "states": "".join(drawn.states),
        "counts": [
            None if count is None else int(count) for count in areas["n"].astype(object).where(areas["n"].notna(), None)
        ],
        "rates": [None if np.isnan(rate) else style.written(float(rate)) for rate in drawn.rates],
        "ids": areas["area"].astype(str).tolist(),
        "names": areas["name"].where(named, None).tolist() if named.any() else None,
        "outlines": packed(list(outlines.geometry)),
        "labels": [
            [str(name), round(float(point.x), 5), round(float(point.y), 5)]
            for name, point in zip(outlines["name"], anchors, strict=True)
        ],
        "colours": colours,
        "withheldBelow": density.withheld_below,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _panel(density: DensityMap, drawn: Drawn, classes: Classes, colours: list[str]) -> str:
    """Write the title and the legend."""
    zh, en = review_words(density)
    return closed.text("density.html").format(
        title_zh=escape(density.title_zh),
        title_en=escape(density.title_en),
        rows="".join([*_class_rows(classes, colours), *_other_rows(density.withheld_below, drawn)]),
        facts="".join(
            f"<dt>{zh} <i>{en}</i></dt><dd>{'<br>'.join(map(escape, lines))}</dd>"
            for zh, en, lines in facts(density, drawn)
        ),
        review=f"{escape(zh)} <i>{en}</i>" if en else escape(zh),
        review_kind="internal" if en else "reviewed",
    )


def _class_rows(classes: Classes, colours: list[str]) -> list[str]:
    """Write the legend rows of the classes, densest first."""
    rows = []
    for span, colour, count in zip(spans(classes), colours, classes.counts, strict=True):
        swatch = f'<svg width="26" height="16"><rect width="26" height="16" fill="{colour}" stroke="#777"/></svg>'
        rows.append(f'<tr class="class"><td>{swatch}</td><td>{span}</td><td class="tally">{count:,}</td></tr>')
    return rows[::-1]


def _other_rows(withheld_below: int, drawn: Drawn) -> list[str]:
    """Write the legend rows of what has no class: nobody, withheld (always explained), no data."""
    kinds = {NOBODY: "nobody", WITHHELD: "withheld", NO_COUNT: "no-data"}
    return [
        f'<tr class="{kinds[state]}"><td><canvas class="swatch" data-state="{state}" width="26" height="16"></canvas>'
        f'</td><td>{zh} <i>{en}</i></td><td class="tally">{drawn.tally(state):,}</td></tr>'
        for state, (zh, en) in other_words(withheld_below).items()
        if drawn.tally(state) or state == WITHHELD
    ]


def _centre(density: DensityMap) -> tuple[float, float]:
    """Give a latitude and longitude to begin from; the page fits itself to the shapes afterwards."""
    frame = density.areas if len(density.areas) else density.outlines
    if not len(frame):
        return 37.5, 106.0
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    return (south + north) / 2, (west + east) / 2
