"""History: the last values of what a rule looks at, and that alerts tell of them."""

import numpy as np
import pytest

from schemas.alerts import Alert
from schemas.errors import CheckpointError
from schemas.labels import TENANT, make_labels
from schemas.reasons import AlertState
from streams.rules import history
from streams.rules.history import LENGTH, History
from streams.rules.vector import LabelSpace, Vector
from tests.rules.test_engine import STEP_MS as STEP
from tests.rules.test_engine import make_engine, rows_of
from tests.rules.test_engine import put as feed


def labels(name: str) -> tuple[tuple[str, str], ...]:
    """A label set."""
    return make_labels({"service": name})


def put(found: History, space: LabelSpace, step: int, **values: float) -> None:
    """What one evaluation found, by service."""
    rows = np.array([space.row(labels(name)) for name in values], np.int64)
    found.put(space, Vector(rows, np.array(list(values.values()))), step * STEP)


def test_values_are_those_of_the_last_evaluations() -> None:
    """The newest last, no more than there is room for, rounded to six digits."""
    found, space = History(STEP), LabelSpace()
    for step in range(1, LENGTH + 9):
        put(found, space, step, cart=step + 1 / 3)
    values = found.of(labels("cart"), (LENGTH + 8) * STEP)

    assert LENGTH == len(values)
    assert (9.33333, 40.3333) == (values[0], values[-1])


def test_gaps_are_none() -> None:
    """An evaluation that failed, one without the series, and a value that is no number leave a gap."""
    found, space = History(STEP), LabelSpace()
    put(found, space, 1, cart=1.0)
    put(found, space, 3, cart=2.0)
    put(found, space, 4, other=5.0)
    put(found, space, 5, cart=float("inf"))
    put(found, space, 6, cart=3.0)

    assert (1.0, None, 2.0, None, None, 3.0) == found.of(labels("cart"), 6 * STEP)


def test_only_the_last_evaluation_is_told() -> None:
    """Asked as of another time, or of a series that it does not know, it says nothing."""
    found, space = History(STEP), LabelSpace()
    put(found, space, 1, cart=1.0)

    assert () == found.of(labels("cart"), 2 * STEP)
    assert () == found.of(labels("other"), STEP)


def test_a_cleared_label_space_loses_nothing() -> None:
    """Values hang on label sets, not on the rows of a space, which get other numbers."""
    found, space = History(STEP), LabelSpace()
    put(found, space, 1, other=7.0, cart=1.0)
    space.clear()
    put(found, space, 2, cart=2.0, other=8.0)

    assert (1.0, 2.0) == found.of(labels("cart"), 2 * STEP)
    assert (7.0, 8.0) == found.of(labels("other"), 2 * STEP)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many results leave nothing, too many label sets no history of the last; the silent make room."""
    monkeypatch.setattr(history, "RESULTS_MAX", 3)
    monkeypatch.setattr(history, "LABEL_SETS_MAX", 3)
    found, space = History(STEP), LabelSpace()
    put(found, space, 1, a=1.0, b=1.0, c=1.0)
    put(found, space, 2, d=1.0)
    put(found, space, 3, a=2.0, b=2.0, c=2.0, d=2.0)

    assert () == found.of(labels("d"), 3 * STEP)
    assert (1.0, None, None) == found.of(labels("a"), 3 * STEP)
    put(found, space, 3 + LENGTH, d=4.0)
    assert () == found.of(labels("a"), (3 + LENGTH) * STEP)
    put(found, space, 4 + LENGTH, d=5.0)
    assert (5.0,) == found.of(labels("d"), (4 + LENGTH) * STEP)[-1:]


def test_the_flood_of_one_tenant_takes_nothing_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the one with too many results nothing is kept, of the other all."""
    monkeypatch.setattr(history, "RESULTS_MAX", 3)
    found, space = History(STEP), LabelSpace()
    good = make_labels({TENANT: "good", "service": "a"})
    bad = [make_labels({TENANT: "bad", "service": f"s{n}"}) for n in range(4)]
    for step in (1, 2):
        rows = np.array([space.row(each) for each in (good, *bad)], np.int64)
        found.put(space, Vector(rows, np.full(5, float(step))), step * STEP)

    assert (1.0, 2.0) == found.of(good, 2 * STEP)
    assert [()] * 4 == [found.of(each, 2 * STEP) for each in bad]


