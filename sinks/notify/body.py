"""The body of a webhook: Alertmanager's, version 4, with one more object named `tocsin`.

Alertmanager's fields have its names, types and meanings, so that what reads its webhook reads ours. Three choices where
an incident is more than a group of alerts:

* `groupKey` ends in the generation, because readers deduplicate by it and two incidents of one group are two; that of
  a notice of a route tree is Alertmanager's;
* `status` follows the incident: firing until the incident is resolved, by its alerts or by a person;
* at most `ALERTS_MAX` alerts are listed, the firing ones first kept; `truncatedAlerts` counts the rest.

`tocsin` is our extension: `incident` (id), `tenant`, `state`, `severity`, `title`, `announcement`, `openedAt`,
`resolvedAt` (null while open), `causes` (`entity`, `share`, `evidence`) and the last `TIMELINE_MAX` entries of
`timeline`.

It refuses to be a template: the same incident gives the same bytes.
"""

import msgspec

from schemas.incidents import Incident, IncidentAlert
from schemas.notices import Notice
from schemas.reasons import IncidentState
from schemas.records import rfc3339
from sinks.notify.route import common_pairs

ALERTS_MAX = 100
DEFAULT_TENANT = "default"
TIMELINE_MAX = 10
# Go's zero time: what Alertmanager writes as the end of an alert that still fires.
NO_END = "0001-01-01T00:00:00Z"


def _alert(item: IncidentAlert, external_url: str) -> dict[str, object]:
    ended = None if item.firing else item.resolved_at or item.alert.time
    return {
        "status": "firing" if item.firing else "resolved",
        "labels": dict(sorted(item.alert.labels.items())),
        "annotations": dict(sorted(item.alert.annotations.items())),
        "startsAt": rfc3339(item.first_at),
        "endsAt": NO_END if ended is None else rfc3339(ended),
        "generatorURL": external_url,
        "fingerprint": item.alert.fingerprint,
    }


def _group_key(incident: Incident) -> str:
    """That of a route tree's group is Alertmanager's; the tenant stands before it where there is more than one."""
    if not isinstance(incident, Notice):
        return f"{incident.group_key}#{incident.generation}"
    tenant = "" if incident.tenant == DEFAULT_TENANT else f"{incident.tenant}/"
    return f"{tenant}{incident.group_key}"


def _extension(incident: Incident) -> dict[str, object]:
    resolved = incident.resolved_at
    return {
        "incident": incident.id,
        "tenant": incident.tenant,
        "state": incident.state,
        "severity": incident.severity,
        "title": incident.title,
        "announcement": incident.announcement,
        "openedAt": rfc3339(incident.opened_at),
        "resolvedAt": None if resolved is None else rfc3339(resolved),
        "causes": [
            {"entity": c.entity, "share": c.share, "evidence": [e.text for e in c.evidence]}
            for c in incident.causes
        ],
        "timeline": [
            {"time": rfc3339(e.time), "change": e.change, "text": e.text, "actor": e.actor}
            for e in incident.timeline[-TIMELINE_MAX:]
        ],
    }


def webhook_body(
    incident: Incident, *, receiver: str, external_url: str, send_resolved: bool
) -> bytes:
    """JSON body of one announcement; without `send_resolved` it lists firing alerts only, as Alertmanager does."""
    wanted = incident.alerts if send_resolved else incident.firing
    # Python's sort is stable: within firing and resolved the incident's own order stays
    listed = sorted(wanted, key=lambda a: not a.firing)[:ALERTS_MAX]
    resolved = incident.state is IncidentState.RESOLVED
    return msgspec.json.encode(
        {
            "version": "4",
            "groupKey": _group_key(incident),
            "truncatedAlerts": len(wanted) - len(listed),
            "status": "resolved" if resolved else "firing",
            "receiver": receiver,
            "groupLabels": dict(sorted(incident.group_labels.items())),
            "commonLabels": common_pairs(a.alert.labels for a in listed),
            "commonAnnotations": common_pairs(a.alert.annotations for a in listed),
            "externalURL": external_url,
            "notification_reason": incident.announce,
            "alerts": [_alert(a, external_url) for a in listed],
            "tocsin": _extension(incident),
        }
    )
