package unitprior

import (
	"vqspeech/internal/fields"
	"vqspeech/model"
)

// Config describes a prior completely. It travels inside every prior file.
type Config struct {
	Net          NetConfig `json:"unit_prior"`
	CodebookSize int       `json:"codebook_size"` // K
	Model        string    `json:"model"`         // fingerprint (hexadecimal) of the model whose units they are
}

// NetConfig fixes the network's size.
type NetConfig struct {
	Embedding int `yaml:"embedding" json:"embedding"` // E, dimension of a unit's embedding
	Hidden    int `yaml:"hidden" json:"hidden"`       // H, recurrent units
}

// DefaultNet returns a size for some hours of speech.
func DefaultNet() NetConfig { return NetConfig{Embedding: 128, Hidden: 256} }

// Validate reports every field that is out of range, one error each.
func (n NetConfig) Validate() error {
	check := fields.Of("unit_prior")
	check.Between("embedding", n.Embedding, 1, 4096)
	check.Between("hidden", n.Hidden, 1, 4096)
	return check.Err()
}

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("")
	check.Also(c.Net.Validate())
	check.Between("codebook_size", c.CodebookSize, 1, 1<<16)
	return check.Err()
}

// Symbols returns the size of the alphabet: every code and the end.
func (c Config) Symbols() int { return c.CodebookSize + 1 }

// End returns the symbol after the last unit, which stands before the first too.
func (c Config) End() int32 { return int32(c.CodebookSize) }

// Names of the tensors, those of PyTorch's Embedding, GRU and Linear.
const (
	Embedding  = "embedding.weight"
	InputGates = "rnn.weight_ih_l0"
	StateGates = "rnn.weight_hh_l0"
	InputBias  = "rnn.bias_ih_l0"
	StateBias  = "rnn.bias_hh_l0"
	Head       = "head.weight"
	HeadBias   = "head.bias"
)

// Params lists the trained tensors in a fixed order.
func (c Config) Params() []model.Param {
	e, h, symbols := c.Net.Embedding, c.Net.Hidden, c.Symbols()
	return []model.Param{
		model.EmbeddingParam(Embedding, symbols, e),
		model.LinearParam(InputGates, 3*h, e), model.LinearParam(StateGates, 3*h, h),
		model.BiasParam(InputBias, 3*h, h), model.BiasParam(StateBias, 3*h, h),
		model.LinearParam(Head, symbols, h), model.BiasParam(HeadBias, symbols, h),
	}
}

// Buffers is empty: a prior has no tensors but those of Params.
func (Config) Buffers() []model.Param { return nil }

// ConfigKey is the metadata key under which a prior file keeps its Config as
// JSON.
const ConfigKey = "vqspeech.unit_prior"

// MetadataKey is ConfigKey.
func (Config) MetadataKey() string { return ConfigKey }
