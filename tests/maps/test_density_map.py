"""The density map as its reader meets it: one file, nothing fetched, nothing shown that was withheld."""

import json
import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from gis.terms import Category
from maps import style
from maps.classes import classified
from maps.density import DensityMap
from maps.density_page import write_html

PLANE = "+proj=laea +lat_0=37.5 +lon_0=106 +ellps=GRS80 +units=m"


def squares(counts: list[int | None], *, size_m: int = 1000, withheld: tuple[int, ...] = ()) -> gpd.GeoDataFrame:
    """Lay cells of ``size_m`` out in rows of a square, with the given counts."""
    side = int(np.ceil(np.sqrt(len(counts)))) or 1
    east, north = np.arange(len(counts)) % side * size_m, np.arange(len(counts)) // side * size_m
    cells = gpd.GeoDataFrame(
        {
            "area": [f"{size_m}E{e}N{n}" for e, n in zip(east, north, strict=True)],
            "name": pd.Series([None] * len(counts), dtype=object),
            "n": pd.array(counts, dtype="Int64"),
            "withheld": [place in withheld for place in range(len(counts))],
            "area_km2": np.full(len(counts), (size_m / 1000) ** 2),
        },
        geometry=shapely.box(east, north, east + size_m, north + size_m),
        crs=PLANE,
    )
    return cells.to_crs("OGC:CRS84")


def counties() -> gpd.GeoDataFrame:
    """Two invented counties side by side, one with an enclave cut out."""
    whole = shapely.box(106.0, 37.5, 106.5, 38.0) - shapely.box(106.1, 37.6, 106.2, 37.7)
    shapes = [whole, shapely.box(105.5, 37.5, 106.0, 38.0)]
    return gpd.GeoDataFrame(
        {"code": ["999901", "999902"], "name": ["东测试县", "西测试县"]}, geometry=shapes, crs="OGC:CRS84"
    )


def density(areas: gpd.GeoDataFrame, **changes: Any) -> DensityMap:  # noqa: ANN401 - any field of the map
    """Make a map of ``areas`` with believable words around it."""
    words: dict[str, Any] = {
        "title_zh": "测试区居民密度",
        "title_en": "Residents of the test division",
        "category": None,
        "on": date(2026, 1, 1),
        "source_zh": "虚构样本",
        "source_en": "fictional sample",
        "areas": areas,
        "outlines": counties(),
    }
    return DensityMap(**(words | changes))


def written(chart: DensityMap, folder: Path) -> str:
    """Write the map and read the file back."""
    out = folder / "density.html"
    write_html(chart, out)
    return out.read_text(encoding="utf-8")


def content_of(html: str) -> dict[str, Any]:
    """Give the counts and shapes that the file carries."""
    found = re.search(r'<script type="application/json" id="density">(.*?)</script>', html, re.DOTALL)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


class Visit:
    """One look at a file in the browser: the page, and all that went wrong on it."""

    def __init__(self, browser: Browser, file: Path) -> None:
        """Open the file with the network off and wait until the map is drawn."""
        self.page: Page = browser.new_page(viewport={"width": 1000, "height": 700})
        self.page.context.set_offline(True)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector(".folium-map[data-drawn]")

    def _asked(self, request: Request) -> None:
        self.asked.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(message.text)

    def colours(self) -> set[tuple[int, ...]]:
        """Give every colour on the canvas."""
        pixels = self.page.evaluate(
            """() => { const canvas = document.querySelector(".menpai-shapes");
            const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let at = 0; at < bytes.length; at += 4) seen.add([...bytes.slice(at, at + 4)].join());
            return [...seen]; }"""
        )
        return {tuple(int(channel) for channel in pixel.split(",")) for pixel in pixels}


def rgba(colour: str) -> tuple[int, ...]:
    """Give a ``#rrggbb`` colour as an opaque pixel."""
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255)


def test_the_file_names_no_outside_address(tmp_path: Path) -> None:
    html = written(density(squares([10, 20, 500, 0, None], withheld=(4,))), tmp_path)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "https://leafletjs.com"}  # a namespace, a licence comment
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", html)
    assert "url(" not in html.replace("url(#", "")
    assert "<link" not in html
    assert "sourceMappingURL" not in html
    assert "Redistributions in binary form must reproduce the above copyright notice" in html, (
        "Leaflet's licence goes with it"
    )


