"""The functions of templates: Go's own, and Prometheus's, each with the types of its arguments.

A function that is not in `FUNCTIONS` does not exist for a template. Functions are pure; `now` is the event time of the
evaluation, which the template's scope holds.

Refuses `query`, and what only a query's result can be given to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

from streams.rules.template import humanize
from streams.rules.template.gofmt import sprint, sprintf, sprintln
from streams.rules.template.values import Args, CallError, IncompatibleTypesError, Method, type_name

_NO_QUERY = "a template cannot run queries"
QUERIES = {
    "query": _NO_QUERY,
    **dict.fromkeys(
        ("first", "label", "sortByLabel", "strvalue", "value"),
        f"it takes the result of a query, and {_NO_QUERY}",
    ),
    "call": "no value of a rule's template is a function",
    "tmpl": "it exists in console templates only",
}


@dataclass(frozen=True)
class Function:
    """A function and its arguments: `text` for strings, `any` for whatever there is.

    Attributes:
        takes: types of the arguments that it must have.
        more: type of those that may follow, None where none may.

    """

    call: Callable[..., object]
    takes: Sequence[str] = ("any",)
    more: str | None = None


def is_true(value: object) -> bool:
    """Go's truth: not zero, not empty, not nil; times and durations always."""
    if isinstance(value, Method):
        return value.number != 0
    if isinstance(value, str | Mapping | int | float):
        return bool(value)
    return value is not None


def length(value: object) -> int:
    """Bytes of a text, entries of a map."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | list):
        return len(value)
    if value is None:
        raise CallError("reflect: call of reflect.Value.Type on zero Value")
    raise CallError(f"len of type {type_name(value)}")


def _index_of(index: object, size: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        what = "nil" if index is None else f"type {type_name(index)}"
        raise CallError(f"cannot index slice/array with {what}")
    if index < 0 or index > size:
        raise CallError(f"index out of range: {index}")
    return index


def index(item: object, *indexes: object) -> object:
    """Entry of a map, byte of a text; several indexes go deeper and deeper."""
    for each in indexes:
        if item is None:
            raise CallError("index of nil pointer")
        if isinstance(item, str):
            data = item.encode()
            at = _index_of(each, len(data))
            if at == len(data):
                raise CallError("reflect: string index out of range")
            item = data[at]
        elif isinstance(item, Mapping):
            if not isinstance(each, str):
                got = "nil" if each is None else type_name(each)
                raise CallError(
                    "value is nil; should be of type string"
                    if each is None
                    else f"value has type {got}; should be string"
                )
            item = item.get(each, None if isinstance(item, Args) else "")
        else:
            raise CallError(f"can't index item of type {type_name(item)}")
    if item is None and not indexes:
        raise CallError("index of untyped nil")
    return item


def cut(item: object, *indexes: object) -> str:
    """`slice`: bytes of a text from the first index to before the second."""
    if item is None:
        raise CallError("slice of untyped nil")
    if len(indexes) > 3:
        raise CallError(f"too many slice indexes: {len(indexes)}")
    if not isinstance(item, str):
        raise CallError(f"can't slice item of type {type_name(item)}")
    if len(indexes) == 3:
        raise CallError("cannot 3-index slice a string")
    data = item.encode()
    bounds = [0, len(data)]
    bounds[: len(indexes)] = [_index_of(each, len(data)) for each in indexes]
    if bounds[0] > bounds[1]:
        raise CallError(f"invalid slice index: {bounds[0]} > {bounds[1]}")
    return data[bounds[0] : bounds[1]].decode(errors="replace")


def _kind(value: object) -> str:
    return type_name(value) if isinstance(value, bool | int | float | str) else ""


def _mismatch(left: object, right: object) -> IncompatibleTypesError:
    pair = f"{type_name(left)} and {type_name(right)}"
    return IncompatibleTypesError(f"incompatible types for comparison: {pair}")


def equal(left: object, *others: object) -> bool:
    """Whether one of the others equals the first; a float never meets an int."""
    if not others:
        raise CallError("missing argument for comparison")
    for right in others:
        if _kind(left) != _kind(right):
            if left is not None and right is not None:
                raise _mismatch(left, right)
        elif isinstance(left, Mapping):
            raise CallError(f"non-comparable type {sprint(right)}: {type_name(right)}")
        elif left == right:
            return True
    return False


def less(left: object, right: object) -> bool:
    """Whether the first is less; texts by their bytes."""
    if not _kind(left) or not _kind(right):
        raise CallError("invalid type for comparison")
    if _kind(left) != _kind(right):
        raise _mismatch(left, right)
    if isinstance(left, bool):
        raise CallError("invalid type for comparison")
    if isinstance(left, str) and isinstance(right, str):
        return left.encode() < right.encode()
    assert isinstance(left, int | float)
    assert isinstance(right, int | float)
    return left < right


def _less_or_equal(left: object, right: object) -> bool:
    return less(left, right) or equal(left, right)


_HTML = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
)
_JS = str.maketrans(
    {
        **{chr(code): f"\\u{code:04X}" for code in range(0x20)},
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "<": "\\u003C",
        ">": "\\u003E",
        "&": "\\u0026",
        "=": "\\u003D",
    }
)


def html(*given: object) -> str:
    """Text with HTML's signs escaped."""
    return _printed(given).translate(_HTML)


