"""What somebody who is typing an address may mean: buildings whose address begins like it, or agrees with it."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from gis.addresses.cleaning import clean
from gis.addresses.tokens import Token, cut
from gis.register.matching import exact
from gis.register.matching.deciding import Explanation, Matcher, Verdict
from gis.register.matching.exact import Constraint

MOST: Final = 8
"""Buildings that are offered at a time."""
_MOST_NAMES: Final = 64
_LEAST_TYPED: Final = 1


class Typed(NamedTuple):
    """The end of what was typed: a name that may be unfinished, and the numbers behind it."""

    name: str
    numbers: tuple[str, ...] = ()


@dataclass
class Completer:
    """Completes addresses from one matcher's register."""

    matcher: Matcher
    _sorted: list[str] = field(default_factory=list)

    def offer(self, text: str, most: int = MOST) -> tuple[Verdict, list[Explanation]]:
        """Return the verdict on what was typed so far, and up to ``most`` buildings to choose from, the best first.

        Where the matcher has candidates they are offered, with what agrees and what contradicts; else what begins so.
        """
        written = clean(text)
        verdict = self.matcher.decide(written)
        offered = list(islice(self.matcher.explain(verdict), most))
        return verdict, offered or list(islice(self._beginning(written), most))

    def _beginning(self, written: str) -> Iterator[Explanation]:
        """Yield the active buildings whose street, compound or village begins as what was typed ends."""
        divisions = self.matcher.divisions(written)
        demands = exact.constraint(self.matcher.index, divisions)
        typed = _end(cut(divisions.rest))
        seen: set[int] = set()
        if typed is not None and len(typed.name) >= _LEAST_TYPED:
            for row in self._of_names(typed, demands):
                if row not in seen:
                    seen.add(row)
                    yield self._offered(row)
        elif typed is None and demands.community > 0:
            for row in self.matcher.index.find("village", demands.community)[:MOST]:
                if self._stands(row, demands):
                    yield self._offered(row)

    def _of_names(self, typed: Typed, demands: Constraint) -> Iterator[int]:
        """Yield the buildings of streets and compounds that begin so, in the order of their numbers."""
        index = self.matcher.index
        for name in islice(self._names(typed.name), _MOST_NAMES):
            code = index.names[name]
            for keys, column in (("compound", "building"), ("street", "number")):
                rows = [row for row in index.find(keys, code) if self._stands(row, demands)]
                numbers = {row: index.number_of(index.views[column][row]) for row in rows}
                wanted = typed.numbers[0] if typed.numbers else ""
                fitting = [row for row in rows if numbers[row].startswith(wanted)]
                yield from sorted(fitting, key=lambda row: (len(numbers[row]), numbers[row]))[:MOST]

    def _names(self, beginning: str) -> Iterator[str]:
        if not self._sorted:
            self._sorted = sorted(filter(None, self.matcher.index.names))
        at = bisect_left(self._sorted, beginning)
        while at < len(self._sorted) and self._sorted[at].startswith(beginning):
            yield self._sorted[at]
            at += 1

    def _stands(self, row: int, demands: Constraint) -> bool:
        index = self.matcher.index
        return bool(index.active[row]) and exact.in_divisions(index, row, demands)

    def _offered(self, row: int) -> Explanation:
        return Explanation(self.matcher.index.building_no[row], self.matcher.address(row), "", "")


def _end(tokens: list[Token]) -> Typed | None:
    """Return the last name that was typed with the numbers behind it; None where no name was."""
    names = [at for at, token in enumerate(tokens) if token.letter == "n"]
    if not names:
        return None
    at = names[-1]
    return Typed(tokens[at].text, tuple(token.text for token in tokens[at + 1 :]))
