package train

import (
	"vqspeech/internal/fields"
	"vqspeech/vocoder/envelope"
)

// Config holds the hyper-parameters of one training run.
type Config struct {
	MaxSteps     int     `yaml:"max_steps" json:"max_steps"`
	BatchSize    int     `yaml:"batch_size" json:"batch_size"`   // crops
	CropFrames   int     `yaml:"crop_frames" json:"crop_frames"` // latents per crop
	Seed         uint64  `yaml:"seed" json:"seed"`
	LearningRate float64 `yaml:"learning_rate" json:"learning_rate"`
	FinalRate    float64 `yaml:"final_rate" json:"final_rate"`   // of the last step: the rate falls on a quarter of a cosine
	ClipNorm     float64 `yaml:"clip_norm" json:"clip_norm"`     // global gradient norm
	Average      float64 `yaml:"average" json:"average"`         // decay of the moving average of the weights that generate
	PitchSteps   int     `yaml:"pitch_steps" json:"pitch_steps"` // of learning the pitch of features, before the network
	Noise        float64 `yaml:"noise" json:"noise"`             // largest spread (codes) of the noise on the codes a crop is told
	Jitter       float64 `yaml:"jitter" json:"jitter"`           // probability that a latent is replaced by one of its neighbours (Chorowski et al. 2019)

	Temperature float64 `yaml:"temperature" json:"temperature"`               // that the finished vocoder draws samples at
	Voiced      float64 `yaml:"voiced_temperature" json:"voiced_temperature"` // and voiced ones

	Envelope envelope.Options `yaml:"envelope" json:"envelope"` // how the finished vocoder restores the envelope of features

	LogEvery        int `yaml:"log_every" json:"log_every"`               // steps between lines of metrics.jsonl
	EvalEvery       int `yaml:"eval_every" json:"eval_every"`             // steps between evaluations of the valid set
	CheckpointEvery int `yaml:"checkpoint_every" json:"checkpoint_every"` // steps between checkpoints
}

// DefaultConfig returns a schedule for an hour of speech.
func DefaultConfig() Config {
	return Config{
		MaxSteps: 20000, BatchSize: 8, CropFrames: 24, LearningRate: 1e-3, FinalRate: 1e-5, ClipNorm: 1, Average: 0.999, PitchSteps: 3000, Noise: 2, Temperature: 1, Voiced: 1,
		Envelope: envelope.Options{Most: 20, Passes: 2},
		LogEvery: 10, EvalEvery: 500, CheckpointEvery: 500,
	}
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("train")
	check.AtLeast("max_steps", c.MaxSteps, 1)
	check.Between("batch_size", c.BatchSize, 1, 1024)
	check.Between("crop_frames", c.CropFrames, 1, 8192)
	check.That(c.LearningRate > 0 && c.LearningRate < 10, "learning_rate", "in (0, 10)", c.LearningRate)
	check.That(c.FinalRate > 0 && c.FinalRate <= c.LearningRate, "final_rate", "above 0, at most learning_rate", c.FinalRate)
	check.That(c.ClipNorm > 0, "clip_norm", "above 0", c.ClipNorm)
	check.That(c.Average >= 0 && c.Average < 1, "average", "in [0, 1)", c.Average)
	check.Between("pitch_steps", c.PitchSteps, 1, 1e6)
	check.Within("noise", c.Noise, 0, 32)
	check.Within("jitter", c.Jitter, 0, 1)
	check.That(c.Temperature > 0 && c.Temperature <= 2, "temperature", "above 0, at most 2", c.Temperature)
	check.That(c.Voiced > 0 && c.Voiced <= 2, "voiced_temperature", "above 0, at most 2", c.Voiced)
	check.AtLeast("log_every", c.LogEvery, 1)
	check.AtLeast("eval_every", c.EvalEvery, 1)
	check.AtLeast("checkpoint_every", c.CheckpointEvery, 1)
	check.Also(c.Envelope.Validate())
	return check.Err()
}
