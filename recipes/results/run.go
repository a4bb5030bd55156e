// Package results reads the folders of training runs and makes of them what a
// paper shows: curves over the steps, and tables over seeds beside the published
// figures.
package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"vqspeech/internal/safetensors"
	"vqspeech/internal/training"
	"vqspeech/model/checkpoint"
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
	if _, err := r.ended(r.Speech.Train.MaxSteps); err != nil {
		return err
	}
	if step, _, ok := r.last(validMSE); !ok || step != r.Speech.Train.MaxSteps {
		return fmt.Errorf("%s: no evaluation of a valid set after the last step", r.Dir)
	}
	return nil
}

// ended wants the record of the last step and the model that is made after it,
// whose metadata it returns. A run that goes on after its end keeps the old model
// until it has the new one.
func (r *Run) ended(steps int) (map[string]string, error) {
	if at := r.Records[len(r.Records)-1].Step; at != steps {
		return nil, fmt.Errorf("%s: unfinished: step %d of %d", r.Dir, at, steps)
	}
	meta, err := metadata(filepath.Join(r.Dir, train.ModelFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: unfinished: it has no %s", r.Dir, train.ModelFile)
	}
	if of := meta[checkpoint.RunStepsKey]; err == nil && of != "" && of != strconv.Itoa(steps) {
		return nil, fmt.Errorf("%s: unfinished: its %s is that of a run of %s steps, want %d", r.Dir, train.ModelFile, of, steps)
	}
	return meta, err
}

// Finished returns the path of a file that ends a run, such as its model. A run that
// has gone on since, and is not at its end again, is an error that names the folder.
func Finished(dir, file string) (string, error) {
	path := filepath.Join(dir, file)
	of, err := metadata(path)
	if err != nil {
		return path, err
	}
	at, err := metadata(filepath.Join(dir, training.LatestFile))
	if errors.Is(err, os.ErrNotExist) {
		return path, nil // only what is finished was kept
	}
	if err != nil {
		return path, err
	}
	steps, _ := strconv.Atoi(of[checkpoint.RunStepsKey])
	if now, _ := strconv.Atoi(at[checkpoint.StepKey]); steps > 0 && now > steps {
		return path, fmt.Errorf("%s: unfinished: it is at step %d, its %s is that of a run of %d: finish it with train --resume, or name the file", dir, now, file, steps)
	}
	return path, nil
}

// metadata reads that of a model file.
func metadata(path string) (map[string]string, error) {
	return safetensors.Load(path, func(f *safetensors.File) (map[string]string, error) { return f.Metadata, nil })
}

const (
	validMSE        = "valid/mse_db2"
	validPerplexity = "valid/perplexity"
)
