"""What of a plan leaves the program: every sum of people to the nearest ten and none under ten (rights.md, 8).

Times are means over at least ten people, to a tenth of a minute. What is written here is all that is stored, drawn,
printed or sent.
"""

from typing import Any, Final

import numpy as np
from sqlalchemy import text

from gis.planning.disclosure import shown
from gis.planning.plans.making import MINUTE_S, SLOWER_AND_FASTER, Floats, Made
from gis.planning.plans.questions import Question
from gis.store import session

WORST_SHARE: Final = 0.1
DIGITS_OF_A_DEGREE: Final = 5
MODELS: Final = {
    "p-median": ("平均路程最短", "shortest mean way"),
    "p-center": ("最远路程最短", "shortest longest way"),
    "max-cover": ("覆盖人数最多", "most people within reach"),
    "set-cover": ("全部覆盖、处数最少", "fewest sites that reach everybody"),
}
STATUSES: Final = {
    "optimal": ("已证明最优", "proven to be the best"),
    "feasible": ("未证明最优", "not proven to be the best"),
    "time_limit": ("到时限为止，未证明最优", "the time limit ended the search; not proven to be the best"),
}


def published(made: Made) -> dict[str, Any]:
    """Return a plan as it may be kept and shown: JSON types only."""
    question, people = made.question, made.demand
    total = float(people.residents.sum())
    way_s = made.least_s
    there = np.isfinite(way_s)
    return {
        "kind": {"code": question.kind.code, "zh": question.kind.zh, "en": question.kind.en},
        "source": question.kind.source,
        "demand": _whom(question),
        "model": {"name": question.model, "zh": MODELS[question.model][0], "en": MODELS[question.model][1]},
        "mode": question.mode,
        "within_min": question.within_min if made.limit_s else None,
        "capacity": question.capacity,
        "method": {"name": made.times.method, "zh": made.times.note.zh, "en": made.times.note.en},
        "candidates": {"zh": made.candidates.note_zh, "en": made.candidates.note_en},
        "people": shown(total),
        "left_out": shown(people.left_out),
        "unserved": shown(float(people.residents[~there].sum())),
        "mean_min": _minutes(way_s[there], people.residents[there]),
        "farthest_min": _tenth(float(way_s[there].max()) / MINUTE_S) if there.any() else None,
        "covered": _covered(made, way_s),
        "quality": _quality(made, total),
        "sites": _sites(made),
        "curve": _curve(made, total),
        "worst": _worst(made, way_s),
        "speed": _speed(made, way_s),
        "uncertainty": _uncertainty(made),
    }


def data_version() -> dict[str, Any]:
    """Return what the plan was made on: the last event of the register, and the sources of roads."""
    with session.open("planner") as connection:
        seq = connection.execute(text("SELECT next_seq - 1 FROM reg.number_serials")).scalar_one()
        roads = (
            connection.execute(
                text(
                    "SELECT s.name FROM reg.sources s WHERE EXISTS"
                    " (SELECT FROM reg.road_ways w WHERE w.source_id = s.id) ORDER BY 1"
                )
            )
            .scalars()
            .all()
        )
    return {"event_seq": int(seq), "roads": list(roads)}


def _whom(question: Question) -> dict[str, str]:
    if question.kind.serves == "floating":
        return {"zh": "流动人口", "en": "floating residents"}
    return {"zh": "全部居民", "en": "residents"}


def _tenth(value: float) -> float:
    return round(value, 1)


def _minutes(way_s: Floats, residents: Floats) -> float | None:
    """Return the mean way in minutes of ten people and more; None of fewer."""
    if shown(float(residents.sum())) is None:
        return None
    return _tenth(float(np.average(way_s, weights=residents)) / MINUTE_S)


def _covered(made: Made, way_s: Floats) -> dict[str, Any] | None:
    """Return how many are near, where the model asks what is near."""
    if made.limit_s is None:
        return None
    many = float(made.demand.residents[way_s <= made.limit_s].sum())
    return {"people": shown(many), "percent": round(100 * many / float(made.demand.residents.sum()))}


