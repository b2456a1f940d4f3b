"""The sample goes through the doors that every file goes through, and all of it arrives."""

import psycopg
import pytest

from api.sampling import SOURCE, Tally, load_sample
from gis import numbering
from gis.errors import UnknownDivision


@pytest.mark.usefixtures("database")
class TestLoading:
    """A county of fiction into an empty register."""

    def test_every_building_and_every_resident_is_registered_and_nothing_waits(self) -> None:
        heard: list[int] = []
        summary = load_sample(county=640106, residents=900, seed=3, on_progress=lambda _, done: heard.append(done))
        assert summary.residents == Tally(registered=900)
        assert summary.buildings == Tally(registered=summary.buildings.registered)
        assert sum(heard) == 900

    def test_the_same_sample_again_changes_nothing(self) -> None:
        first = load_sample(county=640522, residents=400, seed=3)
        again = load_sample(county=640522, residents=400, seed=3)
        assert again.buildings == Tally(unchanged=first.buildings.registered)
        assert again.residents == Tally(unchanged=400)

    def test_every_county_gets_its_part(self) -> None:
        summary = load_sample(county=None, residents=440, seed=3)
        assert summary.counties == 22
        assert summary.residents == Tally(registered=440)

    def test_a_code_that_is_no_county_loads_nothing(self) -> None:
        with pytest.raises(UnknownDivision):
            load_sample(county=110101, residents=10, seed=3)


def test_numbers_of_a_sample_are_test_numbers_and_its_sheds_have_premises(database: str) -> None:
    load_sample(county=640302, residents=3000, seed=3)
    with psycopg.connect(database) as connection:
        numbers = connection.execute("SELECT number FROM reg.buildings").fetchall()
        sheds = connection.execute(
            "SELECT count(*), count(premises_id), count(expires_on) FROM reg.buildings WHERE kind = 'work_shed'"
        ).fetchone()
        sources = connection.execute("SELECT name FROM reg.sources ORDER BY name").fetchall()
    assert all(numbering.is_valid(str(number)) and str(number).startswith("9") for (number,) in numbers)
    assert sheds is not None
    assert sheds[0] == sheds[1] == sheds[2] > 0
    assert [name for (name,) in sources] == [SOURCE, f"{SOURCE} 640302 3"]
