// Relabel applies relabel rules with Prometheus's own code.
//
// It reads JSON from standard input, [{"rules": [{...}], "labels": {...}}], rules as in Prometheus's configuration, and
// writes a JSON array: for each case {"error"}, {"dropped": true} or {"labels": {...}}.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"go.yaml.in/yaml/v2"
)

type input struct {
	Rules  json.RawMessage   `json:"rules"`
	Labels map[string]string `json:"labels"`
}

type answer struct {
	Error   string            `json:"error,omitempty"`
	Dropped bool              `json:"dropped,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
}

func judge(asked input) answer {
	var rules []*relabel.Config
	// JSON is YAML: defaults and checks are those of a configuration file
	if err := yaml.UnmarshalStrict(asked.Rules, &rules); err != nil {
		return answer{Error: err.Error()}
	}
	for _, rule := range rules {
		if err := rule.Validate(model.UTF8Validation); err != nil {
			return answer{Error: err.Error()}
		}
	}
	builder := labels.NewBuilder(labels.FromMap(asked.Labels))
	if !relabel.ProcessBuilder(builder, rules...) {
		return answer{Dropped: true}
	}
	return answer{Labels: builder.Labels().Map()}
}

func main() {
	var asked []input
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, "relabel:", err)
		os.Exit(1)
	}
	answers := make([]answer, 0, len(asked))
	for _, each := range asked {
		answers = append(answers, judge(each))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, "relabel:", err)
		os.Exit(1)
	}
}