def _quality(made: Made, total: float) -> dict[str, Any]:
    """Return how far from the best possible this is, in the measure the model has."""
    answer, model = made.answer, made.question.model
    zh, en = STATUSES[answer.status]
    if model == "p-median":
        best: Any = _tenth(answer.bound / total / MINUTE_S)
    elif model == "p-center":
        best = _tenth(answer.bound / MINUTE_S)
    else:
        best = shown(answer.bound) if model == "max-cover" else int(np.ceil(answer.bound - 1e-6))
    gap = 0.0 if answer.status == "optimal" else round(100 * answer.gap, 2)
    return {"status": answer.status, "zh": zh, "en": en, "best_possible": best, "gap_percent": gap}


def _sites(made: Made) -> list[dict[str, Any]]:
    """Return each site: where it stands, whom it serves, and what closing it would cost."""
    explained, places = made.explained, made.candidates
    sites = []
    for k, site in enumerate(explained.sites.tolist()):
        lon, lat = places.points[site]
        serves = shown(float(explained.serves[k]))
        sites.append(
            {
                "name": places.names[site],
                "lon": round(float(lon), DIGITS_OF_A_DEGREE),
                "lat": round(float(lat), DIGITS_OF_A_DEGREE),
                "stands": site < places.standing,
                "serves": serves,
                "only": shown(float(explained.only[k])),
                "mean_min": None
                if serves is None
                else _tenth(float(explained.cost[k] / explained.serves[k]) / MINUTE_S),
                "farthest_min": None if serves is None else _tenth(float(explained.farthest[k]) / MINUTE_S),
                "closing_person_min": shown(float(explained.closing[k]) / MINUTE_S),
            }
        )
    return sites


def _curve(made: Made, total: float) -> list[dict[str, Any]]:
    """Return what each number of sites buys: the mean way, or how many are covered."""
    curve = made.curve
    if curve is None:
        return []
    lines = []
    for p, objective in zip(curve.p.tolist(), curve.objective.tolist(), strict=True):
        if made.question.model == "p-median":
            lines.append({"sites": p, "mean_min": _tenth(objective / total / MINUTE_S)})
        else:
            lines.append({"sites": p, "covered": shown(objective), "percent": round(100 * objective / total)})
    return lines


def _worst(made: Made, way_s: Floats) -> dict[str, Any]:
    """Return who is worst served: the tenth of the people with the longest way, by county."""
    residents = made.demand.residents
    order = np.argsort(-way_s, kind="stable")
    many = int(np.searchsorted(np.cumsum(residents[order]), WORST_SHARE * residents.sum())) + 1
    chosen = order[:many]
    counties = []
    for county in np.unique(made.demand.counties[chosen]).tolist():
        there = chosen[made.demand.counties[chosen] == county]
        reached = there[np.isfinite(way_s[there])]
        counties.append(
            {
                "county": str(county),
                "people": shown(float(residents[there].sum())),
                "mean_min": _minutes(way_s[reached], residents[reached]) if len(reached) else None,
            }
        )
    least_s = float(way_s[chosen].min())
    return {
        "from_min": _tenth(least_s / MINUTE_S) if np.isfinite(least_s) else None,
        "counties": [one for one in counties if one["people"] is not None],
    }


def _speed(made: Made, way_s: Floats) -> list[dict[str, Any]]:
    """Return what the plan is worth where everybody travels slower or faster than assumed."""
    residents = made.demand.residents
    lines = []
    for share in SLOWER_AND_FASTER:
        other_s = way_s / share
        there = np.isfinite(other_s)
        line: dict[str, Any] = {"speed_percent": round(100 * share)}
        line["mean_min"] = _minutes(other_s[there], residents[there])
        if made.limit_s is not None:
            line["covered_percent"] = round(100 * float(residents[other_s <= made.limit_s].sum() / residents.sum()))
        lines.append(line)
    return lines


def _uncertainty(made: Made) -> dict[str, Any] | None:
    """Return how the plan fares where the demand is other by a fifth."""
    if made.shaken is None:
        return None
    loss, stayed = made.shaken
    return {"worst_loss_percent": round(100 * loss, 1), "sites_kept_percent": round(100 * stayed)}
