"""What the words of a road file mean: who may pass, which way, and how fast (pure).

The rules are those of OpenStreetMap's wiki (Key:access, Key:oneway, Key:maxspeed, Key:barrier) as OSRM's and
Valhalla's profiles read them; where they differ, the reading that promises a council less is taken.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from gis.terms import RoadClass

Tags = Mapping[str, str | None]
_MOTOR_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
_FOOT_KEYS = ("foot", "access")
_CLOSED = {"no", "private", "agricultural", "forestry", "delivery", "emergency", "military", "psv", "bus", "permit"}
_FOOT_CLOSED = {"no", "private", "military"}
_OPENED = {"yes", "designated", "permissive", "destination", "official"}
_ON_FOOT_ONLY = {
    RoadClass.PEDESTRIAN,
    RoadClass.FOOTWAY,
    RoadClass.STEPS,
    RoadClass.PATH,
    RoadClass.CYCLEWAY,
    RoadClass.BRIDLEWAY,
}
_NO_PLACE_TO_WALK = {RoadClass.MOTORWAY, RoadClass.MOTORWAY_LINK}
_LETS_CARS_PASS = {
    *("gate", "lift_gate", "swing_gate", "sliding_gate", "toll_booth", "border_control", "cattle_grid", "entrance"),
    *("sally_port", "height_restrictor", "kerb", "bump_gate", "hampshire_gate", "checkpoint", "no", "arch"),
}
_STOPS_EVERYBODY = {"wall", "fence", "hedge", "retaining_wall", "city_wall", "ditch", "guard_rail", "jersey_barrier"}
_FORWARD = {"yes", "true", "1", "f", "ft"}
_BACKWARD = {"-1", "reverse", "t", "tf"}
_TWO_WAY = {"no", "false", "0", "b", "n", "alternating"}
_CHANGING = {"reversible"}
_KMH = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z/]*)")
_ZONE = re.compile(r"zone:?(\d+)")
_BY_PLACE_KMH = {"urban": 50.0, "walk": 7.0, "living_street": 10.0}
_BY_LAW_KMH = {"cn:urban": 50.0, "cn:rural": 70.0, "cn:motorway": 120.0, "cn:trunk": 80.0}
"""Regulation on the Road Traffic Safety Law, Articles 45 and 78: one lane each way, where signs say nothing else."""
_FASTEST_KMH = 150.0


def road_class(word: str | None) -> RoadClass | None:
    """Return what a road is, None for what is no road that stands (a platform, a proposal, a ferry).

    Geofabrik's classes of tracks (``track_grade1``) and osmnx's lists (``['residential', 'service']``) are read too;
    a row without a class is a road of unknown class.
    """
    if word is None or not word.strip():
        return RoadClass.ROAD
    first = re.split(r"[,;]", word.strip().lower().strip("[]"))[0].strip(" '\"")
    first = "track" if first.startswith("track_grade") else "road" if first == "unknown" else first
    return RoadClass(first) if first in set(RoadClass) else None


def one_way(tags: Tags, kind: RoadClass) -> int | None:
    """Return 1 for driving along the line only, -1 against it only, 0 for both; None where it changes by the hour."""
    word = (tags.get("oneway") or "").strip().lower()
    if word in _CHANGING:
        return None
    if word in _BACKWARD:
        return -1
    if word in _FORWARD:
        return 1
    round_about = (tags.get("junction") or "") in {"roundabout", "circular"}
    implied = round_about or kind is RoadClass.MOTORWAY
    return int(implied and word not in _TWO_WAY)


def may_drive(tags: Tags, kind: RoadClass) -> bool:
    """Tell whether any car may pass along."""
    if kind in _ON_FOOT_ONLY:
        return _first(tags, _MOTOR_KEYS[:-1]) in _OPENED
    return _first(tags, _MOTOR_KEYS) not in _CLOSED


def may_walk(tags: Tags, kind: RoadClass) -> bool:
    """Tell whether anybody may walk along."""
    if tags.get("foot") in _OPENED:
        return True
    if kind in _NO_PLACE_TO_WALK or tags.get("motorroad") == "yes":
        return False
    return _first(tags, _FOOT_KEYS) not in _FOOT_CLOSED


def lets_cars_pass(tags: Tags) -> bool:
    """Tell whether cars pass a barrier: what its tags say, else what its kind is known for."""
    if tags.get("locked") == "yes":
        return False
    said = _first(tags, _MOTOR_KEYS)
    if said is not None:
        return said not in _CLOSED and (said != "customers" or tags.get("barrier") in _LETS_CARS_PASS)
    return (tags.get("barrier") or "no") in _LETS_CARS_PASS


def lets_walkers_pass(tags: Tags) -> bool:
    """Tell whether walkers pass a barrier."""
    said = _first(tags, _FOOT_KEYS)
    if said is not None:
        return said not in _FOOT_CLOSED
    return tags.get("locked") != "yes" and tags.get("barrier") not in _STOPS_EVERYBODY


@lru_cache(maxsize=4096)
def speed_limit_kmh(word: str | None) -> float | None:
    """Return a posted limit in km/h (``50``, ``50 mph``, ``CN:urban``), None for what says nothing certain.

    Of several (``50;30``) the lowest counts. ``none``, ``signals`` and 0 (a file's “unknown”) are no limit.
    """
    found = [limit for part in re.split(r"[;|]", word or "") if (limit := _one_limit(part.strip().lower())) is not None]
    return min(found, default=None)


def _one_limit(word: str) -> float | None:
    """Return the limit that one word stands for."""
    match = _SPEED.fullmatch(word)
    if match:
        factor = _KMH.get(match[2])
        kmh = float(match[1]) * factor if factor else 0.0
        return kmh if 0 < kmh <= _FASTEST_KMH else None
    if word in _BY_LAW_KMH:
        return _BY_LAW_KMH[word]
    place = word.partition(":")[2] or word
    zone = _ZONE.fullmatch(place)
    return float(zone[1]) if zone else _BY_PLACE_KMH.get(place)


def _first(tags: Tags, keys: tuple[str, ...]) -> str | None:
    """Return the value of the first of the keys that is there: the narrower key overrides the wider."""
    return next((value for key in keys if (value := tags.get(key))), None)
