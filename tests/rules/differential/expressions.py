"""Random expressions over the series of `series`: every node that we support, nested.

The same seed gives the same expressions. Left out is what Prometheus answers by the order of a Go map or heap (`limitk`
of anything but a selector; ties of `topk` over `count_values`, over another `topk`, over and in subqueries), by the
last bit of a sum (`count_values` and resets of computed values), and what it gets wrong: a float and a histogram that
`label_join` or `label_replace` bring to one label set are no error there.
"""

from random import Random

RANGE_FUNCTIONS = (
    *("avg", "count", "first", "last", "mad", "max", "min", "present", "stddev", "stdvar", "sum"),
    *("ts_of_first", "ts_of_last", "ts_of_max", "ts_of_min"),
)
COUNTER_FUNCTIONS = ("changes", "delta", "deriv", "idelta", "increase", "irate", "rate", "resets")
VALUE_FUNCTIONS = (
    *("abs", "ceil", "exp", "floor", "ln", "log10", "log2", "sgn", "sqrt", "round", "deg", "rad"),
    *("asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh"),
    *("atanh", "minute", "hour", "month", "year", "day_of_month", "day_of_week", "day_of_year"),
    *("days_in_month", "timestamp", "sort", "sort_desc"),
)
AGGREGATIONS = ("avg", "count", "group", "max", "min", "stddev", "stdvar", "sum")
NUMBERS = ("0", "1", "2", "-1", "0.5", "3", "1e3", "NaN", "Inf", "-Inf", "7.25")
SPANS = ("5s", "7s", "10s", "20s", "1m", "90s", "3m")
REGEXES = ("(.*)", "(a|b)", "([a-z]+)-([0-9]+)", "(?P<first>.)(.*)", "", ".+", "\\\\d+", "x")


