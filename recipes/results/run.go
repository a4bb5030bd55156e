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
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
)

// Run is the folder of a training run of any kind.
type Run struct {
	Dir     string
	Records []training.Record // in the order of the steps; at least one

	// What a run of a speech or an image model was given; nil for other runs.
	Speech *train.RunConfig
	Image  *imagetrain.RunConfig
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
	} else if c, err := imagetrain.ReadRunConfig(dir); err == nil {
		r.Image = &c
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
	if err := r.ended(r.Speech.Train.MaxSteps, train.ModelFile); err != nil {
		return err
	}
	if step, _, ok := r.last(validMSE); !ok || step != r.Speech.Train.MaxSteps {
		return fmt.Errorf("%s: no evaluation of a valid set after the last step", r.Dir)
	}
	return nil
}

// ended wants the record of the last step, and a file that is written after it.
func (r *Run) ended(steps int, file string) error {
	if at := r.Records[len(r.Records)-1].Step; at != steps {
		return fmt.Errorf("%s: unfinished: step %d of %d", r.Dir, at, steps)
	}
	_, err := os.Stat(filepath.Join(r.Dir, file))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: unfinished: it has no %s", r.Dir, file)
	}
	return err
}

const (
	validMSE        = "valid/mse_db2"
	validPerplexity = "valid/perplexity"
)
