package wavenet

import (
	"fmt"
	"strings"
)

// Presets names the sizes that [Preset] knows, smallest first.
var Presets = []string{"tiny", "small", "chorowski"}

// Preset returns a size by name, for 64-dimensional latents of 320 samples and
// one speaker; the caller changes these to what its latents are.
//
//	tiny       12 layers of 32 channels, receptive field 127 samples
//	small      16 layers of 64 channels, 511 samples
//	chorowski  20 layers of 368 channels, 2047 samples, learned upsampling:
//	           the size of Chorowski et al. 2019 as hrbigelow/ae-wavenet has it
func Preset(name string) (Config, error) {
	c := Config{Dim: 64, Upsampling: 320, Speakers: 1, Cycles: 2, Kernel: 2}
	switch name {
	case "tiny":
		c.CycleLayers, c.Residual, c.Gate, c.Skip, c.CondChannels, c.SpeakerDim, c.Post = 6, 32, 32, 64, 32, 16, 64
	case "small":
		c.CycleLayers, c.Residual, c.Gate, c.Skip, c.CondChannels, c.SpeakerDim, c.Post = 8, 64, 64, 128, 64, 32, 128
	case "chorowski":
		c.CycleLayers, c.Residual, c.Gate, c.Skip, c.CondChannels, c.SpeakerDim, c.Post = 10, 368, 256, 256, 128, 64, 256
		c.Strides = []int{5, 4, 4, 4}
	default:
		return Config{}, fmt.Errorf("wavenet: unknown preset %q, want one of %s", name, strings.Join(Presets, ", "))
	}
	return c, nil
}