def javascript(*given: object) -> str:
    """`js`: text as it may stand in a JavaScript string."""
    return "".join(
        c.translate(_JS) if c.isprintable() or c < " " else f"\\u{ord(c):04X}"
        for c in _printed(given)
    )


def urlquery(*given: object) -> str:
    """Text as it may stand in the query of a URL."""
    return quote_plus(_printed(given), safe="")


def _printed(given: Sequence[object]) -> str:
    return sprint(*("<no value>" if each is None else each for each in given))


GO: dict[str, Function] = {
    "and": Function(lambda *a: next((x for x in a if not is_true(x)), a[-1]), ("any",), "any"),
    "or": Function(lambda *a: next((x for x in a if is_true(x)), a[-1]), ("any",), "any"),
    "not": Function(lambda value: not is_true(value)),
    "eq": Function(equal, ("any",), "any"),
    "ne": Function(lambda left, right: not equal(left, right), ("any", "any")),
    "lt": Function(less, ("any", "any")),
    "le": Function(_less_or_equal, ("any", "any")),
    "gt": Function(lambda left, right: not _less_or_equal(left, right), ("any", "any")),
    "ge": Function(lambda left, right: not less(left, right), ("any", "any")),
    "len": Function(length),
    "index": Function(index, ("any",), "any"),
    "slice": Function(cut, ("any",), "any"),
    "print": Function(sprint, (), "any"),
    "printf": Function(sprintf, ("text",), "any"),
    "println": Function(sprintln, (), "any"),
    "html": Function(html, (), "any"),
    "js": Function(javascript, (), "any"),
    "urlquery": Function(urlquery, (), "any"),
}
_TEXTS = ("text",)
PROMETHEUS: dict[str, Function] = {
    "args": Function(lambda *a: Args({f"arg{i}": v for i, v in enumerate(a)}), (), "any"),
    "graphLink": Function(humanize.graph_link, _TEXTS),
    "humanize": Function(humanize.humanize),
    "humanize1024": Function(humanize.humanize_1024),
    "humanizeDuration": Function(humanize.humanize_duration),
    "humanizePercentage": Function(humanize.humanize_percentage),
    "humanizeTimestamp": Function(humanize.humanize_timestamp),
    "match": Function(humanize.match, ("text", "text")),
    "parseDuration": Function(humanize.parse_seconds, _TEXTS),
    "reReplaceAll": Function(humanize.replace_all, ("text", "text", "text")),
    "safeHtml": Function(lambda text: text, _TEXTS),
    "stripDomain": Function(humanize.strip_domain, _TEXTS),
    "stripPort": Function(humanize.strip_port, _TEXTS),
    "tableLink": Function(humanize.table_link, _TEXTS),
    "title": Function(humanize.title, _TEXTS),
    "toDuration": Function(humanize.to_duration),
    "toLower": Function(str.lower, _TEXTS),
    "toTime": Function(humanize.to_time),
    "toUpper": Function(str.upper, _TEXTS),
    "urlQueryEscape": Function(urlquery, _TEXTS),
}
# What depends on where and when a template is expanded; the template's scope answers for them.
SCOPED = {name: Function(lambda: None, ()) for name in ("externalURL", "now", "pathPrefix")}
FUNCTIONS: dict[str, Function] = {**GO, **PROMETHEUS, **SCOPED}
