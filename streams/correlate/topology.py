"""Topology: the declared call graph, asked in both directions."""

from collections.abc import Mapping, Sequence


class Topology:
    """Who calls whom. Order of names is that of the alphabet, so answers do not depend on the file's."""

    def __init__(self, calls: Mapping[str, Sequence[str]]) -> None:
        callees: dict[str, set[str]] = {}
        callers: dict[str, set[str]] = {}
        for caller, called in calls.items():
            for callee in called:
                if callee != caller:
                    callees.setdefault(caller, set()).add(callee)
                    callers.setdefault(callee, set()).add(caller)
        self._callees = {name: tuple(sorted(found)) for name, found in callees.items()}
        self._callers = {name: tuple(sorted(found)) for name, found in callers.items()}
        self._declared = {*calls, *callers}
        self._near = {n: (n, *self.callees(n), *self.callers(n)) for n in self._declared}

    @property
    def entities(self) -> frozenset[str]:
        """All that call or are called."""
        return frozenset(self._declared)

    def callees(self, entity: str) -> tuple[str, ...]:
        """What it calls directly."""
        return self._callees.get(entity, ())

    def callers(self, entity: str) -> tuple[str, ...]:
        """What calls it directly."""
        return self._callers.get(entity, ())

    def near(self, entity: str) -> tuple[str, ...]:
        """Itself, its callees and its callers; nothing for an entity that is not in the graph."""
        return self._near.get(entity, ())
