"""REPORT: what a demo planted, raised and did, as one HTML page that opens offline."""

from streams.demo.report.contents import Chart, ReportData
from streams.demo.report.page import render

__all__ = ["Chart", "ReportData", "render"]
