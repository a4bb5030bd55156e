package prior

import (
	"vqspeech/internal/fields"
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
	check := fields.Of("train")
	check.AtLeast("max_steps", c.MaxSteps, 1)
	check.Between("batch_size", c.BatchSize, 1, 4096)
	check.Between("crop_units", c.CropUnits, 1, 8192)
	check.That(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	check.That(c.ClipNorm > 0, "clip_norm", "above 0", c.ClipNorm)
	check.AtLeast("log_every", c.LogEvery, 1)
	check.AtLeast("eval_every", c.EvalEvery, 1)
	check.AtLeast("checkpoint_every", c.CheckpointEvery, 1)
	return check.Err()
}
