"""The font of maps on paper: one with Chinese letters, found on this machine and put into the file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gis.errors import NoFont

FILES: Final = (
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "STHeiti Light.ttc",
)
"""The best first: with TrueType outlines, which a PDF can hold as letters that are found and copied."""
FOLDERS: Final = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("/System/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)


def find_font(more: Iterable[Path] = ()) -> Path:
    """Return the file of a Chinese font in the system's folders or in ``more``; raises NoFont."""
    found: dict[str, Path] = {}
    for folder in (*FOLDERS, *more):
        for path in folder.rglob("*.tt?"):
            found.setdefault(path.name, path)
    for name in FILES:
        if name in found:
            return found[name]
    raise NoFont
