// Package judge drives Alertmanager's own dispatcher, inhibitor, silences and notification pipeline through scenarios,
// in a bubble with a clock of its own, and writes down who is told what, when and why.
//
// Scenarios are read from the file that JUDGE_INPUT names, answers are written to JUDGE_OUTPUT; both are JSON.
package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/alertmanager/timeinterval"
)

type event struct {
	At       int64             `json:"at"`
	Kind     string            `json:"kind"`
	Labels   map[string]string `json:"labels,omitempty"`
	Firing   bool              `json:"firing,omitempty"`
	Name     string            `json:"name,omitempty"`
	Matchers []string          `json:"matchers,omitempty"`
	Until    int64             `json:"until,omitempty"`
}

type scenario struct {
	Name   string  `json:"name"`
	Config string  `json:"config"`
	Base   int64   `json:"base"`
	Until  int64   `json:"until"`
	Events []event `json:"events"`
}

type told struct {
	At       int64    `json:"at"`
	Receiver string   `json:"receiver"`
	Group    string   `json:"group"`
	Reason   string   `json:"reason"`
	Firing   []string `json:"firing"`
	Resolved []string `json:"resolved"`
}

type book struct {
	mu   sync.Mutex
	base time.Time
	told []told
}

type pen struct {
	book *book
	name string
}

func (p pen) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	key, _ := notify.ExtractGroupKey(ctx)
	reason, _ := notify.NotificationReason(ctx)
	entry := told{
		At: time.Since(p.book.base).Milliseconds(), Receiver: p.name, Group: key.String(),
		Reason: reason.String(), Firing: []string{}, Resolved: []string{},
	}
	for _, a := range alerts {
		if a.Resolved() {
			entry.Resolved = append(entry.Resolved, string(a.Labels["id"]))
		} else {
			entry.Firing = append(entry.Firing, string(a.Labels["id"]))
		}
	}
	sort.Strings(entry.Firing)
	sort.Strings(entry.Resolved)
	p.book.mu.Lock()
	p.book.told = append(p.book.told, entry)
	p.book.mu.Unlock()
	return false, nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fresh makes a timestamp, whose package the field's type names already.
func fresh[T any](field **T) {
	*field = new(T)
}

