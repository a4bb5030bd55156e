package wavenet

import (
	"errors"
	"fmt"

	"vqspeech/audio/mulaw"
	"vqspeech/features"
	"vqspeech/internal/fields"
	"vqspeech/vocoder/lpc"
)

// Config describes a network completely: with the weights it is all that
// generation needs.
type Config struct {
	Dim        int   `yaml:"dim" json:"dim"`               // d, width of a latent
	Upsampling int   `yaml:"upsampling" json:"upsampling"` // U, samples per latent
	Strides    []int `yaml:"strides" json:"strides"`       // of the transposed convolutions, product U; empty: latents are repeated
	Speakers   int   `yaml:"-" json:"speakers"`            // rows of the speaker table

	CondChannels int  `yaml:"cond_channels" json:"cond_channels"` // C
	CondReLU     bool `yaml:"cond_relu" json:"cond_relu"`         // after the convolution over latents
	SpeakerDim   int  `yaml:"speaker_dim" json:"speaker_dim"`     // G

	Cycles      int  `yaml:"cycles" json:"cycles"`
	CycleLayers int  `yaml:"cycle_layers" json:"cycle_layers"` // P, dilations 1, 2, … 2^(P-1)
	Kernel      int  `yaml:"kernel" json:"kernel"`             // taps of a dilated convolution
	Residual    int  `yaml:"residual" json:"residual"`         // R
	Gate        int  `yaml:"gate" json:"gate"`                 // D
	Skip        int  `yaml:"skip" json:"skip"`                 // S
	Post        int  `yaml:"post" json:"post"`                 // channels between the two layers of the head
	Scaled      bool `yaml:"scaled" json:"scaled"`             // residual sums times sqrt(1/2), skip sum times sqrt(1/M) (r9y9/wavenet_vocoder)

	// GRU, if not 0, puts a recurrent layer of so many units in the place of the
	// dilated ones: Cycles, CycleLayers, Kernel, Gate, Skip and Scaled are then
	// not read.
	GRU int `yaml:"gru" json:"gru,omitempty"` // H

	// Prediction makes the codes those of the residual of linear prediction
	// from the latents, which then are features followed by the two values of
	// [Pitch] (package lpc; LPCNet, Valin & Skoglund 2019). The network is also
	// told the last sample, the prediction, and the residual a period ago.
	Prediction bool            `yaml:"prediction" json:"prediction,omitempty"`
	Features   features.Config `yaml:"-" json:"features,omitzero"` // that the latents are, with Prediction
}

// Constants of the alphabet.
const (
	Levels = mulaw.Levels // codes
	Start  = Levels / 2   // the code before the first, silence
)

// Layers returns M, the number of dilated layers; there are none with GRU.
func (c Config) Layers() int {
	if c.GRU > 0 {
		return 0
	}
	return c.Cycles * c.CycleLayers
}

// headInputs returns the number of channels that the head sees: S, with GRU H.
func (c Config) headInputs() int {
	if c.GRU > 0 {
		return c.GRU
	}
	return c.Skip
}

// Dilation returns the distance between two taps of layer l (samples).
func (c Config) Dilation(l int) int { return 1 << (l % c.CycleLayers) }

// ReceptiveField returns the number of past codes, the newest among them, that
// a prediction of the dilated layers depends on. With GRU it depends on all.
func (c Config) ReceptiveField() int {
	return c.Cycles*(c.Kernel-1)*(1<<c.CycleLayers-1) + 1
}

// upKernel returns the taps of an upsampling transposed convolution: 4 strides,
// or 5 if the stride is odd, so that the padding on either side, half of what
// they exceed the stride by, is whole.
func upKernel(stride int) int { return (4 + stride%2) * stride }

// Validate reports every field that is out of range, one error each.
func (c Config) Validate() error {
	check := fields.Of("wavenet")
	check.Between("dim", c.Dim, 1, 4096)
	check.Between("upsampling", c.Upsampling, 1, 1<<16)
	check.Between("speakers", c.Speakers, 1, 1<<20)
	check.Between("cond_channels", c.CondChannels, 1, 4096)
	check.Between("speaker_dim", c.SpeakerDim, 1, 1024)
	check.Between("residual", c.Residual, 1, 4096)
	check.Between("post", c.Post, 1, 4096)
	check.Between("gru", c.GRU, 0, 4096)
	if c.GRU == 0 {
		check.Between("cycles", c.Cycles, 1, 64)
		check.Between("cycle_layers", c.CycleLayers, 1, 16)
		check.Between("kernel", c.Kernel, 2, 16)
		check.Between("gate", c.Gate, 1, 4096)
		check.Between("skip", c.Skip, 1, 4096)
	}
	product := 1
	for i, s := range c.Strides {
		check.Between(fmt.Sprintf("strides[%d]", i), s, 2, 64)
		product = min(product*max(s, 1), 1<<32)
	}
	if len(c.Strides) > 0 && product != c.Upsampling {
		check.Also(fmt.Errorf("wavenet.strides: the product of %v must be upsampling, %d", c.Strides, c.Upsampling))
	}
	if !c.Prediction {
		return check.Err()
	}
	if len(c.Strides) > 0 {
		check.Also(errors.New("wavenet.strides: must be empty with prediction, whose filters change with the latents"))
	}
	if c.Dim != c.Features.NMels+PitchDims || c.Upsampling != c.Features.HopLength {
		check.Also(fmt.Errorf("wavenet.prediction: latents of %d values for %d samples, want %d and %d for the features",
			c.Dim, c.Upsampling, c.Features.NMels+PitchDims, c.Features.HopLength))
	}
	check.That(c.Upsampling%lpc.PerFrame == 0, "upsampling", fmt.Sprintf("a multiple of %d with prediction", lpc.PerFrame), c.Upsampling)
	check.Also(c.Features.Validate())
	return check.Err()
}
