"""Spans in OTLP: requests and durations by service, and by who calls whom."""

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from schemas.config import LimitsConfig
from schemas.reasons import DeadLetterReason as Why
from schemas.wire.otlp.edges import Edges, Half
from schemas.wire.otlp.spans import EDGE_REQUESTS, ERRORS, REQUESTS
from tests.schemas.wire.otlp.calls import CLIENT, INTERNAL, NOW, SERVER, client, server, span
from tests.schemas.wire.otlp.reading import GOLDEN, Reading
from tests.schemas.wire.otlp.reference import Sample


def totals(samples: list[Sample], metric: str) -> dict[tuple[str, ...], float]:
    """The last value of each series of a metric, by client and server, or by service."""
    found = {}
    for name, labels, _, value in samples:
        told = dict(labels)
        if name == metric:
            edge = (told["client"], told["server"]) if "client" in told else (told["service"],)
            found[edge] = float(value)
    return found


def test_requests_are_spans_of_servers() -> None:
    """Requests, errors and durations by service; what is inside a service or calls another is none."""
    found = Reading().samples(
        span("pay", SERVER, 0),
        span("pay", SERVER, 10, failed=True),
        span("pay", INTERNAL, 20),
        span("pay", CLIENT, 30),
        span("pay", SERVER, 5000),
    )

    assert {("pay",): 2.0} == totals(found, REQUESTS)
    assert {("pay",): 1.0} == totals(found, ERRORS)
    assert {("pay",): 2.0} == totals(found, "span_duration_seconds_count")
    assert {("pay",): 0.06} == totals(found, "span_duration_seconds_sum")
    assert {1000} == {time - NOW for *_, time, _ in found}


def test_two_halves_make_an_edge_whichever_comes_first() -> None:
    """The callee's span is the child of the caller's; it is a failure when either says so."""
    found = Reading().samples(
        server(1, 0), client(1, 5), client(2, 6), server(2, 7, failed=True), server(9, 2000)
    )

    assert {("cart", "pay"): 2.0} == totals(found, EDGE_REQUESTS)
    assert {("cart", "pay"): 1.0} == totals(found, "traces_service_graph_request_failed_total")
    for side in ("client", "server"):
        name = f"traces_service_graph_request_{side}_seconds_count"
        assert {("cart", "pay"): 2.0} == totals(found, name)


def test_an_edge_is_of_the_one_who_is_called() -> None:
    """It has his name as its service too, so that rules and incidents find him."""
    found = Reading().samples(server(1, 0), client(1, 5), server(9, 2000))
    edges = [dict(labels) for name, labels, *_ in found if name == EDGE_REQUESTS]

    assert ["pay"] == [labels["service"] for labels in edges]


def test_a_database_is_known_by_its_client_alone() -> None:
    """A call of which no second half comes is an edge after half a minute, where its attributes name the other side."""
    found = Reading().samples(
        client(1, 0, attributes={"db.system": "postgresql", "server.address": "db-1"}),
        client(2, 0),
        server(8, 31_000),
        server(9, 40_000),
    )

    assert {("cart", "postgresql"): 1.0} == totals(found, EDGE_REQUESTS)


def test_the_golden_spans_are_counted() -> None:
    """What the SDK and the Collector wrote, in protobuf and in JSON, gives the same edges and requests."""
    last = server(9, 10**9)
    for producer in GOLDEN:
        # the Collector puts a trace into a partition: here they stand one after the other
        found = Reading().samples(*GOLDEN[producer]["traces"], last)

        assert {("cart", "payment"), ("payment", "postgresql")} == set(totals(found, EDGE_REQUESTS))
        assert {("cart",): 3.0, ("payment",): 3.0} == totals(found, REQUESTS)
        assert {("cart",): 0.0, ("payment",): 1.0} == totals(found, ERRORS)


def test_a_span_without_an_end_is_refused_alone() -> None:
    """Its time is that of its end."""
    data = TracesData()
    spans = data.resource_spans.add().scope_spans.add().spans
    spans.add(start_time_unix_nano=1, kind=SERVER)
    spans.add(end_time_unix_nano=NOW * 10**6, kind=SERVER)
    columns = Reading().decode(data.SerializeToString())

    assert [(0, 0, Why.MISSING_TIME)] == [r[:3] for r in columns.refused]


def test_tenants_make_no_edge() -> None:
    """Two halves whose resources name different tenants are no call."""
    edges = Edges()
    one = Half("a", (("tenant", "x"),), is_client=True, seconds=1.0, failed=False)
    other = Half("b", (("tenant", "y"),), is_client=False, seconds=1.0, failed=False)

    assert [] == [*edges.add(b"k", one, 0), *edges.add(b"k", other, 0)]
    assert 0 == len(edges)


def test_only_so_many_halves_wait() -> None:
    """The oldest goes first, and tells its edge if it can."""
    edges = Edges(most=1)
    halves = [
        Half("a", (), is_client=True, seconds=1.0, failed=False, peer=peer) for peer in ("p", "q")
    ]
    found = [edge for n, half in enumerate(halves) for edge in edges.add(bytes([n]), half, 0)]

    assert [("a", "p")] == [(edge.client, edge.server) for edge in found]
    assert 1 == len(edges)


def test_a_record_with_too_many_spans_is_refused_whole() -> None:
    """None of them is counted then."""
    data = TracesData()
    spans = data.resource_spans.add().scope_spans.add().spans
    for number in range(LimitsConfig().samples_per_message // 1000):
        spans.add(end_time_unix_nano=number + 1)
    columns = Reading(samples_per_message=10).decode(data.SerializeToString())

    assert [Why.TOO_LARGE] == [r.reason for r in columns.refused]


calls = st.one_of(
    st.builds(client, st.integers(0, 3), st.integers(0, 70_000), failed=st.booleans()),
    st.builds(server, st.integers(0, 3), st.integers(0, 70_000), st.sampled_from(["pay", "db"])),
)


@given(st.lists(calls, max_size=8), st.sets(st.integers(1, 8)))
@settings(max_examples=50)
def test_edges_hang_neither_on_cuts_nor_on_restarts(values: list[bytes], cuts: set[int]) -> None:
    """In one chunk or in many, with a checkpoint after each, the same is told."""
    whole = Reading()
    wanted = whole.plain(whole.decode(*values))

    assert wanted == Reading().cut(values, sorted(cut for cut in cuts if cut < len(values)))
