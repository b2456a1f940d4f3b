"""What the words of a road file mean, one by one."""

import pytest

from gis.register import road_tags
from gis.terms import RoadClass


@pytest.mark.parametrize(
    ("word", "kmh"),
    [
        *[("50", 50), ("50 km/h", 50), ("30.5", 30.5), ("50 mph", 80.4672), ("50mph", 80.4672), ("50;30", 30)],
        *[("CN:urban", 50), ("CN:rural", 70), ("CN:motorway", 120), ("DE:urban", 50), ("FR:zone30", 30)],
        *[("DE:zone:20", 20), ("walk", 7), ("DE:living_street", 10), ("DE:rural", None), ("50|60", 50)],
        *[("none", None), ("signals", None), ("variable", None), ("0", None), ("-5", None), ("999", None)],
        *[("", None), (None, None), ("fast", None), ("5e1", None), ("nan", None)],
    ],
)
def test_a_speed_limit_is(word: str | None, kmh: float | None) -> None:
    assert road_tags.speed_limit_kmh(word) == (None if kmh is None else pytest.approx(kmh))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *[("residential", RoadClass.RESIDENTIAL), ("Residential", RoadClass.RESIDENTIAL), (None, RoadClass.ROAD)],
        *[("track_grade3", RoadClass.TRACK), ("unknown", RoadClass.ROAD), ("", RoadClass.ROAD)],
        *[("['primary', 'secondary']", RoadClass.PRIMARY), ('["steps"]', RoadClass.STEPS)],
        *[("platform", None), ("proposed", None), ("construction", None), ("ferry", None), ("corridor", None)],
    ],
)
def test_a_class_is(word: str | None, kind: RoadClass | None) -> None:
    assert road_tags.road_class(word) is kind


@pytest.mark.parametrize(
    ("tags", "kind", "way"),
    [
        ({}, RoadClass.RESIDENTIAL, 0),
        ({"oneway": "yes"}, RoadClass.RESIDENTIAL, 1),
        ({"oneway": "True"}, RoadClass.RESIDENTIAL, 1),
        ({"oneway": "-1"}, RoadClass.RESIDENTIAL, -1),
        ({"oneway": "F"}, RoadClass.RESIDENTIAL, 1),
        ({"oneway": "T"}, RoadClass.RESIDENTIAL, -1),
        ({"oneway": "B"}, RoadClass.RESIDENTIAL, 0),
        ({"junction": "roundabout"}, RoadClass.TERTIARY, 1),
        ({"junction": "roundabout", "oneway": "-1"}, RoadClass.TERTIARY, -1),
        ({"junction": "roundabout", "oneway": "no"}, RoadClass.TERTIARY, 0),
        ({}, RoadClass.MOTORWAY, 1),
        ({"oneway": "no"}, RoadClass.MOTORWAY, 0),
        ({}, RoadClass.MOTORWAY_LINK, 0),
        ({"oneway": "alternating"}, RoadClass.SERVICE, 0),
        ({"oneway": "reversible"}, RoadClass.PRIMARY, None),
    ],
)
def test_a_direction_is(tags: dict[str, str], kind: RoadClass, way: int | None) -> None:
    assert road_tags.one_way(tags, kind) == way


@pytest.mark.parametrize(
    ("tags", "kind", "driven", "walked"),
    [
        ({}, RoadClass.RESIDENTIAL, True, True),
        ({}, RoadClass.MOTORWAY, True, False),
        ({"motorroad": "yes"}, RoadClass.TRUNK, True, False),
        ({}, RoadClass.FOOTWAY, False, True),
        ({"motor_vehicle": "yes"}, RoadClass.PEDESTRIAN, True, True),
        ({"access": "yes"}, RoadClass.FOOTWAY, False, True),
        ({"access": "private"}, RoadClass.SERVICE, False, False),
        ({"access": "no", "foot": "yes"}, RoadClass.SERVICE, False, True),
        ({"access": "no", "motor_vehicle": "destination"}, RoadClass.SERVICE, True, False),
        ({"motor_vehicle": "yes", "motorcar": "no"}, RoadClass.SERVICE, False, True),
        ({"motor_vehicle": "agricultural"}, RoadClass.TRACK, False, True),
        ({"foot": "no"}, RoadClass.TRUNK, True, False),
    ],
)
def test_a_way_is_open(tags: dict[str, str], kind: RoadClass, *, driven: bool, walked: bool) -> None:
    assert (road_tags.may_drive(tags, kind), road_tags.may_walk(tags, kind)) == (driven, walked)


@pytest.mark.parametrize(
    ("tags", "cars", "walkers"),
    [
        ({"barrier": "gate"}, True, True),
        ({"barrier": "gate", "access": "private"}, False, False),
        ({"barrier": "gate", "locked": "yes"}, False, False),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, False, True),
        ({"barrier": "bollard"}, False, True),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, True, True),
        ({"barrier": "toll_booth"}, True, True),
        ({"barrier": "wall"}, False, False),
        ({"barrier": "turnstile"}, False, True),
    ],
)
def test_a_barrier_lets_pass(tags: dict[str, str], *, cars: bool, walkers: bool) -> None:
    assert (road_tags.lets_cars_pass(tags), road_tags.lets_walkers_pass(tags)) == (cars, walkers)
