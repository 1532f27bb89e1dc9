"""Obey: what people say to the detector of a rule, done to the series whose alerts they name.

A command names alerts by their labels, as a silence does, of its own tenant; it reaches a series through the labels
that its alert would have. Labels that hang on the value of an alert match nothing.

Refuses nothing: a command that names no series of this rule does nothing here.
"""

import numpy as np

from detectors.base import IntArray
from schemas.commands import About, Command, Verb
from schemas.labels import TENANT
from schemas.matchers import fulfils, parse_all
from streams.rules.announce import DEFAULT_TENANT, FACTS, Announcer
from streams.rules.detect import DetectRule

NO_FACTS = [float("nan")] * len(FACTS)


def obey(detect: DetectRule, command: Command, about: About, announcer: Announcer) -> int:
    """Do what a command says; how many series it speaks of."""
    rows = named(detect, command.tenant, about, announcer)
    if rows.size:
        match command.verb:
            case Verb.FINE | Verb.BAD:
                detect.hear(rows, wanted=command.verb is Verb.BAD)
            case Verb.FREEZE:
                detect.maintain(rows, command.time, about.until)
            case Verb.UNLEARN:
                detect.unlearn(rows)
    return int(rows.size)


def named(detect: DetectRule, tenant: str, about: About, announcer: Announcer) -> IntArray:
    """Rows of the series whose alerts are named, ascending."""
    try:
        sets = [parse_all(texts) for texts in about.matchers]
    except ValueError:
        return np.zeros(0, np.int64)
    found = []
    for row in detect.roster.numbers.tolist():
        labels = dict(announcer.labels(detect.roster.labels(row), NO_FACTS))
        own = labels.pop(TENANT, "") or DEFAULT_TENANT
        if own == tenant and any(fulfils(labels, each) for each in sets):
            found.append(row)
    return np.array(found, np.int64)
