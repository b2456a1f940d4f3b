"""Statistics: released counts of divisions by category, and what changed between two releases.

Everything comes from ``pub``, so it has passed the disclosure gate; a change is the difference of two counts that are
both shown, and there is none where either is withheld.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa
from sqlalchemy import Connection, text

from gis.register import divisions

Level: TypeAlias = Literal["province", "prefecture", "county", "township", "village"]
COLUMNS: Final = pa.schema(
    [
        ("release", pa.date32()),
        ("division", pa.string()),
        ("name", pa.string()),
        ("level", pa.string()),
        ("category", pa.string()),
        ("n", pa.int64()),
        ("withheld", pa.bool_()),
        ("noise_sd", pa.float64()),
        ("since", pa.date32()),
        ("n_since", pa.int64()),
        ("withheld_since", pa.bool_()),
        ("change", pa.int64()),
        ("change_noise_sd", pa.float64()),
        ("growth", pa.float64()),
    ]
)
"""n, n_since and change are residents; noise_sd and change_noise_sd standard deviations of their noise, the latter
as if the noise of two releases were independent (where nobody moved it is the same, and cancels); growth is a share
of n_since.
"""


def counts(  # noqa: PLR0913 - each is a part of the question
    connection: Connection,
    release: dt.date,
    since: dt.date | None,
    categories: Sequence[str],
    *,
    level: Level | None = None,
    division: int | None = None,
) -> pa.Table:
    """Return the counts of a release beside those of an earlier one, one row a division and category, by COLUMNS.

    What only one of the two releases knows has no number in the other and no change.
    """
    low, high = divisions.extent(division) if division else (0, 10**12)
    rows = connection.execute(
        text(
            "WITH counted AS (SELECT * FROM pub.division_counts WHERE category = ANY(:categories)"
            " AND division_code >= :low AND division_code < :high),"
            " present AS (SELECT * FROM counted WHERE release = :release),"
            " past AS (SELECT * FROM counted WHERE release = CAST(:since AS date))"
            " SELECT CAST(:release AS date) AS release, d.code::text AS division, d.name, d.level,"
            " coalesce(present.category, past.category) AS category, present.n, present.withheld,"
            " CAST(present.noise_sd AS double precision) AS noise_sd, CAST(:since AS date) AS since,"
            " past.n AS n_since, past.withheld AS withheld_since, present.n - past.n AS change,"
            " sqrt(power(present.noise_sd, 2) + power(past.noise_sd, 2)) AS change_noise_sd,"
            " CAST(present.n - past.n AS double precision) / nullif(past.n, 0) AS growth"
            " FROM present FULL JOIN past USING (division_code, category)"
            " JOIN reg.divisions d ON d.code = division_code"
            " WHERE CAST(:level AS text) IS NULL OR d.level = :level ORDER BY d.code, category"
        ),
        {
            "release": release,
            "since": since,
            "categories": list(categories),
            "level": level,
            "low": low,
            "high": high,
        },
    ).mappings()
    told: list[dict[str, Any]] = [dict(row) for row in rows]
    return pa.Table.from_pylist(told, schema=COLUMNS)
