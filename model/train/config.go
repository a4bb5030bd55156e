package train

import (
	"errors"
	"fmt"
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
	var errs []error
	check := func(ok bool, field, want string, got any) {
		if !ok {
			errs = append(errs, fmt.Errorf("train.%s: must be %s (got %v)", field, want, got))
		}
	}
	check(c.MaxSteps >= 1, "max_steps", "at least 1", c.MaxSteps)
	check(c.BatchSize >= 1 && c.BatchSize <= 4096, "batch_size", "between 1 and 4096", c.BatchSize)
	check(c.CropFrames >= 6 && c.CropFrames <= 8192 && c.CropFrames%2 == 0, "crop_frames", "even, between 6 and 8192", c.CropFrames)
	check(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	for i, m := range c.Milestones {
		check(m > 0 && (i == 0 || m > c.Milestones[i-1]), "milestones", "positive and increasing", c.Milestones)
	}
	check(c.Gamma > 0 && c.Gamma <= 1, "milestone_gamma", "in (0, 1]", c.Gamma)
	check(c.ClipNorm > 0, "clip_norm", "above 0", c.ClipNorm)
	check(c.Jitter >= 0 && c.Jitter <= 1, "jitter", "in [0, 1]", c.Jitter)
	check(c.Recon == "arelbo" || c.Recon == "mse", "recon", `"arelbo" or "mse"`, c.Recon)
	check(c.RandomGainDB >= 0 && c.RandomGainDB <= 60, "random_gain_db", "between 0 and 60 dB", c.RandomGainDB)
	check(c.LogEvery >= 1, "log_every", "at least 1", c.LogEvery)
	check(c.EvalEvery >= 1, "eval_every", "at least 1", c.EvalEvery)
	check(c.CheckpointEvery >= 1, "checkpoint_every", "at least 1", c.CheckpointEvery)
	return errors.Join(errs...)
}