class Grammar:
    """Draws expressions."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def expression(self, depth: int = 3) -> str:
        """An instant vector, now and then a scalar."""
        return self._scalar(depth) if self._random.random() < 0.05 else self._vector(depth)

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _often(self, share: float) -> bool:
        return self._random.random() < share

    def _moved(self, *, ahead: bool = True) -> str:
        """An offset and what stands after `@`.

        No subquery looks ahead: Prometheus 3.15 then looks elsewhere than it should for an `@` within.
        """
        offset = f" offset {self._pick('5s', '7s', '30s', '2m')}" if self._often(0.15) else ""
        offset = f" offset -{self._pick('5s', '12s')}" if ahead and self._often(0.04) else offset
        at = f" @ {self._pick('start()', 'end()', '60', '123.5')}" if self._often(0.12) else ""
        return at + offset if self._often(0.5) else offset + at

    def _selector(self) -> str:
        name = self._pick("c1", "c2", "g1", "g2", "h_bucket", "info", "n1", "n2")
        matcher = self._pick(
            *('inst="a"', 'job=~"x|y"', 'job!="x"', 'inst!~"a.*"', 'inst=""', 'job=~".+"'),
        )
        if self._often(0.05):
            return f'{{__name__=~"{self._pick("c.", "c1|g1", "n.", "g[0-9]", "nothing")}"}}'
        return f"{name}{{{matcher}}}" if self._often(0.4) else name

    def _range(self, depth: int) -> str:
        if depth > 0 and self._often(0.3):
            step = self._pick("", "5s", "15s", "20s", "7s")
            inner = self._vector(depth - 1)
            if "topk" in inner or "bottomk" in inner:
                inner = self._selector()
            span = self._pick("20s", "1m", "2m", "3m")
            return f"({inner})[{span}:{step}]{self._moved(ahead=False)}"
        return f"{self._selector()}[{self._pick(*SPANS)}]{self._moved()}"

    def _exact_range(self) -> str:
        """A range without rounding: a fall by the last bit would be a counter reset."""
        if self._often(0.7):
            return f"{self._selector()}[{self._pick(*SPANS)}]{self._moved()}"
        inner = self._pick(
            self._selector(),
            f"{self._pick('max', 'min', 'count')} by (job) ({self._selector()})",
            f"{self._pick('max', 'min', 'last', 'count')}_over_time({self._selector()}[20s])",
        )
        return f"({inner})[{self._pick('1m', '3m')}:{self._pick('', '5s', '20s')}]{self._moved()}"

    def _scalar(self, depth: int) -> str:
        if depth > 0 and self._often(0.25):
            draw = self._random.randrange(3)
            if draw == 0:
                return f"scalar({self._vector(depth - 1)})"
            if draw == 1:
                left, right = self._scalar(depth - 1), self._scalar(depth - 1)
                return f"({left} {self._pick('+', '-', '*', '/', '%', '^', '== bool')} {right})"
            return "time()"
        return self._pick(*NUMBERS, "pi()")

    def _grouping(self) -> str:
        names = self._pick("job", "inst", "job, inst", "", "le", "nothing", "__name__")
        return self._pick("", "", f" by ({names})", f" by ({names})", f" without ({names})")

    def _vector(self, depth: int) -> str:
        if depth <= 0:
            return self._selector() + self._moved()
        makers = (
            *(self._over_range,) * 5,
            *(self._aggregation,) * 3,
            *(self._binary,) * 4,
            *(self._function,) * 4,
            *(self._relabelled, self._special),
        )
        return self._random.choice(makers)(depth)

    def _over_range(self, depth: int) -> str:
        found = self._range(depth)
        draw = self._random.randrange(10)
        if draw < 5:
            name = self._pick(*RANGE_FUNCTIONS)
            # the spread of nearly equal values is that of their last bits
            found = self._exact_range() if name.startswith("std") else found
            return f"{name}_over_time({found})"
        if draw < 8:
            return f"{self._pick(*COUNTER_FUNCTIONS)}({self._exact_range()})"
        if draw == 8:
            phi = self._pick("0", "0.5", "0.9", "1", "2", "-1", "NaN")
            return f"quantile_over_time({phi}, {found})"
        return self._pick(
            f"predict_linear({found}, {self._pick('0', '60', '3600')})",
            f"double_exponential_smoothing({found}, 0.{self._pick('1', '5', '9')}, 0.3)",
        )

    def _aggregation(self, depth: int) -> str:
        vector, grouping = self._vector(depth - 1), self._grouping()
        draw = self._random.randrange(10)
        if draw < 5:
            name = self._pick(*AGGREGATIONS)
            vector = self._selector() if name.startswith("std") else vector
            return f"{name}{grouping}({vector})"
        if draw < 7:
            if any(part in vector for part in ("count_values", ":", "topk", "bottomk")):
                vector = (
                    self._selector()
                )  # ties would be decided by the order of a map or a heap in Go
            k = self._pick("0", "1", "2", "3", "100", "1.9", "-1", "NaN")
            return f"{self._pick('topk', 'bottomk')}{grouping}({k}, {vector})"
        if draw == 7:
            # a value that is rounded otherwise would be another label
            counted = self._pick(self._selector(), f"count{self._grouping()}({vector})")
            return f'count_values{grouping}("{self._pick("v", "job", "inst")}", {counted})'
        if draw == 8:
            phi = self._pick("0", "0.5", "0.9", "1", "2", "-1", "NaN")
            return f"quantile{grouping}({phi}, {vector})"
        return self._pick(
            f"limitk{grouping}({self._pick('1', '2', '5')}, {self._selector()})",
            f"limit_ratio{grouping}({self._pick('0.3', '-0.7', '0.5', '1', '-1', '2')}, {vector})",
        )

    def _binary(self, depth: int) -> str:
        left, right = self._vector(depth - 1), self._vector(depth - 1)
        operator = self._pick(
            "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<="
        )
        if operator == "%":
            left, right = self._selector(), self._selector()  # of a large rest the last bit decides
        if operator[0] in "=!<>" and self._often(0.3):
            operator += " bool"
        if self._often(0.35):
            number = self._scalar(depth - 1)
            pair = (left, number) if self._often(0.6) else (number, right)
            return f"({pair[0]}) {operator} ({pair[1]})"
        if self._often(0.25):
            on = self._pick("", "", " on(job)", " on(inst, job)", " ignoring(inst)")
            return f"({left}) {self._pick('and', 'or', 'unless')}{on} ({right})"
        matching = self._pick(
            *("", " on(inst, job)", " on(inst)", " ignoring(le)", " ignoring(job)", " on()"),
            *(
                " on(inst) group_left(team)",
                " on(job) group_right()",
                " ignoring(inst) group_left()",
            ),
        )
        return f"({left}) {operator}{matching} ({right})"

    def _function(self, depth: int) -> str:
        vector = self._vector(depth - 1)
        draw = self._random.randrange(8)
        if draw < 5:
            return f"{self._pick(*VALUE_FUNCTIONS)}({vector})"
        if self._often(0.2):
            # of large or computed values the last bit would decide
            return f"{self._pick('sin', 'cos', 'tan')}({self._selector()} % 7)"
        if draw == 5:
            return f"-({vector})"
        return self._pick(
            f"clamp({vector}, {self._pick('-1', '0')}, {self._pick('5', '-3', 'NaN')})",
            f"clamp_max({vector}, {self._scalar(0)})",
            f"clamp_min({vector}, {self._scalar(0)})",
            f"round({vector}, {self._pick('0.1', '5', '0', '-2')})",
        )

    def _relabelled(self, depth: int) -> str:
        vector = self._vector(depth - 1)
        if "n2" in vector or "n." in vector:
            vector = self._pick("c1", "g1", "info", "n1", "h_bucket")
        target = self._pick("job", "new", "inst", "__name__", "new")
        source = self._pick("job", "inst", "team", "nothing", "__name__")
        if self._often(0.4):
            separator = self._pick("", "-", ", ")
            return f'label_join({vector}, "{target}", "{separator}", "inst", "{source}")'
        template = self._pick(
            "$1", "${1}x", "$1x", "$2-$1", "$$", "$first", "fixed", "", "$0", "$9"
        )
        return (
            f'label_replace({vector}, "{target}", "{template}", "{source}", '
            f'"{self._pick(*REGEXES)}")'
        )

    def _special(self, depth: int) -> str:
        return self._pick(
            f"absent({self._vector(depth - 1)})",
            f"absent_over_time({self._range(depth)})",
            f"vector({self._scalar(depth - 1)})",
            f"histogram_quantile({self._pick('0.5', '0.99', '-1', '2')}, {self._vector(depth - 1)})",
            f"histogram_fraction({self._pick('0', '-Inf', '0.3')}, {self._pick('2', 'Inf')}, "
            f"{self._vector(depth - 1)})",
            f"histogram_{self._pick('count', 'sum', 'avg', 'stddev', 'stdvar')}"
            f"({self._vector(depth - 1)})",
            f"histogram_{self._pick('quantile(0.3', 'quantile(0.9', 'fraction(0, 1')}, "
            f"{self._pick('sum by (job) ', 'avg by (job) ', '')}(rate({self._pick('n1', 'n2')}[1m])))",
            "histogram_quantile(0.9, sum by (le) (rate(h_bucket[1m])))",
            "histogram_quantile(0.5, increase(h_bucket[30s]))",
            f'sort_by_label({self._vector(depth - 1)}, "job", "inst")',
            f"{self._pick('hour', 'minute', 'year', 'day_of_week')}()",
        )
