"""How fast addresses are matched, in what memory, and beside Splink: ``menpai match`` end to end on invented files.

Splink gets what it needs to do well: the same cleaned addresses cut into number, compound, street and building,
blocking rules on each, and trained weights; which of its thresholds is best is for the reader to say.
Run it with ``make bench ARGS=tests/bench/bench_match.py``; it takes some minutes.
"""

import csv
import re
import resource
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from api.matching import Files, Match
from data.fiction import handwriting, settlements
from gis.addresses.cleaning import clean_many
from gis.addresses.reading import elements
from gis.register.matching.naming import gazetteer

COUNTIES = (640104, 640106, 640121, 640205, 640402, 640424, 640502, 640522)
ROWS, BUILDINGS = 1_000_000, 200_000
MOST_BUILDINGS = 2_000_000
PEER_ROWS, PEER_BUILDINGS = 60_000, 60_000
THRESHOLDS = (0.1, 0.5, 0.9, 0.99, 0.999)
MOST_MB = 1_500
Columns = list[dict[str, str | None]]


def bench_a_million_rows_end_to_end(tmp_path: Path) -> None:
    """Print rows a second of process time of the whole command, files in, file out, index included."""
    files = write(tmp_path, settlements.register(1, COUNTIES, BUILDINGS), ROWS)
    seconds, peak_mb = command(files, tmp_path / "links.csv")
    print(
        f"menpai match: {ROWS / seconds:,.0f} rows/s for {ROWS:,} rows and {BUILDINGS:,} buildings, {peak_mb:,.0f} MB"
    )
    print(f"ten million additions took {yardstick():.2f} s of process time: the slower the machine, the longer")


