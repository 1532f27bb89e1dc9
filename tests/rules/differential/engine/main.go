// Judge evaluates expressions with Prometheus's own engine over its own storage.
//
// It reads JSON from standard input: {"every_ms", "step_ms", "series": [{"labels", "values", "times_ms"}], "cases":
// [{"expression", "at_ms"}]}, values in promtool's notation, times one for each value or left out, and writes a JSON array: for
// each case {"error"} or {"samples": [[labels, value], ...]}. Experimental functions are on, as promtool cannot have them.
// Series are stored in the order given; a sample that repeats a time is one that the storage refuses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
)

type input struct {
	EveryMs int64 `json:"every_ms"`
	StepMs  int64 `json:"step_ms"`
	Series  []struct {
		Labels string `json:"labels"`
		Values string `json:"values"`
		TimesMs []int64 `json:"times_ms"`
	} `json:"series"`
	Cases []struct {
		Expression string `json:"expression"`
		AtMs       int64  `json:"at_ms"`
	} `json:"cases"`
}

type answer struct {
	Error   string              `json:"error,omitempty"`
	Samples [][]json.RawMessage `json:"samples"`
}

func quoted(value any) json.RawMessage {
	text, err := json.Marshal(value)
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func load(asked input, reader parser.Parser) *teststorage.TestStorage {
	store, err := teststorage.NewWithError()
	check(err)
	for _, series := range asked.Series {
		metric, values, err := reader.ParseSeriesDesc(series.Labels + " " + series.Values)
		check(err)
		appender := store.AppenderV2(context.Background())
		for i, value := range values {
			if value.Omitted {
				continue
			}
			at := int64(i) * asked.EveryMs
			if series.TimesMs != nil {
				at = series.TimesMs[i]
			}
			_, err := appender.Append(0, metric, 0, at, value.Value, nil, value.Histogram, storage.AOptions{})
			if !errors.Is(err, storage.ErrDuplicateSampleForTimestamp) && !errors.Is(err, storage.ErrOutOfOrderSample) {
				check(err)
			}
		}
		check(appender.Commit())
	}
	return store
}

func shown(value float64, h *histogram.FloatHistogram) json.RawMessage {
	if h != nil {
		return quoted(promqltest.HistogramTestExpression(h))
	}
	return quoted(strconv.FormatFloat(value, 'g', -1, 64))
}

func evaluate(engine *promql.Engine, store storage.Queryable, expression string, at time.Time) answer {
	ctx := context.Background()
	query, err := engine.NewInstantQuery(ctx, store, nil, expression, at)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return answer{Error: result.Err.Error()}
	}
	found := answer{Samples: [][]json.RawMessage{}}
	switch value := result.Value.(type) {
	case promql.Vector:
		for _, each := range value {
			found.Samples = append(found.Samples, []json.RawMessage{quoted(each.Metric), shown(each.F, each.H)})
		}
	case promql.Scalar:
		found.Samples = append(found.Samples, []json.RawMessage{quoted(map[string]string{}), shown(value.V, nil)})
	default:
		found.Error = "neither a vector nor a scalar"
	}
	return found
}

func main() {
	var asked input
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	reader := parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
	store := load(asked, reader)
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples:               50_000_000,
		Timeout:                  100 * time.Second,
		NoStepSubqueryIntervalFn: func(int64) int64 { return asked.StepMs },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   reader,
	})
	answers := []answer{}
	for _, each := range asked.Cases {
		answers = append(answers, evaluate(engine, store, each.Expression, time.UnixMilli(each.AtMs)))
	}
	check(json.NewEncoder(os.Stdout).Encode(answers))
	check(store.Close())
}
