package train

import (
	"vqspeech/internal/fields"
)

// Config holds the hyper-parameters of one training run. DefaultConfig has the
// published values (sony/sqvae vision).
type Config struct {
	Epochs          int     `yaml:"epochs" json:"epochs"`         // passes over the training images
	MaxSteps        int     `yaml:"max_steps" json:"max_steps"`   // ends a run earlier; 0: does not
	BatchSize       int     `yaml:"batch_size" json:"batch_size"` // images; the last batch of an epoch has the rest
	Seed            uint64  `yaml:"seed" json:"seed"`
	LearningRate    float64 `yaml:"learning_rate" json:"learning_rate"`
	PlateauFactor   float64 `yaml:"plateau_factor" json:"plateau_factor"`     // of the learning rate when the validation loss stops falling
	PlateauPatience int     `yaml:"plateau_patience" json:"plateau_patience"` // epochs without a better loss before that

	LogEvery        int `yaml:"log_every" json:"log_every"`               // steps between lines of metrics.jsonl
	CheckpointEvery int `yaml:"checkpoint_every" json:"checkpoint_every"` // steps between checkpoints
}

// DefaultConfig returns the published schedule of MNIST, Fashion-MNIST and
// CIFAR-10; CelebA and CelebAMask-HQ have 70 epochs.
func DefaultConfig() Config {
	return Config{
		Epochs: 100, BatchSize: 32, LearningRate: 1e-3, PlateauFactor: 0.5, PlateauPatience: 3,
		LogEvery: 50, CheckpointEvery: 1000,
	}
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("train")
	check.Between("epochs", c.Epochs, 1, 1e6)
	check.AtLeast("max_steps", c.MaxSteps, 0)
	check.Between("batch_size", c.BatchSize, 1, 4096)
	check.That(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	check.That(c.PlateauFactor > 0 && c.PlateauFactor <= 1, "plateau_factor", "in (0, 1]", c.PlateauFactor)
	check.AtLeast("plateau_patience", c.PlateauPatience, 0)
	check.AtLeast("log_every", c.LogEvery, 1)
	check.AtLeast("checkpoint_every", c.CheckpointEvery, 1)
	return check.Err()
}
