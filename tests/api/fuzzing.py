"""Random requests by the interface's own description (Schemathesis), one after the other and in chains of links."""

import collections
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck
from schemathesis.core.result import Ok

from tests.api.doors import RULES

SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "phases": (hypothesis.Phase.generate,),
}
CHAINED = SETTINGS | {"derandomize": False}
STEPS_IN_A_CHAIN = 8


@dataclass
class Found:
    """What was sent and what was wrong with the answers."""

    cases: int = 0
    answers: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter)
    wrong: set[tuple[str, int, str]] = field(default_factory=set)

    def look(self, case: Any, status: int, kind: str) -> None:  # noqa: ANN401 - Schemathesis types it so
        """Judge an answer: no fault of ours, no status that is not described, nothing that is not the caller's."""
        key = case.operation.label
        self.cases += 1
        self.answers[key, status] += 1
        described = {*case.operation.definition.raw["responses"], "405"}
        if status >= 500 and status != 503:
            self.wrong.add((key, status, "a fault"))
        if str(status) not in described:
            self.wrong.add((key, status, "not described"))
        if 200 <= status < 300 and kind not in RULES[key].who:
            self.wrong.add((key, status, "not for this caller"))


def fuzz(address: str, kind: str, headers: dict[str, str], cases: int, renew: Callable[[], None]) -> Found:
    """Send at least so many random requests as a kind of caller, half of them in chains; return what was found."""
    described = schemathesis.openapi.from_url(f"{address}openapi.json")
    found = Found()

    def send(case: Any) -> Any:  # noqa: ANN401 - Schemathesis types it so
        answer = case.call(headers=headers, timeout=60)
        found.look(case, answer.status_code, kind)
        if answer.status_code in {401, 429}:
            renew()  # an act that ended the session, or too many guesses: what follows should get through again
        return answer

    operations = [each.ok() for each in described.get_all_operations() if isinstance(each, Ok)]
    for operation in operations:
        _one_by_one(operation, send, -(-cases // (2 * len(operations))))
    while found.cases < cases:
        _in_chains(described, send, (cases - found.cases) // STEPS_IN_A_CHAIN + 1)
    return found


def _one_by_one(operation: Any, send: Callable[[Any], Any], many: int) -> None:  # noqa: ANN401
    """Send random requests to one operation."""

    @hypothesis.settings(max_examples=many, **SETTINGS)
    @hypothesis.given(case=operation.as_strategy())
    def each(case: Any) -> None:  # noqa: ANN401
        send(case)

    each()


def _in_chains(described: Any, send: Callable[[Any], Any], many: int) -> None:  # noqa: ANN401
    """Send chains in which one answer's values go into the next request."""

    class Chain(described.as_state_machine()):  # type: ignore[misc]  # made at run time
        def call(self, case: Any, **_: Any) -> Any:  # noqa: ANN401
            return send(case)

        def validate_response(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
            """``send`` has looked already."""

    # what answers come depends on all that was sent before, which Hypothesis calls flaky; ``send`` has judged them
    with suppress(hypothesis.errors.FlakyStrategyDefinition, hypothesis.errors.Flaky):
        Chain.run(settings=hypothesis.settings(max_examples=many, stateful_step_count=STEPS_IN_A_CHAIN, **CHAINED))
