package wavenet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// Codes that a network has drawn itself are as likely under its rounded weights.
func TestInt8Likelihood(t *testing.T) {
	for _, name := range []string{"tiny", "small", "gru"} {
		// Spreads of the logits that leave entropies like those of a residual and
		// of a waveform: the less there is, the more an error weighs.
		for _, spread := range []float32{1, 3} {
			t.Run(fmt.Sprint(name, spread), func(t *testing.T) {
				cfg := sized(t, name)
				w := wavenettest.Random(cfg, 1)
				for p, values := range w {
					factor := float32(2) // of weights that have been trained
					if p == "head2.weight" {
						factor = spread
					}
					for i := range values {
						values[i] *= factor
					}
				}
				g, err := wavenet.New(cfg, w)
				if err != nil {
					t.Fatal(err)
				}
				rounded, err := wavenet.NewInt8(cfg, w)
				if err != nil {
					t.Fatal(err)
				}
				latents := wavenettest.Latents(cfg, 10, 2)
				u := make([]float32, 10*cfg.Upsampling)
				rng := rand.New(rand.NewPCG(1, 2))
				for i := range u {
					u[i] = rng.Float32()
				}
				drawn, _ := g.Generate(wavenet.DefaultOptions(), latents, u)
				codes := make([]uint8, len(drawn))
				for i, c := range drawn {
					codes[i] = uint8(c)
				}
				want, got := nll(t, g, latents, codes), nll(t, rounded, latents, codes)
				t.Logf("%.4f nats per sample, with bytes %.4f", want, got)
				if want == got || math.Abs(got-want) > 0.01*want {
					t.Errorf("%g nats per sample with bytes, want within 1 %% of %g", got, want)
				}
			})
		}
	}
}

// nll is the mean negative log-likelihood (nats per sample).
func nll(t *testing.T, g *wavenet.Generator, latents []float32, codes []uint8) float64 {
	scores, err := g.Score(latents, 0, codes)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, v := range scores {
		sum += float64(v)
	}
	return sum / float64(len(scores))
}

// sized returns a preset, or with the name gru the preset tiny with 96 recurrent
// units.
func sized(t testing.TB, name string) wavenet.Config {
	units := 0
	if name == "gru" {
		name, units = "tiny", 96
	}
	cfg, err := wavenet.Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg.GRU = units
	return cfg
}
