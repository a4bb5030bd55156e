package train

import (
	"fmt"

	"vqspeech/vocoder/wavenet"
)

// Utterance is what a crop is taken from.
type Utterance struct {
	Latents []float32 // [n, d]
	Codes   []uint8   // mu-law, at least n*U
	Speaker int
}

// SetCrop makes L latents of u from latent first on, and the samples they stand
// for, item i of the batch, without jitter. It panics if they are not all there.
func (n *Net) SetCrop(i int, u Utterance, first int) {
	l, d := len(n.In.Jitter)/len(n.In.Speaker), n.cfg.Dim
	t := l * n.cfg.Upsampling
	start := first * n.cfg.Upsampling
	if first < 0 || (first+l)*d > len(u.Latents) || start+t > len(u.Codes) {
		panic(fmt.Sprintf("wavenet: crop of %d latents from %d on: the utterance has %d latents and %d codes", l, first, len(u.Latents)/d, len(u.Codes)))
	}
	copy(n.In.Latents[i*l*d:(i+1)*l*d], u.Latents[first*d:])
	clear(n.In.Jitter[i*l : (i+1)*l])
	n.In.Speaker[i] = int32(u.Speaker)
	previous := int32(wavenet.Start)
	if start > 0 {
		previous = int32(u.Codes[start-1])
	}
	for j, c := range u.Codes[start : start+t] {
		n.In.Previous[i*t+j], n.In.Codes[i*t+j] = previous, int32(c)
		previous = int32(c)
	}
}