def bench_two_million_buildings_in_memory(tmp_path: Path) -> None:
    """Print the highest memory of the whole command against a register of the whole region and more."""
    town = settlements.register(1, COUNTIES, BUILDINGS)
    files = write(tmp_path, town, 50_000)
    with files.register.open("a", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        serial = len(town.homes)
        for again in range(1, MOST_BUILDINGS // BUILDINGS):
            for home in settlements.register(1 + again, COUNTIES, BUILDINGS).homes:
                serial += 1
                lines.writerow((f"9{serial:011d}", home.address, home.entrances, home.floors, home.rooms, "active"))
    seconds, peak_mb = command(files, tmp_path / "links.csv")
    print(f"menpai match: {peak_mb:,.0f} MB for {serial:,} buildings, {seconds:.0f} s of process time")
    assert peak_mb <= MOST_MB


def bench_beside_splink(tmp_path: Path) -> None:
    """Print throughput, precision and recall of both on one smaller set."""
    pytest.importorskip("splink")
    town = settlements.register(3, COUNTIES, PEER_BUILDINGS)
    rows = list(handwriting.roster(town, 4, PEER_ROWS))
    ours, seconds = our_links(tmp_path, town)
    tell("menpai", ours, rows, seconds)
    for how, cut_up in (("our grammar's columns", parts), ("columns by regular expressions", plain_parts)):
        theirs, their_seconds = splink_links(town, rows, cut_up)
        print(f"splink on {how}: menpai has {their_seconds / seconds:.1f} times its throughput")
        for threshold in THRESHOLDS:
            links = {row: home for row, (home, p) in theirs.items() if p >= threshold}
            tell(f"  splink p≥{threshold}", links, rows, their_seconds)


def yardstick() -> float:
    """Return the process time of a plain loop: a crowded machine is slow in its process time too."""
    start = time.process_time()
    total = 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - start


def command(files: Files, out: Path) -> tuple[float, float]:
    """Run ``menpai match`` as a process of its own; returns its process time in seconds and its peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "api.cli", "match", str(files.roster), "--register", str(files.register),
         "--former-names", str(files.former_names), "--out", str(out)], check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 1024


def write(folder: Path, town: settlements.Town, rows: int) -> Files:
    """Write the register and a roster of distinct addresses, each of them used until there are enough rows."""
    register, roster, names = folder / "register.csv", folder / "roster.csv", folder / "names.csv"
    with register.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["building_no", "standard_address", "units", "floors", "rooms_per_floor", "status"])
        lines.writerows(
            (
                home.number,
                home.address,
                home.entrances,
                home.floors,
                home.rooms,
                "active" if home.active else "demolished",
            )
            for home in town.homes
        )
    with roster.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["occupant_id", "address", "hukou_code"])
        for row in handwriting.roster(town, 2, rows):
            lines.writerow((row.occupant_id, row.address, "620102"))
    with names.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["county_code", "current_name", "former_name"])
        lines.writerows(town.former)
    return Files(roster, register, names)


def our_links(folder: Path, town: settlements.Town) -> tuple[dict[str, str], float]:
    """Return our links by occupant id, and the process time they took."""
    place = folder / "peer"
    place.mkdir()
    files = write(place, town, 0)
    with files.roster.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["occupant_id", "address"])
        lines.writerows((row.occupant_id, row.address) for row in handwriting.roster(town, 4, PEER_ROWS))
    start = time.process_time()
    run = Match(files)
    run.open()
    links = {line[0]: line[1] for linked in run.rows() for line in linked.links if line[1]}
    return links, time.process_time() - start


def splink_links(
    town: settlements.Town, rows: list[handwriting.Written], cut_up: Callable[[list[str], list[str]], Columns]
) -> tuple[dict[str, tuple[str, float]], float]:
    """Return Splink's best building for each row with its probability, and the process time it took."""
    import pandas as pd  # noqa: PLC0415 - only where the peer is measured
    import splink.comparison_library as cl  # noqa: PLC0415
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    start = time.process_time()
    left = pd.DataFrame(cut_up([row.occupant_id for row in rows], [row.address for row in rows]))
    right = pd.DataFrame(cut_up([home.number for home in town.homes], [home.address for home in town.homes]))
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="unique_id",
        comparisons=[
            cl.ExactMatch("county"),
            cl.JaroWinklerAtThresholds("community", [0.9, 0.8]),
            cl.JaroWinklerAtThresholds("place", [0.9, 0.8]),
            cl.ExactMatch("number"),
            cl.JaroWinklerAtThresholds("compound", [0.9, 0.8]),
            cl.ExactMatch("building"),
            cl.ExactMatch("zone"),
            cl.ExactMatch("grp"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("place", "number"),
            block_on("compound", "building"),
            block_on("community", "grp", "number"),
        ],
    )
    engine = DuckDBAPI()
    linker = Linker([engine.register(left), engine.register(right)], settings)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("place", "number", "compound", "building")], recall=0.5
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("place", "number"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("compound", "building"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("community", "number"))
    found = linker.inference.predict(threshold_match_probability=0.1).as_pandas_dataframe()
    best = found.sort_values("match_probability").drop_duplicates("unique_id_l", keep="last")
    ids = {row.occupant_id for row in rows}
    links = {
        (one if one in ids else other): (other if one in ids else one, probability)
        for one, other, probability in zip(
            best["unique_id_l"], best["unique_id_r"], best["match_probability"], strict=True
        )
    }
    return links, time.process_time() - start


PLAIN = re.compile(
    "^(?:宁夏(?:回族)?(?:自治区)?)?(?:[一-鿿]{2,3}市)?(?P<county>[一-鿿]{2,4}?[区县市])?(?:[一-鿿]{2,8}?(?:街道(?:办事处|办)?|镇|乡))?"
    "(?P<community>[一-鿿]{2,10}?(?:社区|居委会|村委会|村))?(?:居委会|委会|民委员会|居民委员会)?"
    "(?:(?P<grp>[一二三四五六七八九十0-9]+)(?:组|队|社|村民小组))?"
    "(?P<place>[一-鿿]{2,8}?(?:路|街|巷|大道))?(?:(?P<number>[甲乙]?[0-9一二三四五六七八九十百零]+(?:-[0-9]+)?)(?:号院?|#))?"
    "(?:(?P<compound>[一-鿿]{2,20}?)?(?P<zone>[一二三A-Z0-9东西南北][期区])?"
    "(?P<building>[0-9一二三四五六七八九十]+|[A-Z])(?:号楼|[幢栋座#-]楼?|号(?:集装箱|板)房|排板房))?"
)


def plain_parts(ids: list[str], addresses: list[str]) -> Columns:
    """Return addresses cut into the same columns by the regular expression that somebody writes in an afternoon."""
    found = (
        (key, PLAIN.match(unicodedata.normalize("NFKC", text).upper()))
        for key, text in zip(ids, addresses, strict=True)
    )
    return [{"unique_id": key, **(match.groupdict() if match else {})} for key, match in found]


def parts(ids: list[str], addresses: list[str]) -> Columns:
    """Return addresses cut into columns by the same grammar, for Splink to compare."""
    from data import reference  # noqa: PLC0415

    names = gazetteer(reference.divisions(), reference.changes())
    cut = []
    for key, text in zip(ids, clean_many(addresses), strict=True):
        divisions = names.read(text)
        read = next(elements(divisions.rest), None)
        values = read._asdict() if read else {}
        cut.append(
            {
                "unique_id": key,
                "county": divisions.county or None,
                "community": divisions.community or None,
                "grp": values.get("group") or None,
            }
            | {name: values.get(name) or None for name in ("place", "number", "compound", "zone", "building")}
        )
    return cut


def tell(who: str, links: dict[str, str], rows: list[handwriting.Written], seconds: float) -> None:
    """Print one line about a set of links."""
    truth = {row.occupant_id: row for row in rows}
    right = sum(home == truth[row].number for row, home in links.items())
    should = sum(row.expect == "link" for row in rows)
    hit = sum(row.expect == "link" and links.get(row.occupant_id) == row.number for row in rows)
    precision, recall = right / max(1, len(links)), hit / should
    print(f"{who}: {len(rows) / seconds:,.0f} rows/s, precision {precision:.4f}, recall {recall:.4f}")
