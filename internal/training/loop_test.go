package training

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// journal is a Trainable that writes down what is asked of it.
type journal struct {
	steps   int
	best    int  // the step whose evaluation is the best
	nothing bool // to evaluate
	fail    string
	calls   []string
}

func (j *journal) note(what string) error {
	call := fmt.Sprintf("%s %d", what, j.steps)
	j.calls = append(j.calls, call)
	if call == j.fail {
		return errors.New(call + " fails")
	}
	return nil
}

func (j *journal) Steps() int { return j.steps }

func (j *journal) Step() error {
	j.steps++
	return j.note("step")
}

func (j *journal) Losses() any {
	j.note("losses")
	return map[string]any{"step": j.steps, "loss": 1 / float64(j.steps)}
}

func (j *journal) Evaluate() (any, bool, error) {
	if err := j.note("evaluate"); err != nil || j.nothing {
		return nil, false, err
	}
	record := map[string]any{"step": j.steps, "valid": map[string]any{"mse": j.steps, "best": "yes"}}
	return record, j.steps == j.best, nil
}

func (j *journal) Save(path string) error {
	if filepath.Base(path) == BestFile {
		return j.note("keep")
	}
	return j.note("save")
}

func (j *journal) Finish() error { return j.note("finish") }

func loop(t *testing.T, ctx context.Context, j *journal, dir string, o Options) error {
	t.Helper()
	o.Dir, o.Config = dir, map[string]int{"max_steps": o.MaxSteps}
	return Loop(ctx, o, j)
}

var everySecond = Options{MaxSteps: 5, LogEvery: 2, EvalEvery: 3, CheckpointEvery: 4}

func TestLoop(t *testing.T) {
	j, dir := &journal{best: 3}, t.TempDir()
	if err := loop(t, t.Context(), j, dir, everySecond); err != nil {
		t.Fatal(err)
	}
	want := "step 1,step 2,losses 2,step 3,evaluate 3,keep 3,save 3,step 4,losses 4,save 4,step 5,losses 5,evaluate 5,save 5,finish 5"
	if got := strings.Join(j.calls, ","); got != want {
		t.Errorf("calls\n%s, want\n%s", got, want)
	}
	var config map[string]int
	if err := ReadJSON(filepath.Join(dir, ConfigFile), &config); err != nil || config["max_steps"] != 5 {
		t.Errorf("config.json: %v, %v", config, err)
	}
}

// TestUntrained begins a run twice: its log has the first record once.
func TestUntrained(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		o := everySecond
		o.Untrained = func() (any, error) { return map[string]any{"step": 0, "valid": map[string]any{"mse": 7}}, nil }
		if err := loop(t, t.Context(), &journal{}, dir, o); err != nil {
			t.Fatal(err)
		}
	}
	records, err := ReadMetrics(filepath.Join(dir, MetricsFile))
	if err != nil || len(records) != 6 || records[0].Values["valid/mse"] != 7 || records[1].Step != 2 {
		t.Errorf("records %v, %v", records, err)
	}
	o := everySecond
	o.Untrained = func() (any, error) { return nil, errors.New("no weights") }
	if err := loop(t, t.Context(), &journal{}, dir, o); err == nil || err.Error() != "no weights" {
		t.Errorf("error %v", err)
	}
}

func TestLoopOfAFinishedRun(t *testing.T) {
	j := &journal{steps: 5}
	if err := loop(t, t.Context(), j, t.TempDir(), everySecond); err != nil || !slices.Equal(j.calls, []string{"finish 5"}) {
		t.Errorf("calls %v, %v", j.calls, err)
	}
}

func TestLoopProgress(t *testing.T) {
	for _, nothing := range []bool{false, true} {
		j := &journal{nothing: nothing}
		o := everySecond
		var got []bool
		o.Progress = func(evaluated bool) { got = append(got, evaluated) }
		if err := loop(t, t.Context(), j, t.TempDir(), o); err != nil {
			t.Fatal(err)
		}
		if want := []bool{false, false, !nothing, false, !nothing}; !slices.Equal(got, want) {
			t.Errorf("evaluations reported %v, want %v", got, want)
		}
	}
}

func TestLoopStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j := &journal{}
	o := everySecond
	o.Progress = func(bool) {
		if j.steps == 2 {
			cancel()
		}
	}
	if err := loop(t, ctx, j, t.TempDir(), o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if want := []string{"step 1", "step 2", "losses 2", "save 2"}; !slices.Equal(j.calls, want) {
		t.Errorf("calls %v, want %v", j.calls, want)
	}
	j.fail = "save 2"
	if err := loop(t, ctx, j, t.TempDir(), o); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "save 2 fails") {
		t.Errorf("error %v, want both", err)
	}
}

