"""How Menpai's maps look: the colours of classes, the words of categories, the fonts of labels."""

from typing import Final

from gis.terms import Category

FONTS: Final = (
    '"Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", '
    '"WenQuanYi Zen Hei", "Noto Sans", "Helvetica Neue", Arial, sans-serif'
)
"""CSS font stack: what a Chinese desktop has, then the small free font of a bare Debian."""

# Lightness falls by equal steps in OKLCH while the hue runs from yellow to blue: the order survives every common
# colour blindness and a grey print. Computed once from L .94 to .30.
_RAMP: Final = ("#f4eeb4", "#cde098", "#80c99a", "#31a5a5", "#1c77a3", "#2d498b", "#2b2061")

MOST_CLASSES: Final = 9
"""More classes than this nobody tells apart."""

ALL_ZH: Final = "全部居民"
ALL_EN: Final = "all residents"


def sequential(classes: int) -> list[str]:
    """Give the colours of ``classes`` classes, lightest first, as ``#rrggbb``.

    Raises ValueError when ``classes`` is not within 1 and :data:`MOST_CLASSES`.
    """
    if not 1 <= classes <= MOST_CLASSES:
        message = f"A map has between 1 and {MOST_CLASSES} classes, not {classes}."
        raise ValueError(message)
    if classes == 1:
        return [_RAMP[3]]
    return [_between(position / (classes - 1)) for position in range(classes)]


def _between(share: float) -> str:
    """Colour at ``share`` (0 to 1) of the ramp, mixed from its two neighbours."""
    place = share * (len(_RAMP) - 1)
    left = min(int(place), len(_RAMP) - 2)
    mix = place - left
    pairs = zip(_channels(_RAMP[left]), _channels(_RAMP[left + 1]), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * mix):02x}" for low, high in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (0 black to 1 white): what is left of a colour in a grey print."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    """Undo the sRGB curve of one channel."""
    knee = 0.04045
    return channel / 12.92 if channel <= knee else float(((channel + 0.055) / 1.055) ** 2.4)


def words_of(category: Category | None) -> tuple[str, str]:
    """Chinese and English name of a category of residents; None is everybody."""
    return (ALL_ZH, ALL_EN) if category is None else (category.zh, category.en)


def written(value: float) -> str:
    """Write a number for a reader: thousands apart, and no more digits than it deserves."""
    many, some = 100, 1
    if value == int(value) or value >= many:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= some else f"{value:.2g}"
