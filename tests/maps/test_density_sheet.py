"""The density map on paper: a picture or PDF without a browser, honest in colour and in grey."""

import hashlib
import io
import re
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from gis.errors import NoFont
from maps import lettering, style
from maps.density import NOBODY, WITHHELD, DensityMap, classed
from maps.density_sheet import FORMATS, MOST_MAPS, PLANE, write_sheet

Pixels = set[tuple[int, ...]]


@pytest.fixture(scope="module")
def font() -> Path:
    """Return the font, or skip and say so."""
    try:
        return lettering.find_font()
    except NoFont as error:
        pytest.skip(str(error))


def density(counts: list[int | None], *, withheld: tuple[int, ...] = (), **changes: Any) -> DensityMap:  # noqa: ANN401
    """Make a map of squares of 20 km side by side, in one invented county with a hole."""
    east = np.arange(len(counts)) * 20_000.0
    squares = gpd.GeoDataFrame(
        {
            "area": [str(place) for place in range(len(counts))],
            "name": pd.Series([None] * len(counts), dtype=object),
            "n": pd.array(counts, dtype="Int64"),
            "withheld": [place in withheld for place in range(len(counts))],
            "area_km2": 400.0,
        },
        geometry=shapely.box(east, np.zeros_like(east), east + 20_000, np.full_like(east, 20_000)),
        crs=PLANE,
    ).to_crs("OGC:CRS84")
    county = shapely.box(0, -30_000, 100_000, 40_000) - shapely.box(40_000, -20_000, 60_000, -10_000)
    outlines = gpd.GeoDataFrame({"code": ["999901"], "name": ["测试县"]}, geometry=[county], crs=PLANE)
    words: dict[str, Any] = {
        "title_zh": "测试区居民密度",
        "title_en": "Residents of the test division",
        "category": None,
        "on": date(2026, 1, 31),
        "source_zh": "虚构样本",
        "source_en": "fictional sample",
        "areas": squares,
        "outlines": outlines.to_crs("OGC:CRS84"),
        "noise_sd": 6.2,
    }
    return DensityMap(**(words | changes))


def pixels(file: Path, *, grey: bool = False) -> Pixels:
    """Return every colour of a picture, or every grey of its print."""
    with Image.open(file) as opened:
        picture = opened.convert("L" if grey else "RGB")
    return {of if isinstance(of, tuple) else (int(of),) for _, of in picture.getcolors(1 << 24) or []}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def written_in(pdf: bytes) -> str:
    """Return the letters that a PDF maps its glyphs to, which is what a reader can find and copy."""
    streams = [
        zlib.decompress(found)
        for found in re.findall(rb"/FlateDecode[^>]*>>\s*stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    ]
    maps = b"".join(stream for stream in streams if b"beginbfrange" in stream or b"beginbfchar" in stream)
    return "".join(chr(int(of, 16)) for of in re.findall(rb"<([0-9a-fA-F]{4})>", maps))


def test_a_picture_shows_every_class_and_tells_withheld_from_nobody_even_in_grey(font: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.png"
    write_sheet([density([400, 40_000, None, None, 0], withheld=(2,), k=2)], out, "png", font)
    colours = pixels(out)
    for colour in style.sequential(2):
        assert rgb(colour) in colours
    assert rgb("#efedea") in colours, "the ground of the stripes of withheld areas"
    greys = pixels(out, grey=True)
    assert {Image.new("RGB", (1, 1), rgb(colour)).convert("L").getpixel((0, 0)) for colour in style.sequential(2)} <= {
        of[0] for of in greys
    }


def test_equal_areas_look_equal(font: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.png"
    write_sheet([density([400, 4_000, 40_000], method="fixed", breaks=(1.0, 10.0))], out, "png", font)
    ramp = style.sequential(3)
    with Image.open(out) as opened:
        picture = np.array(opened.convert("RGB"))[:, : opened.width * 3 // 4]
    many = [int((picture == rgb(colour)).all(axis=2).sum()) for colour in ramp[1:]]
    assert many[0] == pytest.approx(many[1], rel=0.03), "two squares of 400 km²"


def test_a_pdf_holds_its_font_and_letters_that_can_be_found(font: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.pdf"
    write_sheet([density([400, 4_000, None], withheld=(2,))], out, "pdf", font)
    pdf = out.read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"/FontFile2" in pdf
    assert set("测试区居民密度审内部用图不公布分位数") - {"审"} <= set(written_in(pdf))


def test_days_that_are_compared_share_their_classes(font: Path, tmp_path: Path) -> None:
    before, after = density([400, 4_000]), density([4_000, 80_000], on=date(2026, 3, 31))
    classes, drawn = classed([before, after])
    assert sum(classes.counts) == 4
    assert drawn[0].states[1] == drawn[1].states[0], "the same rate has the same class on both days"
    out = tmp_path / "map.png"
    write_sheet([before, after], out, "png", font)
    assert {rgb(style.sequential(len(classes.uppers))[int(drawn[1].states[1])])} <= pixels(out)


def test_a_withheld_count_cannot_come_to_the_sheet_and_the_same_counts_give_the_same_bytes(
    font: Path, tmp_path: Path
) -> None:
    for kind in FORMATS:
        digests = set()
        for _ in range(2):
            out = tmp_path / f"map.{kind}"
            write_sheet([density([400, None, 0], withheld=(1,))], out, kind, font)
            digests.add(hashlib.sha256(out.read_bytes()).hexdigest())
        assert len(digests) == 1
    with pytest.raises(ValueError, match="came with its count"):
        density([400, 50], withheld=(1,))
    _, (drawn,) = classed([density([400, None, 0], withheld=(1,))])
    assert drawn.states.tolist() == ["0", WITHHELD, NOBODY]
    assert np.isnan(drawn.rates[1])


@pytest.mark.parametrize("counts", [[], [None], [0, 0]], ids=["empty", "no data", "nobody"])
def test_thin_maps_are_drawn_too(font: Path, tmp_path: Path, counts: list[int | None]) -> None:
    out = tmp_path / "map.png"
    thin = density(counts)
    write_sheet([thin], out, "png", font)
    bare = density(counts, outlines=thin.outlines.iloc[:0])
    write_sheet([bare] * MOST_MAPS, out, "png", font)
    assert Image.open(io.BytesIO(out.read_bytes())).format == "PNG"


@pytest.mark.parametrize(
    ("many", "kind", "sentence"), [(0, "png", "between 1 and"), (MOST_MAPS + 1, "png", "between 1"), (1, "gif", "gif")]
)
def test_what_is_no_sheet_is_refused(tmp_path: Path, many: int, kind: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        write_sheet([density([400])] * many, tmp_path / "map", kind, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_chinese_font_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "FOLDERS", (tmp_path,))
    with pytest.raises(NoFont, match="fonts-wqy-microhei"):
        lettering.find_font()
    (tmp_path / "wqy").mkdir()
    (tmp_path / "wqy" / "wqy-microhei.ttc").touch()
    assert lettering.find_font().name == "wqy-microhei.ttc"
