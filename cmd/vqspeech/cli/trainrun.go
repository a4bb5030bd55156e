package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// trainReport is the JSON object of train, with what there is for its kind.
type trainReport struct {
	Run        string         `json:"run"`
	Model      string         `json:"model,omitempty"`
	Vocoder    string         `json:"vocoder,omitempty"`
	Prior      string         `json:"prior,omitempty"`
	Steps      int            `json:"steps"`
	Seconds    float64        `json:"seconds"`
	Valid      any            `json:"valid,omitempty"` // the last one
	ValidBits  *float64       `json:"valid_bits_per_sample,omitempty"`
	Test       any            `json:"test,omitempty"`
	Utterances map[string]int `json:"utterances,omitempty"`
	Images     map[string]int `json:"images,omitempty"`
}

// trainingRun shows a training run on the terminal.
type trainingRun struct {
	bar         *meter
	done, steps int    // done is 0 before the first step of this session
	result      string // the set that the finished model was measured on and its scores, in words
}

// step shows the state after a step.
func (t *trainingRun) step(done int, loss string, args ...any) {
	t.done = done
	t.bar.what = "train " + fmt.Sprintf(loss, args...)
	t.bar.set(done, t.steps)
}

// valid shows an evaluation after that step.
func (t *trainingRun) valid(scores string) { t.bar.note("step %d: valid %s", t.done, scores) }

// runTraining trains, shows how far it is, and reports what train has put into r.
func (a *app) runTraining(cmd *cobra.Command, o trainOptions, r *trainReport, train func(context.Context, *trainingRun) error) error {
	begun := time.Now()
	t := &trainingRun{bar: newMeter(a.stderr, "train", r.Steps), steps: r.Steps}
	a.savesOnInterrupt.Store(true)
	err := train(cmd.Context(), t)
	t.bar.finish()
	if errors.Is(err, context.Canceled) {
		return interrupted(o.run, t.done, err)
	}
	if err != nil {
		return pathFirst(err)
	}
	r.Seconds = time.Since(begun).Seconds()
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	result := cmp.Or(r.Model, r.Vocoder, r.Prior)
	if t.result != "" {
		fmt.Fprintf(a.stderr, "%s: %s\n", result, t.result)
	}
	fmt.Fprintf(a.stderr, "%s: %d steps in %s\n", result, r.Steps, time.Since(begun).Round(time.Second))
	return nil
}

// interrupted tells what became of the state of a run that was stopped after a
// step of this session, 0 before the first.
func interrupted(run string, step int, err error) error {
	if err := unsaved(run, err); err != nil {
		return err
	}
	done := "before the first step"
	if step > 0 {
		done = fmt.Sprintf("and saved at step %d", step)
	}
	return hintError{fmt.Errorf("%s: interrupted %s", run, done), "the same command with --resume goes on"}
}

// unsaved returns what else than the interruption err tells: why the state of run is
// lost; nil if it is not.
func unsaved(run string, err error) error {
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != context.Canceled.Error() {
			return fmt.Errorf("%s: interrupted, and the state could not be saved: %s", run, line)
		}
	}
	return nil
}
