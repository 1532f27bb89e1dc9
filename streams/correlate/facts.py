"""Facts: what is known beside the alerts, and the causes of an incident that follow from both.

Call graphs and changes are taken as they were when the incident began: a cause does not become another one because an
edge has aged since.
"""

from schemas.alerts import Fact
from schemas.changes import Change
from schemas.config import TopologyConfig
from schemas.incidents import Cause
from streams.correlate.cause import rank
from streams.correlate.changes import Changes
from streams.correlate.graphs import Graphs
from streams.correlate.lifecycle import Lifecycle


class Facts:
    """The call graphs and the changes of the tenants of one partition; `change_within` is in ms."""

    def __init__(self, topology: TopologyConfig, change_within: int) -> None:
        self.graphs = Graphs(topology)
        self.changes = Changes()
        self._change_within = change_within

    def learn(self, fact: Fact) -> None:
        """Take note of a change, or of traffic."""
        if isinstance(fact, Change):
            self.changes.note(fact)
        else:
            self.graphs.learn(fact)

    def causes(self, life: Lifecycle) -> tuple[Cause, ...]:
        """The likely causes of an incident, the likeliest first."""
        symptoms = [life.symptoms[fingerprint] for fingerprint in sorted(life.symptoms)]
        onset = min([symptom.onset for symptom in symptoms], default=life.opened_at)
        changes = self.changes.before(life.tenant, onset, self._change_within)
        return rank(symptoms, self.graphs.of(life.tenant, life.opened_at), changes)
