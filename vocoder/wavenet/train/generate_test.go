package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// Generation with cached inputs along given codes is the training graph, at
// every sample: both read weights in their own way, and this holds them
// together.
func TestGenerationIsTheTrainingGraph(t *testing.T) {
	for _, c := range networks(t) {
		t.Run(c.name, func(t *testing.T) {
			w := wavenettest.Random(c.cfg, 1)
			n, err := New(c.cfg, w, 1, c.latents)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			rng := rand.New(rand.NewPCG(2, 3))
			codes := make([]uint8, len(n.In.Codes))
			for i := range codes {
				codes[i] = uint8(rng.IntN(wavenet.Levels))
				n.In.Codes[i] = int32(codes[i])
			}
			speaker := c.cfg.Speakers - 1
			n.In.Speaker[0] = int32(speaker)
			copy(n.In.Previous, shifted(n.In.Codes, 1))
			copy(n.In.Latents, wavenettest.Latents(c.cfg, c.latents, 4))
			if _, err := n.Run(); err != nil {
				t.Fatal(err)
			}
			g, err := wavenet.New(c.cfg, w)
			if err != nil {
				t.Fatal(err)
			}
			want := graphtest.Floats(n.Nodes.Logits)
			samples := 0
			err = g.Force(n.In.Latents, speaker, codes, func(at int, logits []float32) {
				samples++
				for k, v := range logits {
					if d := math.Abs(float64(v - want[at*wavenet.Levels+k])); !(d < 1e-4) && !t.Failed() {
						t.Errorf("sample %d, code %d: logit %g, want %g", at, k, v, want[at*wavenet.Levels+k])
					}
				}
			})
			if err != nil || samples != len(codes) {
				t.Fatalf("%d samples of %d: %v", samples, len(codes), err)
			}
			got, err := g.Score(n.In.Latents, speaker, codes)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range graphtest.Floats(n.Nodes.NLL) {
				if d := math.Abs(float64(got[i] - v)); !(d < 1e-4) {
					t.Fatalf("sample %d: %g nats, want %g", i, got[i], v)
				}
			}
		})
	}
}

type network struct {
	name    string
	cfg     wavenet.Config
	latents int
}

// networks lists the presets with two and three taps, odd lengths and both kinds
// of upsampling and scaling, all longer than their longest dilation. Of the
// largest that is only one, and none in plain Go: its samples are 100 times the
// work of those of the smallest.
func networks(t testing.TB) []network {
	var list []network
	for i, name := range wavenet.Presets {
		for _, kernel := range []int{2, 3} {
			for _, strides := range [][]int{nil, {3, 5, 2}} {
				cfg, err := wavenet.Preset(name)
				if err != nil {
					t.Fatal(err)
				}
				cfg.Kernel, cfg.Speakers, cfg.Dim = kernel, 3, 7
				cfg.Strides, cfg.Upsampling, cfg.CondReLU, cfg.Scaled = strides, 31, kernel == 2, strides != nil
				if strides != nil {
					cfg.Upsampling = 30
				}
				latents := []int{13, 31, 1}[i]
				if name == "chorowski" && kernel == 2 && strides == nil && simd.ISA() != "generic" {
					latents = 35
				}
				list = append(list, network{fmt.Sprintf("%s/k%d/%v", name, kernel, strides), cfg, latents})
			}
		}
	}
	gru := list[0]
	gru.name, gru.cfg.GRU = "gru", 48
	return append(list, gru)
}