def test_the_map_says_what_it_shows_in_both_languages(tmp_path: Path) -> None:
    html = written(density(squares([10, 20, 500]), category=Category.FLOATING, method="natural_breaks", k=3), tmp_path)
    for words in (
        "测试区居民密度",
        "Residents of the test division",
        "人/平方公里",
        "residents per km²",
        "530 人 residents",
        "流动 floating",
        "2026-01-01",
        "自然断点 natural breaks",
        "虚构样本",
        "fictional sample",
        "内部用图",
        "东测试县",
    ):
        assert words in html, words


def test_a_review_number_takes_the_place_of_internal_use(tmp_path: Path) -> None:
    html = written(density(squares([10]), review_number="宁S(2026)001号"), tmp_path)
    assert "审图号：宁S(2026)001号" in html
    assert "内部用图" not in html


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    areas = squares([10])
    areas["name"] = "</script><script>alert(1)</script>"
    html = written(density(areas, title_zh="<b>题</b>", source_zh="<i>源</i>"), tmp_path)
    assert "alert(1)</script>" not in html
    assert "<b>题</b>" not in html
    assert "<i>源</i>" not in html
    assert content_of(html)["names"] == ["</script><script>alert(1)</script>"]


def test_a_withheld_area_carries_no_count(tmp_path: Path) -> None:
    html = written(density(squares([50, None, None, 0], withheld=(1,))), tmp_path)
    content = content_of(html)
    assert content["counts"] == [50, None, None, 0]
    assert content["states"] == "0wxz", "a class, withheld, no data and nobody are four different things"
    assert "少于 10 人" in html
    assert "无数据" in html


def test_the_rate_is_per_square_kilometre(tmp_path: Path) -> None:
    content = content_of(written(density(squares([50, 100], size_m=500)), tmp_path))
    assert content["rates"] == ["200", "400"]


@pytest.mark.parametrize("method", ["quantiles", "natural_breaks", "equal_interval"])
def test_every_value_is_in_the_class_the_legend_gives_it(method: Any) -> None:  # noqa: ANN401 - a literal
    values = np.random.default_rng(7).lognormal(3, 2, 3000).round(3) + 0.001
    classes = classified(values, method, 5)
    assert list(classes.uppers) == sorted(set(classes.uppers))
    assert sum(classes.counts) == len(values)
    lows = np.array([0.0, *classes.uppers[:-1]])
    assert (values > lows[classes.of]).all()
    assert (values <= np.array(classes.uppers)[classes.of]).all()
    assert classes.lowest <= values.min()
    assert classes.uppers == classified(values, method, 5).uppers, "the same counts give the same classes"


def test_fixed_breaks_are_kept_and_opened_above() -> None:
    classes = classified(np.array([1.0, 10.0, 11.0, 999.0]), "fixed", 5, (10.0, 100.0))
    assert classes.uppers == (10.0, 100.0, 999.0)
    assert classes.of.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("classes", range(2, style.MOST_CLASSES + 1))
def test_classes_stay_in_order_in_a_grey_print(classes: int) -> None:
    greys = [style.luminance(colour) ** (1 / 2.2) for colour in style.sequential(classes)]
    assert all(light - dark > 0.05 for light, dark in pairwise(greys))


def test_it_opens_with_the_network_off_and_asks_for_nothing(browser: Browser, tmp_path: Path) -> None:
    out = tmp_path / "density.html"
    write_html(density(squares([10, 20, 500, 0, None, None, 70, 80, 90], withheld=(4,)), k=3), out)
    visit = Visit(browser, out)
    assert visit.asked == [out.as_uri()]
    assert visit.wrong == []
    assert visit.page.locator(".leaflet-control-scale").is_visible()
    seen = visit.colours()
    for colour in style.sequential(3):
        assert rgba(colour) in seen
    assert rgba("#efedea") in seen, "the ground of the stripes of withheld cells"


def test_county_names_and_counts_under_the_mouse(browser: Browser, tmp_path: Path) -> None:
    out = tmp_path / "density.html"
    areas = counties().rename(columns={"code": "area"})
    areas = areas.assign(n=pd.array([5000, None], dtype="Int64"), withheld=[False, True], area_km2=[2000.0, 2400.0])
    write_html(density(areas), out)
    visit = Visit(browser, out)
    assert visit.page.locator(".division-name", has_text="东测试县").is_visible()
    west, east = (visit.page.locator(".division-name", has_text=name).bounding_box() for name in ("西", "东"))
    assert west
    assert east
    visit.page.mouse.move(east["x"], east["y"])
    tip = visit.page.locator(".leaflet-tooltip")
    assert tip.inner_text().split("\n") == ["东测试县", "5,000 人 residents", "2.5 人/平方公里 per km²", "999901"]
    visit.page.mouse.move(west["x"], west["y"])
    visit.page.locator(".leaflet-tooltip", has_text="不公布 withheld").wait_for()
    assert visit.wrong == []


