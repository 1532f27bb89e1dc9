from benchmarks.times import ECHO_TIME, Times, quantile


def test_quantiles_are_waits_that_were_measured() -> None:
    """A quantile is never a number between two waits, and p99.9 of a few hundred is the longest."""
    waits = [float(n) for n in range(1, 301)]
    assert [150.0, 297.0, 300.0] == [quantile(waits, share) for share in (0.5, 0.99, 0.999)]


def test_only_the_first_page_of_a_breach_after_the_warm_up_counts() -> None:
    """A repeated announcement does not change a wait; breaches of the warm-up and those still open have none."""
    times = Times(expected=3, since=5.0)
    times.sent = {"early": 1.0, "late": 10.0, "open": 11.0}
    for service, now in (("early", 1.5), ("late", 10.25), ("late", 12.0)):
        times.page(service, now)
    assert [250.0] == times.waits_ms(times.paged)
    assert not times.all_paged.is_set()
    times.page("open", 13.0)
    assert times.all_paged.is_set()


def test_alerts_and_echoes_arrive_as_bytes() -> None:
    """An alert is known by its service, a tick is none, and an echo tells its own wait."""
    times = Times(expected=1, since=5.0)
    times.sent = {"cart": 6.0}
    times.alert(b'{"type":"tick","time":1}', 6.125)
    times.alert(b'{"labels":{"service":"cart"}}', 6.5)
    times.echo(ECHO_TIME.pack(4.0), 4.5)
    times.echo(ECHO_TIME.pack(6.0), 6.25)
    assert [500.0] == times.waits_ms(times.alerted)
    assert [250.0] == times.echoes_ms()
