"""What surrounds a running Tocsin: brokers to run it against, and later dashboards and charts."""