@pytest.mark.parametrize(
    ("areas", "drawn"),
    [
        (squares([]), 0),
        (squares([None, None], withheld=(0, 1)), 2),
        (squares([None, None]), 2),
        (squares([0, 0, 0]), 3),
        (squares([42, 42, 42]), 3),
        (squares([42]), 1),
    ],
    ids=["empty", "all withheld", "no data", "nobody", "one value", "one cell"],
)
def test_thin_maps_are_drawn_too(browser: Browser, tmp_path: Path, areas: gpd.GeoDataFrame, drawn: int) -> None:
    out = tmp_path / "density.html"
    for method in ("quantiles", "natural_breaks", "equal_interval"):
        write_html(density(areas, method=method), out)
        visit = Visit(browser, out)
        assert visit.page.locator(".folium-map").get_attribute("data-drawn") == str(drawn)
        assert visit.page.locator("#legend tr.withheld").is_visible()
        assert visit.wrong == []


def test_without_areas_and_outlines_there_is_still_a_page(browser: Browser, tmp_path: Path) -> None:
    out = tmp_path / "density.html"
    write_html(density(squares([]), outlines=counties().iloc[:0]), out)
    assert Visit(browser, out).wrong == []


def test_fifty_thousand_cells_are_a_small_file_that_draws_at_once(browser: Browser, tmp_path: Path) -> None:
    counts: list[int | None] = [int(n) for n in np.random.default_rng(3).lognormal(4, 1, 50_000) + 10]
    out = tmp_path / "density.html"
    write_html(density(squares(counts)), out)
    assert out.stat().st_size < 5_000_000
    visit = Visit(browser, out)
    assert visit.page.locator(".folium-map").get_attribute("data-drawn") == "50000"
    assert visit.page.evaluate("performance.now()") < 15_000


def test_the_same_counts_give_the_same_bytes(tmp_path: Path) -> None:
    chart = density(squares([10, 20, 500]))
    assert written(chart, tmp_path) == written(chart, tmp_path)


def test_a_failed_write_leaves_the_old_map_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = written(density(squares([10])), tmp_path)

    def full(_: Path, __: Path) -> None:
        message = "no space left"
        raise OSError(message)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_html(density(squares([99])), tmp_path / "density.html")
    assert [file.name for file in tmp_path.iterdir()] == ["density.html"]
    assert (tmp_path / "density.html").read_text(encoding="utf-8") == old


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_zh": " "}, "needs title_zh"),
        ({"category": "migrants"}, "Category migrants is not one of"),
        ({"method": "pretty"}, "Class method pretty is not one of"),
        ({"k": 0}, "between 1 and 9 classes"),
        ({"k": 10}, "between 1 and 9 classes"),
        ({"method": "fixed"}, "Breaks belong to class method fixed"),
        ({"breaks": (1.0, 2.0)}, "Breaks belong to class method fixed"),
        ({"method": "fixed", "breaks": (2.0, 1.0)}, "in ascending order"),
        ({"method": "fixed", "breaks": (0.0, 1.0)}, "above zero"),
        ({"method": "fixed", "breaks": ()}, "between 1 and 8 numbers"),
        ({"method": "fixed", "breaks": (1.0, float("inf"))}, "finite"),
        ({"areas": squares([10]).drop(columns="n")}, "lack the columns n"),
        ({"areas": squares([10]).to_crs(PLANE)}, "longitude and latitude"),
        ({"areas": squares([10]).set_geometry([shapely.Point(106, 38)], crs="OGC:CRS84")}, "must all be polygons"),
        ({"areas": squares([10]).astype({"n": float})}, "whole numbers"),
        ({"areas": squares([-1])}, "cannot be negative"),
        ({"areas": squares([9])}, "below 10 came without being withheld"),
        ({"areas": squares([50], withheld=(0,))}, "came with its count"),
        ({"areas": squares([50]).assign(area_km2=0.0)}, "area_km2 above zero"),
        ({"areas": squares([50, 60]).assign(area="same")}, "same stands among the areas more than once"),
        ({"outlines": counties().drop(columns="name")}, "outlines lack the columns name"),
    ],
)
def test_what_cannot_be_drawn_truthfully_is_refused(changes: dict[str, Any], sentence: str) -> None:
    good = density(squares([10, 20]))
    with pytest.raises(ValueError, match=sentence):
        replace(good, **changes)
