package train

import (
	"vqspeech/internal/fields"
)

// Config holds the hyper-parameters of one training run. DefaultConfig has
// the published values (sony/sqvae speech config).
type Config struct {
	MaxSteps     int     `yaml:"max_steps" json:"max_steps"`
	BatchSize    int     `yaml:"batch_size" json:"batch_size"`   // crops
	CropFrames   int     `yaml:"crop_frames" json:"crop_frames"` // mel frames per crop, even
	Seed         uint64  `yaml:"seed" json:"seed"`
	LearningRate float64 `yaml:"learning_rate" json:"learning_rate"`
	Milestones   []int   `yaml:"milestones" json:"milestones"` // steps at which the rate is multiplied by MilestoneGamma
	Gamma        float64 `yaml:"milestone_gamma" json:"milestone_gamma"`
	ClipNorm     float64 `yaml:"clip_norm" json:"clip_norm"`           // global gradient norm
	Jitter       float64 `yaml:"jitter" json:"jitter"`                 // probability that a latent is replaced by a neighbour
	Recon        string  `yaml:"recon" json:"recon"`                   // "arelbo" (nats) or "mse" (mean squared feature error)
	RandomGainDB float64 `yaml:"random_gain_db" json:"random_gain_db"` // stream front end: each crop is scaled by a gain uniform in ±this

	LogEvery        int `yaml:"log_every" json:"log_every"`               // steps between lines of metrics.jsonl
	EvalEvery       int `yaml:"eval_every" json:"eval_every"`             // steps between evaluations of the valid and held-out sets
	CheckpointEvery int `yaml:"checkpoint_every" json:"checkpoint_every"` // steps between checkpoints
}

// DefaultConfig returns the published schedule.
func DefaultConfig() Config {
	return Config{
		MaxSteps: 500000, BatchSize: 52, CropFrames: 34, Seed: 0,
		LearningRate: 4e-4, Milestones: []int{300000, 400000}, Gamma: 0.5, ClipNorm: 1,
		Jitter: 0.5, Recon: "arelbo", LogEvery: 10, EvalEvery: 1000, CheckpointEvery: 1000,
	}
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("train")
	check.AtLeast("max_steps", c.MaxSteps, 1)
	check.Between("batch_size", c.BatchSize, 1, 4096)
	check.That(c.CropFrames >= 6 && c.CropFrames <= 8192 && c.CropFrames%2 == 0, "crop_frames", "even, between 6 and 8192", c.CropFrames)
	check.That(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	for i, m := range c.Milestones {
		check.That(m > 0 && (i == 0 || m > c.Milestones[i-1]), "milestones", "positive and increasing", c.Milestones)
	}
	check.That(c.Gamma > 0 && c.Gamma <= 1, "milestone_gamma", "in (0, 1]", c.Gamma)
	check.That(c.ClipNorm > 0, "clip_norm", "above 0", c.ClipNorm)
	check.Within("jitter", c.Jitter, 0, 1)
	check.That(c.Recon == "arelbo" || c.Recon == "mse", "recon", `"arelbo" or "mse"`, c.Recon)
	check.That(c.RandomGainDB >= 0 && c.RandomGainDB <= 60, "random_gain_db", "between 0 and 60 dB", c.RandomGainDB)
	check.AtLeast("log_every", c.LogEvery, 1)
	check.AtLeast("eval_every", c.EvalEvery, 1)
	check.AtLeast("checkpoint_every", c.CheckpointEvery, 1)
	return check.Err()
}
