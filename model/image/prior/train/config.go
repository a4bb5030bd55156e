package train

import (
	"vqspeech/internal/fields"
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
	check := fields.Of("train")
	check.Between("epochs", c.Epochs, 1, 1e6)
	check.AtLeast("max_steps", c.MaxSteps, 0)
	check.Between("batch_size", c.BatchSize, 1, 4096)
	check.That(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	check.AtLeast("log_every", c.LogEvery, 1)
	check.AtLeast("checkpoint_every", c.CheckpointEvery, 1)
	return check.Err()
}
