package metric

import (
	"math"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/golden"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*max(1, math.Abs(want))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func count(t *testing.T, size int, codes ...uint16) *Counter {
	t.Helper()
	c := NewCounter(size)
	if err := c.Add(codes); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		name                string
		counter             *Counter
		used                int
		entropy, perplexity float64
	}{
		{"nothing", count(t, 4), 0, 0, 1},
		{"one code", count(t, 4, 2, 2, 2), 1, 0, 1},
		{"two alike", count(t, 4, 0, 3, 3, 0), 2, 1, 2},
		{"all alike", count(t, 4, 0, 1, 2, 3), 4, 2, 4},
		// p = 1/2, 1/4, 1/4: H = 1.5 bits
		{"skewed", count(t, 8, 5, 5, 6, 7), 3, 1.5, 2 * math.Sqrt2},
	} {
		near(t, c.name+": used", float64(c.counter.Used()), float64(c.used))
		near(t, c.name+": entropy", c.counter.Entropy(), c.entropy)
		near(t, c.name+": perplexity", c.counter.Perplexity(), c.perplexity)
		near(t, c.name+": 2^H", math.Exp2(c.counter.Entropy()), c.perplexity)
		near(t, c.name+": perplexity without eps", c.counter.PerplexityEps(0), c.perplexity)
		if math.Signbit(c.counter.Entropy()) {
			t.Errorf("%s: entropy is -0", c.name)
		}
	}
	near(t, "usage", count(t, 8, 5, 5, 6, 7).Usage(), 3.0/8)
	// p = 1/2 twice: exp(-ln(1/2 + eps)) = 1/(1/2 + eps)
	near(t, "perplexity with eps", count(t, 4, 0, 1).PerplexityEps(0.25), 4.0/3)
}

func TestBitrate(t *testing.T) {
	// 100 units of two symbols, alike, in 2 s: 50 bit/s.
	c := NewCounter(512)
	for range 50 {
		if err := c.Add([]uint16{7, 9}); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "entropy bitrate", c.EntropyBitrate(2), 50)
	near(t, "no duration", c.EntropyBitrate(0), 0)
}

func TestAdd(t *testing.T) {
	c := count(t, 4, 0, 1)
	if err := c.Add([]uint16{2, 4}); err == nil || !strings.Contains(err.Error(), "code 4 does not fit a codebook of 4") {
		t.Errorf("code out of range: %v", err)
	}
	if c.Total() != 2 || c.Used() != 2 {
		t.Errorf("a refused Add left %d codes, want 2", c.Total())
	}
}

// perplexityOf returns the published perplexity of golden codes.
func perplexityOf(t *testing.T, f *golden.File, name string, size int, eps float64) []float32 {
	t.Helper()
	c := NewCounter(size)
	if err := c.Add(toCodes(f.I32(name))); err != nil {
		t.Fatal(err)
	}
	return []float32{float32(c.PerplexityEps(eps))}
}

func toCodes(x []int32) []uint16 {
	codes := make([]uint16, len(x))
	for i, v := range x {
		codes[i] = uint16(v)
	}
	return codes
}

func TestGoldenPerplexity(t *testing.T) {
	for _, file := range golden.Glob(t, "speech_*.safetensors") {
		f := golden.Open(t, file)
		f.Check("loss.perplexity_hard", perplexityOf(t, f, "out.index", f.Int("K"), f.Float("perplexity_eps")))
	}
	for _, file := range golden.Glob(t, "vq_*.safetensors") {
		f := golden.Open(t, file)
		for _, name := range f.Names() {
			if step, ok := strings.CutSuffix(name, "loss.perplexity"); ok {
				f.Check(name, perplexityOf(t, f, step+"out.index", f.Int("K"), f.Float("perplexity_eps")))
			}
		}
	}
	f := golden.Open(t, "quantizer2d.safetensors")
	for _, name := range f.Names() {
		if prefix, ok := strings.CutSuffix(name, "perplexity_hard"); ok {
			f.Check(name, perplexityOf(t, f, prefix+"index_det", f.Int("K"), PublishedEps))
			f.Check(name+"_eps1e7", perplexityOf(t, f, prefix+"index_det", f.Int("K"), 1e-7))
		}
	}
}

func TestShares(t *testing.T) {
	c := NewCounter(4)
	if got := c.Shares(); !slices.Equal(got, []float64{0, 0, 0, 0}) {
		t.Errorf("shares of no codes are %v", got)
	}
	if err := c.Add([]uint16{2, 2, 0, 2}); err != nil {
		t.Fatal(err)
	}
	if got := c.Shares(); !slices.Equal(got, []float64{0.75, 0.25, 0, 0}) {
		t.Errorf("shares %v", got)
	}
}