def test_a_restored_one_goes_on_alike() -> None:
    """After a snapshot all that follows is the same, also what is forgotten."""
    whole, space, other_space = History(STEP), LabelSpace(), LabelSpace()
    put(whole, space, 1, a=1.0, b=2.0)
    put(whole, space, 2, b=3.0)
    restored = History(STEP)
    restored.restore(whole.snapshot())
    for each, of in ((whole, space), (restored, other_space)):
        put(each, of, 3, b=4.0, c=5.0)
    columns, again = whole.snapshot(), restored.snapshot()

    assert columns.keys() == again.keys()
    assert all(np.array_equal(columns[k], again[k], equal_nan=k == "values") for k in columns)
    assert (2.0, 3.0, 4.0) == restored.of(labels("b"), 3 * STEP)


def test_no_snapshot_is_no_history_and_half_a_one_is_refused() -> None:
    """A checkpoint of code without it is read; one that makes no sense is not."""
    found, space = History(STEP), LabelSpace()
    put(found, space, 1, a=1.0)
    columns = found.snapshot()
    found.restore({})

    assert () == found.of(labels("a"), STEP)
    assert {} == found.snapshot()
    with pytest.raises(CheckpointError, match="history"):
        found.restore({k: v for k, v in columns.items() if k != "values"})


RULES = {
    "a threshold": "x > 10",
    "the number first": "10 < x",
    "two thresholds": "x > 10 < 1000",
    "with a condition": "x > 10 and on (service) x > 0",
    "unless": "x > 10 unless x > 1000",
    "against another series": "x > on (service) 10 + 0 * x",
    "of a sum": "sum by (service) (x) > 10",
}


def fired(expression: str, *, more: str = "", cut: int | None = None) -> Alert:
    """The alert of a rule for which a series rises to 30 at the fifth evaluation; with a restart before one of them."""
    rules = f"  - alert: High\n    expr: {expression}\n    for: 15s\n{more}"
    engine, told = make_engine(rules), []
    for step, value in enumerate((1.0, 2.0, 3.0, 4.0, 30.0, 31.0)):
        if step == cut:
            blob, engine = engine.snapshot(), make_engine(rules)
            engine.restore(blob)
        feed(engine, step * STEP, cart=value, other=1.0)
        told += engine.tick(step * STEP)
    found = [a for a in told if a.state is AlertState.FIRING and a.labels["service"] == "cart"]
    assert [()] * (len(told) - len(found)) == [a.values for a in told if a not in found]
    return found[0]


@pytest.mark.parametrize("expression", RULES.values(), ids=RULES)
def test_an_alert_tells_what_was_compared(expression: str) -> None:
    """Also the values for which the condition was false, whatever the comparison is made of."""
    alert = fired(expression)

    assert (1.0, 2.0, 3.0, 4.0, 30.0, 31.0) == alert.values
    assert STEP == alert.values_step_ms


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_restart_changes_nothing_of_what_an_alert_tells(cut: int) -> None:
    """Before whichever evaluation it comes."""
    assert fired("x > 10") == fired("x > 10", cut=cut)


@pytest.mark.parametrize(
    ("expression", "more"),
    [("absent(y)", ""), ("x > bool 10", ""), ("x > 10", "    evaluate: on_arrival\n")],
    ids=["no comparison", "a truth value", "on arrival"],
)
def test_other_rules_tell_nothing(expression: str, more: str) -> None:
    """What compares nothing has no history, and a sample on arrival is evaluated for itself."""
    engine = make_engine(f"  - alert: High\n    expr: {expression}\n{more}")
    rows = rows_of(engine, {"__name__": "x", "service": "cart"})
    told: list[Alert] = []
    for step, value in enumerate((1.0, 2.0, 30.0)):
        feed(engine, step * STEP, cart=value)
        told += engine.arrive(rows, np.array([step * STEP]), np.array([value]))
        told += engine.tick(step * STEP)

    assert {()} == {a.values for a in told}
