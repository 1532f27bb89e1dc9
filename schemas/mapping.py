"""Mapping: other producers' names of labels to those that rules here usually ask for.

The shipped table knows OpenTelemetry's resource attributes (semantic conventions 1.27 and the older names beside them),
as OTLP writes them, with dots. It refuses to overwrite: where a series has the label already, the other keeps its name.
"""

from collections.abc import Mapping

OTEL_LABELS: Mapping[str, str] = {
    "cloud.availability_zone": "zone",
    "cloud.region": "region",
    "container.name": "container",
    "deployment.environment": "env",
    "deployment.environment.name": "env",
    "host.name": "host",
    "k8s.cluster.name": "cluster",
    "k8s.container.name": "container",
    "k8s.cronjob.name": "cronjob",
    "k8s.daemonset.name": "daemonset",
    "k8s.deployment.name": "deployment",
    "k8s.job.name": "job_name",
    "k8s.namespace.name": "namespace",
    "k8s.node.name": "node",
    "k8s.pod.name": "pod",
    "k8s.statefulset.name": "statefulset",
    "service.name": "service",
    "service.version": "version",
}


def map_labels(table: Mapping[str, str], labels: Mapping[str, str]) -> Mapping[str, str]:
    """A label set under the names of a table; an empty name drops the label.

    Gives back the very mapping where the table names none of its labels. Of two labels that would get one name the
    first by name gets it.
    """
    if table.keys().isdisjoint(labels):
        return labels
    out = {name: value for name, value in labels.items() if table.get(name, name) == name}
    for name in sorted(labels.keys() & table.keys()):
        wanted = table[name]
        if wanted:
            taken = wanted in labels or wanted in out
            out[name if taken else wanted] = labels[name]
    return out
