module names

go 1.26.8

require github.com/prometheus/otlptranslator v1.0.0
