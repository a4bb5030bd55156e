package train

import (
	"errors"
	"fmt"
)

// Config holds the hyper-parameters of one training run.
type Config struct {
	Epochs       int     `yaml:"epochs" json:"epochs"`         // passes over the training grids
	MaxSteps     int     `yaml:"max_steps" json:"max_steps"`   // ends a run earlier; 0: does not
	BatchSize    int     `yaml:"batch_size" json:"batch_size"` // grids; the last batch of an epoch has the rest
	Seed         uint64  `yaml:"seed" json:"seed"`
	LearningRate float64 `yaml:"learning_rate" json:"learning_rate"`

	LogEvery        int `yaml:"log_every" json:"log_every"`               // steps between lines of metrics.jsonl
	CheckpointEvery int `yaml:"checkpoint_every" json:"checkpoint_every"` // steps between checkpoints
}

// DefaultConfig returns a schedule for MNIST, Fashion-MNIST and CIFAR-10; the
// paper's own is not published.
func DefaultConfig() Config {
	return Config{Epochs: 100, BatchSize: 128, LearningRate: 3e-4, LogEvery: 50, CheckpointEvery: 1000}
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, field, want string, got any) {
		if !ok {
			errs = append(errs, fmt.Errorf("train.%s: must be %s (got %v)", field, want, got))
		}
	}
	check(c.Epochs >= 1 && c.Epochs <= 1e6, "epochs", "between 1 and 1000000", c.Epochs)
	check(c.MaxSteps >= 0, "max_steps", "at least 0", c.MaxSteps)
	check(c.BatchSize >= 1 && c.BatchSize <= 4096, "batch_size", "between 1 and 4096", c.BatchSize)
	check(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	check(c.LogEvery >= 1, "log_every", "at least 1", c.LogEvery)
	check(c.CheckpointEvery >= 1, "checkpoint_every", "at least 1", c.CheckpointEvery)
	return errors.Join(errs...)
}
