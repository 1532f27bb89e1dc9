"""The demo's report: what was told, with charts of the services around each fault."""

from streams.demo.charts import draw
from streams.demo.report import ReportData
from streams.demo.report import render as render_page
from streams.demo.run import Told, demo_rules


def render(told: Told) -> str:
    """One self-contained HTML page."""
    shop = told.shop
    return render_page(
        ReportData(
            title="Tocsin demo",
            seed=shop.seed,
            start_ms=shop.start_ms,
            end_ms=shop.end_ms,
            edges=shop.edges("acme"),
            verdict=told.verdict,
            incidents=sorted(told.collector.incidents.values(), key=lambda i: (i.opened_at, i.id)),
            alerts=list(told.collector.alerts.values()),
            remediations=told.collector.remediations,
            charts=draw(told.config, demo_rules("charts.yml"), told.sent),
            facts={
                "samples": str(told.samples),
                "messages": str(told.messages),
                "wall seconds": f"{told.wall_seconds:.0f}",
            },
        )
    )
