"""Rule unit tests in promtool's format: reads them, runs them on our engine, and says what promtool says."""
