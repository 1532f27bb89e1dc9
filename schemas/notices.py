"""Records of tocsin.notices: what a receiver is to be told of a group of alerts, where a route tree is configured.

A notice has all that an incident has, so whatever can render an incident can render it: `group_key` is
Alertmanager's, `id` stays the same for the group and the receiver, `generation` counts from how often it was told of
anew, `announcement` how often it was told at all.
"""

from schemas.incidents import Incident
from schemas.labels import content_id


class Notice(Incident, frozen=True, kw_only=True):
    """One notification of one group to one receiver, or what kept it from being made.

    Attributes:
        receiver: name of the receiver.
        route: where the route stands in the configuration, such as `route.routes.1`.
        incidents: ids of the incidents that the alerts are known to be in.

    """

    receiver: str
    route: str
    incidents: tuple[str, ...] = ()


def notice_id(tenant: str, route: str, group_key: str, receiver: str) -> str:
    """Identity of a group towards a receiver."""
    return content_id("notice", tenant, route, group_key, receiver)
