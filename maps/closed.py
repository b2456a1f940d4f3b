"""Maps on a closed network: one file that asks for nothing else, with folium's Leaflet inlined from our own files."""

import re
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path

import folium


def write_page(page: str, out: Path) -> None:
    """Write a page as one file that appears whole or not at all; raises OSError where it cannot be written."""
    write_whole(page.encode(), out)


def write_whole(content: bytes, out: Path) -> None:
    """Write a file that appears whole or not at all; raises OSError where it cannot be written."""
    with tempfile.NamedTemporaryFile("wb", dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
        draft = Path(file.name)
        try:
            file.write(content)
            file.flush()
            draft.chmod(0o644)
            draft.replace(out)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


class ClosedMap(folium.Map):
    """A folium map that names no outside address: what it needs is inlined by the layer."""

    def __init__(self, location: tuple[float, float]) -> None:
        """Begin at a latitude and longitude; the page fits itself to its shapes afterwards."""
        super().__init__(
            location=location,
            tiles=None,
            prefer_canvas=True,
            attribution_control=False,
            zoom_snap=0.25,
            min_zoom=5,
            max_zoom=17,
        )
        self.default_js = []
        self.default_css = []
        self._id = "menpai"  # not a random one: the same counts give the same bytes


@cache
def text(name: str) -> str:
    """Read a file of this room."""
    return resources.files("maps").joinpath(name).read_text(encoding="utf-8")


@cache
def leaflet_script() -> str:
    """Give Leaflet with its licence, without the source map and the link of its attribution: neither is used."""
    licence = text("vendor/leaflet/LICENSE").replace("*/", "")
    script = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text("vendor/leaflet/leaflet.js"))
    script = script.replace("https://leafletjs.com", "")
    return f"/*\n{licence}*/\n{script.strip()}"


@cache
def leaflet_style() -> str:
    """Give Leaflet's style without its pictures (layer switch, marker): a map of ours has neither."""
    return re.sub(r"url\([^)]*\)", "none", re.sub(r"(?s)/\*.*?\*/", "", text("vendor/leaflet/leaflet.css")))
