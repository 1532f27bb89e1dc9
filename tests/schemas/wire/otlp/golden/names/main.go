// Names as Prometheus gives them to what it receives by OTLP: `go run . > ../names.json`.
package main

import (
	"encoding/json"
	"os"

	"github.com/prometheus/otlptranslator"
)

type row struct {
	Name, Unit, Kind, Prometheus string
}

func main() {
	names := []string{
		"http.server.request.duration", "system.cpu.time", "requests_total", "total", "9lives", "a__b",
		"jvm.memory.used_bytes", "ratio", "queue.depth", "größe", "___", "..", "x:y", "process.cpu.utilization",
		"disk.io.per_second", "http_requests_total_seconds", "bytes",
	}
	units := []string{
		"", "1", "s", "ms", "By", "By/s", "{request}", "{request}/s", "m/s", "%", "Cel", "requests", "KiBy/min",
		"/s", "a b", "s/{x}", "1/s", "€", "m/€", "_s_", "foo/bar/baz",
	}
	kinds := map[string]otlptranslator.MetricType{
		"gauge":   otlptranslator.MetricTypeGauge,
		"counter": otlptranslator.MetricTypeMonotonicCounter,
		"other":   otlptranslator.MetricTypeHistogram,
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	var metrics []row
	for _, name := range names {
		for _, unit := range units {
			for _, kind := range []string{"gauge", "counter", "other"} {
				found, err := namer.Build(otlptranslator.Metric{Name: name, Unit: unit, Type: kinds[kind]})
				if err != nil {
					found = ""
				}
				metrics = append(metrics, row{name, unit, kind, found})
			}
		}
	}
	labels := map[string]string{}
	labeller := otlptranslator.LabelNamer{}
	for _, name := range []string{
		"http.method", "a..b", "9x", "_x", "__reserved__", "__re..served__", "größe", "k8s.pod.name", "___", ".", "a-b",
		"__x", "x__", "____", "A_b",
	} {
		found, err := labeller.Build(name)
		if err != nil {
			found = ""
		}
		labels[name] = found
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(map[string]any{"metrics": metrics, "labels": labels}); err != nil {
		panic(err)
	}
}
