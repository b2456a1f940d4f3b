"""``menpai export``: structures of the register as a file, without anybody who lives in them."""

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import shapely
from tqdm import tqdm

from api.commands import results
from api.commands.options import TermChoice, existing_file
from api.trials import is_fictional
from data import layers as files
from data import sources
from gis.errors import BadArgument
from gis.register import divisions
from gis.register.extracts import LAYERS, Extract, extract
from gis.store import session
from gis.terms import Datum


@click.command("export")
@click.argument("layers", nargs=-1, required=True, type=click.Choice(list(LAYERS)), metavar="LAYER…")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT.gpkg|.geojson|.geojsonl|.fgb|.parquet|.kml|.csv")
@click.option("--division", metavar="CODE", help="Only this division; without it the whole register.")
@click.option("--area", type=existing_file, metavar="FILE", help="Only what meets the shapes of a file.")
@click.option("--crs", type=int, metavar="EPSG", help="Reference system; 4490 where the format leaves a choice.")
@click.option("--datum", type=TermChoice(Datum), help="Shift the coordinates for a receiver's map.")
def export(  # noqa: PLR0913 - each is an option of the contract
    layers: tuple[str, ...], out: Path, *, division: str | None, area: Path | None, crs: int | None, datum: Datum | None
) -> None:
    """Write buildings, dwellings, premises or divisions as a file; a .gpkg takes several layers."""
    code = None if division is None else divisions.parse_code(division)
    within = None if area is None else _shape_of(area)
    files.check(out, len(layers), files.Target(crs, datum))
    results.check_writable(out)
    bar = tqdm(desc="导出 export", unit=" rows", disable=not sys.stderr.isatty(), leave=False)
    with session.open("public") as connection, bar:
        invented = "（虚构样本 fictional sample）" if is_fictional(connection) else ""
        about = {
            "source": f"门牌登记 Menpai register{invented}",
            "date": dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date().isoformat(),
            "division": division or "",
            "datum": datum.value if datum else "",
        }

        def chosen() -> Iterator[Extract]:
            for name in dict.fromkeys(layers):
                found = extract(connection, LAYERS[name], division=code, area=within)
                bar.reset(found.rows)
                yield found

        many = files.write(out, chosen(), files.Target(crs, datum, about), bar.update)
    click.echo(f"{out}: {many:,} rows 行")


def _shape_of(path: Path) -> shapely.Geometry:
    """Return the shapes of a file as one; raises BadArgument where it has none, and what its reader raises."""
    column = sources.read_columns(path, sources.READERS, layer=None, datum=None)["geometry"]
    shapes = [shapely.from_wkb(blob) for blob in column.to_pylist() if blob]
    if not shapes:
        raise BadArgument(why=f"{path} holds no shape to go by")
    return shapely.union_all(shapes)