func TestLoopErrors(t *testing.T) {
	for _, fail := range []string{"step 2", "evaluate 3", "keep 3", "save 4", "finish 5"} {
		j := &journal{best: 3, fail: fail}
		if err := loop(t, t.Context(), j, t.TempDir(), everySecond); err == nil || err.Error() != fail+" fails" {
			t.Errorf("%s: error %v", fail, err)
		}
		if last := j.calls[len(j.calls)-1]; last != fail {
			t.Errorf("%s: %s came after it", fail, last)
		}
	}
}

// TestResume cuts a run after every number of steps and goes on from every
// checkpoint it might have had: the log is that of a run without a pause.
func TestResume(t *testing.T) {
	files := func(dir string) (metrics string, events []string) {
		b, err := os.ReadFile(filepath.Join(dir, MetricsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(b), readEvents(t, filepath.Join(dir, EventsFile))
	}
	whole := t.TempDir()
	if err := loop(t, t.Context(), &journal{}, whole, everySecond); err != nil {
		t.Fatal(err)
	}
	wantMetrics, wantEvents := files(whole)
	for reached := range everySecond.MaxSteps + 1 {
		for checkpoint := range reached + 1 {
			dir := t.TempDir()
			err := loop(t, t.Context(), &journal{fail: fmt.Sprintf("step %d", reached+1)}, dir, everySecond)
			if finished := reached == everySecond.MaxSteps; finished != (err == nil) {
				t.Fatal(err)
			}
			cut(t, filepath.Join(dir, MetricsFile), `{"step":`)
			cut(t, filepath.Join(dir, EventsFile), "\x30\x00\x00")
			if err := loop(t, t.Context(), &journal{steps: checkpoint}, dir, everySecond); err != nil {
				t.Fatal(err)
			}
			metrics, events := files(dir)
			if metrics != wantMetrics || !slices.Equal(events, wantEvents) {
				t.Errorf("%d steps, then from %d: log\n%sevents %v, want\n%sand %v", reached, checkpoint, metrics, events, wantMetrics, wantEvents)
			}
		}
	}
}

// cut appends the beginning of a record that a kill cut off.
func cut(t *testing.T, path, rest string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(rest); err != nil {
		t.Fatal(err)
	}
}

func TestLogRefuses(t *testing.T) {
	log, err := OpenLog(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, record := range []any{map[string]any{"loss": 1}, map[string]any{"step": -1}, map[string]any{"step": 0.5}, 3, make(chan int)} {
		if log.Write(record) == nil {
			t.Errorf("%v is logged", record)
		}
	}
	if _, err := OpenLog(filepath.Join(t.TempDir(), "none"), 0); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a missing folder: error %v", err)
	}
}

func TestReadMetrics(t *testing.T) {
	path := filepath.Join(t.TempDir(), MetricsFile)
	read := func(text string) ([]Record, error) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadMetrics(path)
	}
	got, err := read(`{"step":1,"recon/loss":2.5,"note":"x","list":[1]}` + "\n" + `{"step":2,"valid":{"mse_db2":31,"deep":{"er":-1}}}` + "\n" + `{"step":3`)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprint(got); s != "[{1 map[recon/loss:2.5]} {2 map[valid/deep/er:-1 valid/mse_db2:31]}]" {
		t.Errorf("records %s", s)
	}
	for text, want := range map[string]string{
		"{\n":                "line 1: unexpected end of JSON input",
		"{\"step\":1}\n[]\n": "line 2: json: cannot unmarshal array",
		"{\"step\":\"x\"}\n": "line 1: step is x, want a number of steps",
		strings.Repeat(" ", maxLineBytes+1) + "\n": "line 1: longer than 1048576 bytes",
	} {
		if _, err := read(text); err == nil || !strings.HasPrefix(err.Error(), path+": "+want) {
			t.Errorf("%.20q: error %v, want %s", text, err, want)
		}
	}
}

func FuzzReadMetrics(f *testing.F) {
	f.Add([]byte(`{"step":2,"valid":{"mse_db2":31}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := readRecords(strings.NewReader(string(text)))
		if err == nil && len(records) > strings.Count(string(text), "\n") {
			t.Errorf("%d records", len(records))
		}
	})
}
