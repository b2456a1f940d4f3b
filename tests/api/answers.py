"""A published plan as the worker writes it, for tests that need one and not the hour it took."""

from typing import Any

PLAN: dict[str, Any] = {
    "kind": {"code": "clinic", "zh": "卫生服务站", "en": "clinic"},
    "source": "第二十五条",
    "demand": {"zh": "全部居民", "en": "residents"},
    "model": {"name": "p-median", "zh": "平均路程最短", "en": "shortest mean way"},
    "mode": "walk",
    "within_min": None,
    "capacity": None,
    "method": {"name": "great_circle", "zh": "按直线估算。", "en": "Estimated without roads."},
    "candidates": {"zh": "候选点1处", "en": "1 candidate"},
    "people": 1200,
    "left_out": None,
    "unserved": None,
    "mean_min": 6.1,
    "farthest_min": 12.5,
    "covered": None,
    "quality": {
        "status": "optimal",
        "zh": "已证明最优",
        "en": "proven to be the best",
        "best_possible": 6.1,
        "gap_percent": 0.0,
    },
    "sites": [
        {
            "name": "候选点1",
            "lon": 106.27,
            "lat": 38.47,
            "stands": False,
            "serves": 1200,
            "only": 1200,
            "mean_min": 6.1,
            "farthest_min": 12.5,
            "closing_person_min": None,
        }
    ],
    "curve": [{"sites": 1, "mean_min": 6.1}],
    "worst": {"from_min": 9.0, "counties": [{"county": "640104", "people": 120, "mean_min": 10.1}]},
    "speed": [{"speed_percent": 80, "mean_min": 7.6}, {"speed_percent": 120, "mean_min": 5.1}],
    "uncertainty": None,
}
