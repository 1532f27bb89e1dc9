"""Detectors by name: typed parameters, making one, and describing all.

Our own are listed here; a user's own come from the entry-point group `tocsin.detectors`. An entry point names a
class with a docstring, an attribute `parameters` (a subclass of `detectors.bank.Settings`) and a constructor
`(parameters, seed)`. Our names cannot be taken over.

Refuses unknown names and parameters, naming the nearest known one.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from detectors.bank import Settings
from detectors.base import Detector
from schemas.errors import ConfigError

GROUP = "tocsin.detectors"
# Loaded when first asked for: river alone takes a second to import.
OURS = {
    "auto": "detectors.auto:Auto",
    "change_point": "detectors.change_point:ChangePoint",
    "cusum": "detectors.cusum:Cusum",
    "ewma": "detectors.ewma:Ewma",
    "extreme": "detectors.extreme:Extreme",
    "fluctuation": "detectors.fluctuation:Fluctuation",
    "forecast": "detectors.forecast:Forecast",
    "gaussian": "detectors.gaussian:Gaussian",
    "half_space_trees": "detectors.half_space_trees:HalfSpaceTrees",
    "holt_winters": "detectors.holt_winters:HoltWinters",
    "newcomers": "detectors.newcomers:Newcomers",
    "novelty": "detectors.novelty:Novelty",
    "page_hinkley": "detectors.page_hinkley:PageHinkley",
    "pca": "detectors.pca:Pca",
    "peers": "detectors.peers:Peers",
    "river": "detectors.river_model:RiverModel",
    "robust": "detectors.robust:Robust",
    "seasonal": "detectors.season:Season",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a detector."""

    name: str
    type: str
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class Description:
    """A detector as the documentation shows it."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]


@cache
def _known() -> Mapping[str, EntryPoint]:
    theirs = {point.name: point for point in entry_points(group=GROUP)}
    return theirs | {name: EntryPoint(name, path, GROUP) for name, path in OURS.items()}


def names() -> list[str]:
    """Return all names, sorted."""
    return sorted(_known())


def _find(name: str) -> Any:
    if name not in _known():
        raise ConfigError([f"unknown detector '{name}'{_nearest(name, names())}"])
    return _known()[name].load()


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"


def parameters(name: str) -> type[Settings]:
    """Return the struct of a detector's parameters; raises ConfigError for an unknown name."""
    found: type[Settings] = _find(name).parameters
    return found


def create(name: str, params: Mapping[str, object], seed: int = 0) -> Detector:
    """Make a detector without rows; raises ConfigError with all unknown parameters, or the first bad value."""
    form = parameters(name)
    known = list(form.__struct_fields__)
    unknown = [key for key in params if key not in known]
    if unknown:
        raise ConfigError(
            [f"detector '{name}' has no parameter '{key}'{_nearest(key, known)}" for key in unknown]
        )
    try:
        settings = msgspec.convert(dict(params), form)
    except msgspec.ValidationError as error:
        raise ConfigError([f"detector '{name}': {error}"]) from error
    found = _find(name)
    chosen = getattr(found, "chosen", None)
    detector: Detector = (chosen(settings) if chosen else found)(settings, seed)
    return detector


def describe() -> list[Description]:
    """Return every detector with its parameters, in order of name."""
    return [_describe(name) for name in names()]


def _describe(name: str) -> Description:
    found = _find(name)
    hints = get_type_hints(found.parameters, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(found.parameters):
        plain, meaning = _read(hints[field.name])
        default = (
            field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        )
        rows.append(Parameter(field.name, plain, default, meaning))
    return Description(name, str(found.__doc__).splitlines()[0], tuple(rows))


def _read(hint: Any) -> tuple[str, str]:
    """Return a type as written, and what its annotation says about it."""
    plain, meaning = hint, ""
    if get_origin(hint) is Annotated:
        plain, *notes = get_args(hint)
        meaning = next((note.description for note in notes if note.description), "")
    choices = get_args(plain) if str(plain).startswith("typing.Literal") else ()
    text = " | ".join(map(str, choices)) or getattr(plain, "__name__", str(plain))
    return text, meaning
