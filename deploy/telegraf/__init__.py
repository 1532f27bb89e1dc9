"""A Telegraf of the tests' own, built from the Go module proxy."""
