"""Random expressions over random series, through our plans and through the real promtool."""
