"""Chromium, for the tests that look at pages, and the Chinese font of pages and maps.

Unpacked programs get scripts that tell them where their libraries lie.
"""

import ctypes
import os
import shutil
from pathlib import Path

import debian
from dependencies import VENV
from ground import PACKAGES, VAR

FONT_PACKAGE = "fonts-wqy-microhei"
FONT = Path("usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
SCRIPTS = VAR / "bin"
FONTS_CONF = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{packages}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{var}/fonts</cachedir></fontconfig>
"""


def missing() -> list[str]:
    """Return the packages that the browser tests still need."""
    wanted = {"chromium": _chromium() is None, "libatomic1": not _atomic()}
    return [name for name, is_missing in wanted.items() if is_missing]


def font_missing() -> bool:
    """Tell whether the Chinese font must be brought here: pages are looked at with it, maps are lettered with it."""
    return not any((root / FONT).exists() for root in (Path("/"), PACKAGES))


def settings() -> dict[str, str]:
    """Return the variables that tell the tests which browser to start, and Playwright how to start its node."""
    chromium = _chromium()
    told = {"MENPAI_CHROMIUM": chromium} if chromium else {}
    if not _loads("libatomic.so.1"):
        nodes = sorted((VENV / "lib").glob("python3.*/site-packages/playwright/driver/node"))
        told |= {"PLAYWRIGHT_NODEJS_PATH": _script("node", nodes[0], {})} if nodes else {}
    return told


def _chromium() -> str | None:
    chosen = os.environ.get("MENPAI_CHROMIUM")
    for name in (chosen, "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found and not Path(found).is_relative_to(SCRIPTS):
            return found
    unpacked = PACKAGES / "usr" / "lib" / "chromium" / "chromium"
    if not unpacked.exists():
        return None
    conf = SCRIPTS / "fonts.conf"
    SCRIPTS.mkdir(exist_ok=True)
    conf.write_text(FONTS_CONF.format(packages=PACKAGES, var=VAR))
    return _script("chromium", unpacked, {"FONTCONFIG_FILE": str(conf)})


def _script(name: str, program: Path, variables: dict[str, str]) -> str:
    """Write a script that starts an unpacked program with its own libraries, which nothing else should see."""
    SCRIPTS.mkdir(exist_ok=True)
    script = SCRIPTS / name
    lines = [f"{key}='{value}'" for key, value in (debian.relocated() | variables).items()]
    script.write_text(f"#!/bin/sh\n{' '.join(lines)} exec '{program}' \"$@\"\n")
    script.chmod(0o755)
    return str(script)


def _atomic() -> bool:
    return _loads("libatomic.so.1") or any((PACKAGES / "usr" / "lib").glob("*/libatomic.so.1"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
