"""Template: one text of a rule, parsed once, expanded for each alert.

What it prints, and what it calls an error, is what Prometheus prints and calls: also the text that takes the place of
an annotation whose template fails. Columns in such a text count what Prometheus puts before the template on its first
line.

Refuses at parse time, by name, what it does not know.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from streams.rules.template.gofmt import quote
from streams.rules.template.parse import parse_template, position
from streams.rules.template.pipeline import Parsed
from streams.rules.template.run import Run, RunError
from streams.rules.template.values import Data, IncompatibleTypesError

Scope: TypeAlias = dict[str, object]

PLAIN_VARIABLES = frozenset({"$labels", "$value", "$externalLabels", "$externalURL"})
DETECT_VARIABLES = PLAIN_VARIABLES | {"$expected", "$low", "$high", "$score"}
NOW = "now"
"""Where a scope keeps the event time of the evaluation, in seconds."""

# What Prometheus puts before every template; it shifts the columns of its messages.
_PREFIX = len(
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"
    "{{$externalURL := .ExternalURL}}{{$value := .Value}}"
)


class TemplateError(Exception):
    """A template has failed on these values; the message is Go's."""


class Template:
    """A parsed template.

    Attributes:
        text: what was written.
        uses: the given variables that its text depends on, and `now` where it does on the time.

    """

    def __init__(
        self, text: str, variables: Iterable[str] = PLAIN_VARIABLES, *, name: str = ""
    ) -> None:
        """Parse a text; `name` stands in its messages.

        Raises:
            RuleError: it is no template that we know; the message begins with `line:column: `, counted in the text.

        """
        self.text = text
        self._name = name
        self._variables = frozenset(variables)
        self._parsed: Parsed = parse_template(text, self._variables)
        self.uses = frozenset(self._parsed.uses | (self._parsed.functions & {NOW}))

    def render(self, scope: Mapping[str, object]) -> str:
        """The text for these variables (`$labels` a mapping, `$value` a float).

        Raises:
            TemplateError: it fails on these values.

        """
        try:
            return self._run(scope).run()
        except RunError as error:
            raise TemplateError(self._explain(error)) from error

    def expand(self, scope: Mapping[str, object]) -> str:
        """As `render`, but a failure becomes the text, as in Prometheus, so that the alert still goes out."""
        try:
            return self.render(scope)
        except TemplateError as error:
            shown = f"error executing template {self._name}: {error}"
        except RecursionError:
            shown = f"error executing template {self._name}: nested too deeply"
        return f"<error expanding template: {shown}>"

    def problem(self) -> str | None:
        """What fails whatever the values are, such as a float compared with an int; with `line:column: ` before it."""
        scope: Scope = dict.fromkeys(DETECT_VARIABLES, 1.5)
        scope |= {"$labels": {}, "$externalLabels": {}, "$externalURL": ""}
        try:
            self._run(scope).run()
        except RunError as error:
            what = str(error).partition(": ")[2]
            where = position(self.text, error.node.at)
            if isinstance(error.__cause__, IncompatibleTypesError) and "float64" in what:
                return f"{where}: {what}; write a float with a point, such as 90.0"
            if str(error).startswith(("wrong number of args", "expected string; found")):
                return f"{where}: {error}"
            if error.node.shown and str(error).startswith("template "):
                return f"{where}: {error}"
            if isinstance(error.__cause__, IncompatibleTypesError):
                return f"{where}: {what}"
        except RecursionError:
            return "1:1: nested too deeply"
        return None  # may well work with other labels

    def _run(self, scope: Mapping[str, object]) -> Run:
        labels, external = scope["$labels"], scope["$externalLabels"]
        url, value = scope["$externalURL"], scope["$value"]
        assert isinstance(labels, Mapping)
        assert isinstance(external, Mapping)
        assert isinstance(url, str)
        assert isinstance(value, float)
        now = scope.get(NOW, 0.0)
        assert isinstance(now, float)
        variables = {name: scope[name] for name in sorted(self._variables)}
        return Run(self._parsed, Data(labels, external, url, value), variables, now)

    def _explain(self, error: RunError) -> str:
        node = error.node
        before = self.text[: node.at]
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode()) + (_PREFIX if line == 1 else 0)
        name = quote(error.template or self._name)
        where = f"{self._name}:{line}:{column}"
        return f"template: {where}: executing {name} at <{node.shown}>: {error}"
