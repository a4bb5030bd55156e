package model_test

import (
	"testing"

	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/model/modeltest"
)

// TestWork counts by hand for M = 20, C = 24, D = 8, K = 16, H = 8 and speakers
// of 4 dimensions.
func TestWork(t *testing.T) {
	const (
		perUnit = 2 * (2*24*(12+8) + 2*24*(16+8) + 16*20) // decoder, two frames
		encoder = 8*3*20*24 + 8*3*24*24 + 4*4*24*24 + 2*4*3*24*24
	)
	for _, c := range []struct {
		kind   model.QuantizerKind
		frames int
		want   model.Work
	}{
		{model.Gaussian4, 10, model.Work{Encoder: encoder + 4*24*16, Quantizer: 2 * 4 * 8 * 16, Decoder: 4 * perUnit}},
		{model.Gaussian4, 11, model.Work{Encoder: encoder + 4*24*16, Quantizer: 2 * 4 * 8 * 16, Decoder: 4 * perUnit}},
		{model.Gaussian3, 10, model.Work{Encoder: encoder + 4*24*9, Quantizer: 4 * 8 * 16, Decoder: 4 * perUnit}},
		{model.Gaussian1, 10, model.Work{Encoder: encoder + 4*24*8, Quantizer: 4 * 8 * 16, Decoder: 4 * perUnit}},
		{model.VQ, 10, model.Work{Encoder: encoder + 4*24*8, Quantizer: 4 * 8 * 16, Decoder: 4 * perUnit}},
	} {
		if got := modeltest.New(t, c.kind, features.Stream).Work(c.frames); got != c.want {
			t.Errorf("%s, %d frames: %+v, want %+v", c.kind, c.frames, got, c.want)
		}
	}
	// 700 units are three windows of 200 that see 50 more on either side, the
	// first none before it, and one of 100 that sees 50 before it.
	m := modeltest.New(t, model.VQ, features.Stream)
	for units, decoded := range map[int]int64{250: 250, 251: 250 + 101, 700: 250 + 300 + 300 + 150} {
		if got, want := m.Work(2*units+2).Decoder, decoded*perUnit; got != want {
			t.Errorf("%d units: decoder %d, want %d", units, got, want)
		}
	}
}
