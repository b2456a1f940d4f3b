"""``menpai match``: a roster's addresses against a register's, without a database."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click
from tqdm import tqdm

from api.commands import results
from api.commands.options import TermChoice, existing_file
from api.matching import Files, Match
from gis.errors import BadArgument
from gis.residents.linking import CANDIDATES, LINKS
from gis.terms import Datum, MatchOutcome


@click.command("match")
@click.argument("roster", metavar="ROSTER.csv", type=existing_file)
@click.option("--register", metavar="REGISTER.csv", type=existing_file, required=True, help="The register's buildings.")
@click.option("--former-names", metavar="NAMES.csv", type=existing_file, help="Names that were, by county.")
@click.option(
    "--out", metavar="LINKS.csv", type=click.Path(path_type=Path), required=True, help="What became of each row."
)
@click.option("--candidates", metavar="FILE.csv", type=click.Path(path_type=Path), help="Candidates of rows in review.")
@click.option(
    "--datum", type=TermChoice(Datum), help="Datum of the roster's lon and lat; without it they are not used."
)
def match(  # noqa: PLR0913, PLR0917 - each is an option of the contract
    roster: Path, register: Path, former_names: Path | None, out: Path, candidates: Path | None, datum: Datum | None
) -> int:
    """Link each row of ROSTER to the one building of REGISTER that it means; exit 1 where some rows need a person."""
    for target in (out, candidates):
        for source in (roster, register, former_names):
            results.check_writable(target, source)
    if candidates is not None and candidates.resolve() == out.resolve():
        raise BadArgument(why="--out and --candidates name the same file")
    run = Match(Files(roster, register, former_names, datum))
    run.open()
    _tell_what_is_left_out(run)
    with ExitStack() as stack:
        write = stack.enter_context(results.streamed(out, LINKS))
        write_candidates = stack.enter_context(results.streamed(candidates, CANDIDATES)) if candidates else None
        bar = stack.enter_context(tqdm(unit=" rows", disable=not sys.stderr.isatty(), leave=False))
        for linked in run.rows():
            bar.update(len(linked.links))
            write([(results.guarded_text(line[0]), *line[1:]) for line in linked.links])
            if write_candidates:
                write_candidates([(results.guarded_text(line[0]), *line[1:]) for line in linked.candidates])
    return _tell(run)


def _tell_what_is_left_out(run: Match) -> None:
    """Say once what of the files is not used."""
    if run.ignored:
        click.echo(f"忽略的列 columns ignored: {', '.join(map(repr, run.ignored))}", err=True)
    if run.unreadable_buildings:
        click.echo(f"登记表有 {run.unreadable_buildings:,} 行无法读取 rows of the register cannot be read", err=True)


def _tell(run: Match) -> int:
    """Print one line of sums and return the exit code: 1 where some rows need a person."""
    counts = " · ".join(f"{outcome.zh} {run.outcomes[outcome]:,} {outcome.value}" for outcome in MatchOutcome)
    click.echo(f"{counts} · 共 {run.outcomes.total():,} rows")
    return int(run.outcomes.total() > run.outcomes[MatchOutcome.LINKED])