func play(given scenario) []told {
	// the inhibitor tidies up every 15 minutes, from two thousandths before the scenario begins
	time.Sleep(time.Until(time.UnixMilli(given.Base - 2)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	logger, registry, nop := slog.New(slog.DiscardHandler), prometheus.NewRegistry(), eventrecorder.NopRecorder()
	conf, err := config.Load(given.Config)
	must(err)
	written := &book{base: time.UnixMilli(given.Base), told: []told{}}

	receivers := map[string][]notify.Integration{}
	for _, r := range conf.Receivers {
		for i, hook := range r.WebhookConfigs {
			found := notify.NewIntegration(pen{written, r.Name}, hook, "webhook", i, r.Name)
			receivers[r.Name] = append(receivers[r.Name], found)
		}
	}
	silences, err := silence.New(silence.Options{
		Retention: 120 * time.Hour, Logger: logger, Metrics: registry, EventRecorder: nop,
	})
	must(err)
	silencer := silence.NewSilencer(silences, logger, nop)
	log, err := nflog.New(nflog.Options{Retention: 120 * time.Hour, Logger: logger, Metrics: registry})
	must(err)
	alerts, err := mem.NewAlerts(ctx, 30*time.Minute, 0, silencer, logger, nop, registry, featurecontrol.NoopFlags{})
	must(err)
	defer alerts.Close()
	inhibitor := inhibit.NewInhibitor(alerts, conf.InhibitRules, logger, nop)
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, ti := range conf.TimeIntervals {
		intervals[ti.Name] = ti.TimeIntervals
	}
	groups := marker.NewGroupMarker()
	pipeline := notify.NewPipelineBuilder(registry, featurecontrol.NoopFlags{}, nop).New(
		receivers, func() time.Duration { return 0 }, inhibitor, silencer,
		timeinterval.NewIntervener(intervals), groups, log, nil,
	)
	dispatcher := dispatch.NewDispatcher(
		alerts, dispatch.NewRoute(conf.Route, nil), pipeline, groups,
		func(d time.Duration) time.Duration { return max(d, 10*time.Second) },
		30*time.Second, nil, logger, nop, nil, nil,
	)
	go inhibitor.Run()
	defer inhibitor.Stop()
	go dispatcher.Run(time.Now())
	defer dispatcher.Stop()
	synctest.Wait()

	started, silenced := map[string]time.Time{}, map[string]string{}
	firing := map[string]model.LabelSet{}
	send := func(id string, set model.LabelSet, ends time.Time) {
		must(alerts.Put(ctx, &alert.Alert{
			Alert:     model.Alert{Labels: set, StartsAt: started[id], EndsAt: ends},
			UpdatedAt: time.Now(),
		}))
	}
	// as Prometheus does, what fires is sent again: only so the inhibitor finds a second source when one has ended,
	// and one that it has lost because another with the same labels was tidied up
	sendAll := func() {
		for _, id := range slices.Sorted(maps.Keys(firing)) {
			send(id, firing[id], time.Now().Add(1000*time.Hour))
		}
		synctest.Wait()
	}
	again := written.base.Add(15*time.Minute - time.Millisecond)
	wait := func(at int64) {
		until := written.base.Add(time.Duration(at) * time.Millisecond)
		for ; again.Before(until); again = again.Add(15 * time.Minute) {
			time.Sleep(time.Until(again))
			sendAll()
		}
		time.Sleep(time.Until(until))
	}
	for _, e := range given.Events {
		wait(e.At)
		now := time.Now()
		switch e.Kind {
		case "alert":
			set := model.LabelSet{}
			for name, value := range e.Labels {
				set[model.LabelName(name)] = model.LabelValue(value)
			}
			id := e.Labels["id"]
			if e.Firing {
				started[id], firing[id] = now, set
			} else {
				delete(firing, id)
				send(id, set, now)
			}
			sendAll()
		case "silence":
			sil := &silencepb.Silence{}
			ends := written.base.Add(time.Duration(e.Until) * time.Millisecond)
			fresh(&sil.StartsAt)
			fresh(&sil.EndsAt)
			sil.StartsAt.Seconds, sil.StartsAt.Nanos = now.Unix(), int32(now.Nanosecond())
			sil.EndsAt.Seconds, sil.EndsAt.Nanos = ends.Unix(), int32(ends.Nanosecond())
			kinds := map[labels.MatchType]silencepb.Matcher_Type{
				labels.MatchEqual: silencepb.Matcher_EQUAL, labels.MatchNotEqual: silencepb.Matcher_NOT_EQUAL,
				labels.MatchRegexp: silencepb.Matcher_REGEXP, labels.MatchNotRegexp: silencepb.Matcher_NOT_REGEXP,
			}
			set := &silencepb.MatcherSet{}
			for _, text := range e.Matchers {
				m, err := labels.ParseMatcher(text)
				must(err)
				set.Matchers = append(set.Matchers, &silencepb.Matcher{Type: kinds[m.Type], Name: m.Name, Pattern: m.Value})
			}
			sil.MatcherSets = []*silencepb.MatcherSet{set}
			must(silences.Set(ctx, sil))
			silenced[e.Name] = sil.Id
		case "expire":
			must(silences.Expire(ctx, silenced[e.Name]))
		default:
			panic(e.Kind)
		}
		synctest.Wait()
	}
	wait(given.Until)
	synctest.Wait()
	written.mu.Lock()
	defer written.mu.Unlock()
	return written.told
}

// moments answers, for each interval and time, whether Alertmanager holds the one to contain the other.
type moments struct {
	Config string  `json:"config"`
	Times  []int64 `json:"times"`
}

func (m moments) contains() [][]bool {
	conf, err := config.Load(m.Config)
	must(err)
	answers := [][]bool{}
	for _, named := range conf.TimeIntervals {
		row := []bool{}
		for _, at := range m.Times {
			inside := false
			for _, interval := range named.TimeIntervals {
				inside = inside || interval.ContainsTime(time.UnixMilli(at).UTC())
			}
			row = append(row, inside)
		}
		answers = append(answers, row)
	}
	return answers
}

// parsed answers what Alertmanager reads from the text of matchers; null where it refuses.
func parsed(texts []string) []any {
	answers := []any{}
	for _, text := range texts {
		found, err := labels.ParseMatchers(text)
		if err != nil {
			answers = append(answers, nil)
			continue
		}
		shown := []string{}
		for _, m := range found {
			shown = append(shown, m.String())
		}
		answers = append(answers, shown)
	}
	return answers
}

func TestJudge(t *testing.T) {
	var given struct {
		Scenarios []scenario `json:"scenarios"`
		Moments   moments    `json:"moments"`
		Matchers  []string   `json:"matchers"`
	}
	data, err := os.ReadFile(os.Getenv("JUDGE_INPUT"))
	must(err)
	must(json.Unmarshal(data, &given))
	answers := map[string]any{"matchers": parsed(given.Matchers)}
	if given.Moments.Config != "" {
		answers["moments"] = given.Moments.contains()
	}
	scenarios := map[string][]told{}
	for _, s := range given.Scenarios {
		if _, twice := scenarios[s.Name]; twice {
			panic(fmt.Sprintf("two scenarios are called %s", s.Name))
		}
		synctest.Test(t, func(*testing.T) { scenarios[s.Name] = play(s) })
	}
	answers["scenarios"] = scenarios
	out, err := json.Marshal(answers)
	must(err)
	must(os.WriteFile(os.Getenv("JUDGE_OUTPUT"), out, 0o600))
}
