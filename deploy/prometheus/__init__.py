"""The real promtool and Prometheus, built from the Go module proxy: the judges that our rules are held against."""
