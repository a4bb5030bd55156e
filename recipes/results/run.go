// Package results reads the folders of training runs and makes of them what a
// paper shows: curves over the steps, and tables over seeds beside the published
// figures.
package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vqspeech/internal/training"
	"vqspeech/model/train"
)

// Run is the folder of a training run of any kind.
type Run struct {
	Dir     string
	Records []training.Record // in the order of the steps; at least one

	// Speech is what a run of a speech model was given; nil for other runs.
	Speech *train.RunConfig
}

// Open reads a run folder. A run without a single record is an error.
func Open(dir string) (*Run, error) {
	records, err := training.ReadMetrics(filepath.Join(dir, training.MetricsFile))
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%s: nothing is recorded yet", filepath.Join(dir, training.MetricsFile))
	}
	r := &Run{Dir: dir, Records: records}
	if c, err := train.ReadRunConfig(dir); err == nil {
		r.Speech = &c
	}
	return r, nil
}

// last returns the last record that has a value.
func (r *Run) last(name string) (step int, value float64, ok bool) {
	for _, record := range r.Records {
		if v, has := record.Values[name]; has {
			step, value, ok = record.Step, v, true
		}
	}
	return step, value, ok
}

// Unfinished says why the run of a speech model has no final result: an error
// that names the folder. It is nil where the run has one.
func (r *Run) Unfinished() error {
	if r.Speech == nil {
		_, err := train.ReadRunConfig(r.Dir)
		return err
	}
	if at, most := r.Records[len(r.Records)-1].Step, r.Speech.Train.MaxSteps; at != most {
		return fmt.Errorf("%s: unfinished: step %d of %d", r.Dir, at, most)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, train.ModelFile)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%s: unfinished: it has no %s", r.Dir, train.ModelFile)
		}
		return err
	}
	if step, _, ok := r.last(validMSE); !ok || step != r.Speech.Train.MaxSteps {
		return fmt.Errorf("%s: no evaluation of a valid set after the last step", r.Dir)
	}
	return nil
}

const (
	validMSE        = "valid/mse_db2"
	validPerplexity = "valid/perplexity"
)
