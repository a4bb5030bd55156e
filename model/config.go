package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"vqspeech/features"
	"vqspeech/internal/fields"
)

// Config describes a speech model completely: with the weights it is all that
// encode, decode and convert need. It travels inside every model file.
type Config struct {
	Features  features.Config `yaml:"features" json:"features"`
	Net       NetConfig       `yaml:"model" json:"model"`
	Quantizer QuantizerConfig `yaml:"quantizer" json:"quantizer"`

	// Speakers are the ids of the decoder's speaker rows, in row order.
	Speakers []string `yaml:"-" json:"speakers"`
}

// NetConfig holds the sizes of the encoder and of the mel decoder
// (sony/sqvae speech; reference sizes are the defaults).
type NetConfig struct {
	Channels      int `yaml:"channels" json:"channels"`             // C of the five encoder convolutions
	SpeakerDim    int `yaml:"speaker_dim" json:"speaker_dim"`       // width of a speaker embedding
	DecoderHidden int `yaml:"decoder_hidden" json:"decoder_hidden"` // GRU width per direction
}

// QuantizerKind names a bottleneck.
type QuantizerKind string

const (
	Gaussian1 QuantizerKind = "gaussian-1" // SQ-VAE I: one variance for all
	Gaussian3 QuantizerKind = "gaussian-3" // SQ-VAE III: one variance per latent
	Gaussian4 QuantizerKind = "gaussian-4" // SQ-VAE IV: one variance per latent and dimension
	VQ        QuantizerKind = "vq"         // VQ-VAE with the codebook loss
	VQEMA     QuantizerKind = "vq-ema"     // VQ-VAE, codebook by exponential moving averages
)

// QuantizerKinds lists every kind in the order in which they are documented.
var QuantizerKinds = []QuantizerKind{Gaussian1, Gaussian3, Gaussian4, VQ, VQEMA}

// Gaussian reports whether k is one of the SQ-VAE kinds, which have a learned
// variance and a temperature.
func (k QuantizerKind) Gaussian() bool {
	return k == Gaussian1 || k == Gaussian3 || k == Gaussian4
}

// QuantizerConfig fixes the bottleneck. Only Kind, CodebookSize and
// CodebookDim matter after training.
type QuantizerConfig struct {
	Kind         QuantizerKind `yaml:"kind" json:"kind"`
	CodebookSize int           `yaml:"codebook_size" json:"codebook_size"` // K
	CodebookDim  int           `yaml:"codebook_dim" json:"codebook_dim"`   // D

	// Gaussian kinds: tau = Temperature * exp(-TemperatureDecay * step).
	Temperature      float64 `yaml:"temperature" json:"temperature"`
	TemperatureDecay float64 `yaml:"temperature_decay" json:"temperature_decay"`

	// VQ kinds.
	CommitmentWeight float64 `yaml:"commitment_weight" json:"commitment_weight"` // on the commitment term
	EMADecay         float64 `yaml:"ema_decay" json:"ema_decay"`
	EMAEpsilon       float64 `yaml:"ema_epsilon" json:"ema_epsilon"`
	EMADebias        bool    `yaml:"ema_debias" json:"ema_debias"` // true: Sonnet's zero-debiased averages; false: as published by bshall/ZeroSpeech

	// Every DeadCodeInterval steps, one of two rules may look at how often each
	// code was used in them. DeadCodeThreshold (Jukebox) resets all codes used
	// fewer than this many times to a random latent of the batch; 0 never.
	// DeadCodeFraction (HQA) moves the least used code beside the most used one if
	// it has less than this fraction of its uses; 0 never.
	DeadCodeThreshold int     `yaml:"dead_code_threshold" json:"dead_code_threshold"`
	DeadCodeFraction  float64 `yaml:"dead_code_fraction" json:"dead_code_fraction"`
	DeadCodeInterval  int     `yaml:"dead_code_interval" json:"dead_code_interval"`
}

// DefaultConfig returns the published reference model (sony/sqvae speech,
// gaussian-4) without speakers.
func DefaultConfig() Config {
	return Config{
		Features: features.Default(features.Reference),
		Net:      NetConfig{Channels: 768, SpeakerDim: 64, DecoderHidden: 128},
		Quantizer: QuantizerConfig{
			Kind: Gaussian4, CodebookSize: 512, CodebookDim: 64,
			Temperature: 1, TemperatureDecay: 1e-5,
			CommitmentWeight: 0.25, EMADecay: 0.999, EMAEpsilon: 1e-5,
			DeadCodeInterval: 100,
		},
	}
}

// Downsampling is the number of mel frames per unit.
const Downsampling = 2

// UnitCentre says where units lie: unit k is about the sample (k + UnitCentre)
// HopSamples, the middle of what the encoder sees of it, mel frames 2k+1 and 2k+2
// and as much before as after.
const UnitCentre = 0.75

// HopSamples returns the number of samples per unit at Features.SampleRate.
func (c Config) HopSamples() int { return Downsampling * c.Features.HopLength }

// CodeRate returns the number of units per second (Hz).
func (c Config) CodeRate() float64 {
	return float64(c.Features.SampleRate) / float64(c.HopSamples())
}

// LatentChannels returns C_out, the channels of the encoder's last layer: D,
// plus 1 (gaussian-3) or plus D (gaussian-4) for the log variance.
func (c Config) LatentChannels() int {
	d := c.Quantizer.CodebookDim
	switch c.Quantizer.Kind {
	case Gaussian3:
		return d + 1
	case Gaussian4:
		return 2 * d
	}
	return d
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("model")
	check.Also(c.Features.Validate())
	check.Between("channels", c.Net.Channels, 1, 4096)
	check.Between("speaker_dim", c.Net.SpeakerDim, 1, 1024)
	check.Between("decoder_hidden", c.Net.DecoderHidden, 1, 2048)
	check.Also(c.Quantizer.Validate(QuantizerKinds))
	return check.Err()
}

// Validate reports every field that is out of range, one error each. The kind
// must be one of kinds.
func (q QuantizerConfig) Validate(kinds []QuantizerKind) error {
	check := fields.Of("quantizer")
	check.That(slices.Contains(kinds, q.Kind), "kind", fmt.Sprintf("one of %v", kinds), strconv.Quote(string(q.Kind)))
	check.Between("codebook_size", q.CodebookSize, 2, 65536)
	check.Between("codebook_dim", q.CodebookDim, 1, 1024)
	check.Within("temperature", q.Temperature, 1e-3, 1e3)
	check.Within("temperature_decay", q.TemperatureDecay, 0, 1)
	check.Within("commitment_weight", q.CommitmentWeight, 0, 1e3)
	check.Within("ema_decay", q.EMADecay, 0, 1-1e-9)
	check.Within("ema_epsilon", q.EMAEpsilon, 1e-12, 1)
	check.Between("dead_code_threshold", q.DeadCodeThreshold, 0, 1<<20)
	check.Within("dead_code_fraction", q.DeadCodeFraction, 0, 1)
	if q.DeadCodeThreshold > 0 && q.DeadCodeFraction > 0 {
		check.Also(errors.New("quantizer: dead_code_threshold and dead_code_fraction are two rules, want one of them 0"))
	}
	check.Between("dead_code_interval", q.DeadCodeInterval, 1, 1<<30)
	return check.Err()
}

// TemperatureAfter returns the Gumbel temperature after step optimiser steps.
func (q QuantizerConfig) TemperatureAfter(step int) float64 {
	return q.Temperature * math.Exp(-q.TemperatureDecay*float64(step))
}
