package prior

import (
	"errors"
	"fmt"
)

// Config holds the hyper-parameters of one training run.
type Config struct {
	MaxSteps     int     `yaml:"max_steps" json:"max_steps"`
	BatchSize    int     `yaml:"batch_size" json:"batch_size"` // crops
	CropUnits    int     `yaml:"crop_units" json:"crop_units"` // symbols of a crop
	Seed         uint64  `yaml:"seed" json:"seed"`
	LearningRate float64 `yaml:"learning_rate" json:"learning_rate"`
	ClipNorm     float64 `yaml:"clip_norm" json:"clip_norm"` // global gradient norm

	LogEvery        int `yaml:"log_every" json:"log_every"`               // steps between lines of metrics.jsonl
	EvalEvery       int `yaml:"eval_every" json:"eval_every"`             // steps between evaluations
	CheckpointEvery int `yaml:"checkpoint_every" json:"checkpoint_every"` // steps between checkpoints
}

// DefaultConfig returns a schedule for an hour of speech, which the network soon
// knows by heart: the best step on held-out utterances comes long before the last.
func DefaultConfig() Config {
	return Config{
		MaxSteps: 1000, BatchSize: 16, CropUnits: 128, LearningRate: 1e-3, ClipNorm: 1,
		LogEvery: 10, EvalEvery: 50, CheckpointEvery: 500,
	}
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, field, want string, got any) {
		if !ok {
			errs = append(errs, fmt.Errorf("train.%s: must be %s (got %v)", field, want, got))
		}
	}
	check(c.MaxSteps >= 1, "max_steps", "at least 1", c.MaxSteps)
	check(c.BatchSize >= 1 && c.BatchSize <= 4096, "batch_size", "between 1 and 4096", c.BatchSize)
	check(c.CropUnits >= 1 && c.CropUnits <= 8192, "crop_units", "between 1 and 8192", c.CropUnits)
	check(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	check(c.ClipNorm > 0, "clip_norm", "above 0", c.ClipNorm)
	check(c.LogEvery >= 1, "log_every", "at least 1", c.LogEvery)
	check(c.EvalEvery >= 1, "eval_every", "at least 1", c.EvalEvery)
	check(c.CheckpointEvery >= 1, "checkpoint_every", "at least 1", c.CheckpointEvery)
	return errors.Join(errs...)
}
