package wavenet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"vqspeech/internal/simd"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// small returns a network that is quick to run, of odd sizes.
func small(t testing.TB, kernel int, strides ...int) *wavenet.Generator {
	return kind{kernel: kernel, strides: strides}.generator(t)
}

// kind is a variety of small networks.
type kind struct {
	kernel  int
	strides []int
	gru     int
	int8    bool
}

var kinds = []kind{
	{kernel: 2}, {kernel: 3}, {kernel: 2, strides: []int{4, 5}}, {kernel: 3, strides: []int{2, 3, 3}}, {gru: 37}, {gru: 19, strides: []int{4, 5}},
	{kernel: 2, int8: true}, {kernel: 3, strides: []int{2, 3, 3}, int8: true}, {gru: 37, int8: true},
}

func (k kind) generator(t testing.TB) *wavenet.Generator {
	cfg := wavenet.Config{
		Dim: 5, Upsampling: 11, Strides: k.strides, Speakers: 3, CondChannels: 7, CondReLU: true, SpeakerDim: 3,
		Cycles: 2, CycleLayers: 4, Kernel: k.kernel, Residual: 9, Gate: 21, Skip: 35, Post: 13, Scaled: k.kernel == 3, GRU: k.gru,
	}
	if len(k.strides) > 0 {
		cfg.Upsampling = 1
		for _, s := range k.strides {
			cfg.Upsampling *= s
		}
	}
	pack := wavenet.New
	if k.int8 {
		pack = wavenet.NewInt8
	}
	g, err := pack(cfg, wavenettest.Random(cfg, 7))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func stream(t testing.TB, g *wavenet.Generator, o wavenet.Options) *wavenet.Stream {
	s, err := g.NewStream(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// utterance draws an utterance whole.
func utterance(t testing.TB, g *wavenet.Generator, o wavenet.Options, latents []float32) []float32 {
	s := stream(t, g, o)
	out := push(t, s, latents)
	out = append(out, s.Flush()...)
	if want := len(latents) / g.Config().Dim * g.Config().Upsampling; len(out) != want {
		t.Fatalf("%d samples, want %d", len(out), want)
	}
	return out
}

func push(t testing.TB, s *wavenet.Stream, latents []float32) []float32 {
	out, err := s.Push(latents)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(out)
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d samples, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: sample %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestStreamIsWhole(t *testing.T) {
	for _, k := range kinds {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			g := k.generator(t)
			d := g.Config().Dim
			rng := rand.New(rand.NewPCG(1, 2))
			for _, l := range []int{0, 1, 2, 3, 7, 40} {
				o := wavenet.Options{Speaker: l % 3, Seed: uint64(l), Temperature: 0.9, TopP: 0.95}
				latents := wavenettest.Latents(g.Config(), l, 5)
				want := utterance(t, g, o, latents)
				s := stream(t, g, o)
				for round := range 2 { // the second utterance of a stream is as the first
					var got []float32
					for at := 0; at < l; {
						n := min(rng.IntN(4), l-at)
						got = append(got, push(t, s, latents[at*d:(at+n)*d])...)
						at += n
					}
					got = append(got, s.Flush()...)
					sameBits(t, fmt.Sprint(l, " latents, round ", round), got, want)
				}
			}
		})
	}
}

func TestBatchIsSingle(t *testing.T) {
	for _, k := range kinds {
		for _, n := range []int{1, 2, 3, 8, 17} {
			t.Run(fmt.Sprint(k, n), func(t *testing.T) {
				g := k.generator(t)
				d := g.Config().Dim
				var streams []*wavenet.Stream
				var latents, want [][]float32
				got := make([][]float32, n)
				for i := range n {
					o := wavenet.Options{Speaker: i % 3, Seed: uint64(i), Temperature: 1, TopP: 1}
					latents = append(latents, wavenettest.Latents(g.Config(), 3+i%5, uint64(i)))
					want = append(want, utterance(t, g, o, latents[i]))
					streams = append(streams, stream(t, g, o))
				}
				add := func(out [][]float32, err error) {
					if err != nil {
						t.Fatal(err)
					}
					for i := range out {
						got[i] = append(got[i], out[i]...)
					}
				}
				first, second := make([][]float32, n), make([][]float32, n)
				for i, x := range latents {
					cut := i % 3 * d
					first[i], second[i] = x[:cut], x[cut:]
				}
				add(wavenet.PushAll(streams, first))
				add(wavenet.PushAll(streams, second))
				add(wavenet.FlushAll(streams), nil)
				for i := range n {
					sameBits(t, fmt.Sprint("stream ", i), got[i], want[i])
				}
			})
		}
	}
}

// The assembly kernels fuse multiply and add, so they agree bit for bit.
func TestSameSamplesOnAssemblySets(t *testing.T) {
	defer func(name string) { _ = simd.SetISA(name) }(simd.ISA())
	for _, k := range kinds {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			var want []float32
			for _, name := range simd.ISAs() {
				if name == "generic" {
					continue
				}
				if err := simd.SetISA(name); err != nil {
					t.Fatal(err)
				}
				g := k.generator(t)
				got := utterance(t, g, wavenet.DefaultOptions(), wavenettest.Latents(g.Config(), 12, 3))
				if want == nil {
					want = got
				}
				sameBits(t, name, got, want)
			}
		})
	}
}

func TestSeedsAndSpeakersDiffer(t *testing.T) {
	g := small(t, 2)
	latents := wavenettest.Latents(g.Config(), 9, 1)
	o := wavenet.DefaultOptions()
	a := utterance(t, g, o, latents)
	o.Seed = 1
	if slices.Equal(a, utterance(t, g, o, latents)) {
		t.Error("two seeds give the same samples")
	}
	o = wavenet.Options{TopP: 1} // greedy
	b := utterance(t, g, o, latents)
	o.Seed = 1
	sameBits(t, "greedy, another seed", utterance(t, g, o, latents), b)
	o.Speaker = 1
	if slices.Equal(b, utterance(t, g, o, latents)) {
		t.Error("two speakers give the same samples")
	}
}

func TestRefusals(t *testing.T) {
	g := small(t, 2)
	nan := float32(math.NaN())
	for _, o := range []wavenet.Options{
		{Speaker: 3, Temperature: 1, TopP: 1}, {Speaker: -1, Temperature: 1, TopP: 1}, {Temperature: -1, TopP: 1}, {Temperature: 1e-40, TopP: 1},
		{Temperature: math.NaN(), TopP: 1}, {Temperature: 1}, {Temperature: 1, TopP: 1.5}, {Temperature: 1, TopP: math.NaN()},
	} {
		if _, err := g.NewStream(o); err == nil {
			t.Errorf("options %+v are taken", o)
		}
	}
	s := stream(t, g, wavenet.DefaultOptions())
	for _, x := range [][]float32{{1}, {0, 0, 0, 0, nan}} {
		if _, err := s.Push(x); err == nil {
			t.Errorf("latents %v are taken", x)
		}
	}
	if n := len(s.Flush()); n != 0 {
		t.Errorf("refused latents give %d samples", n)
	}
	if _, err := wavenet.PushAll([]*wavenet.Stream{s}, nil); err == nil {
		t.Error("no latents for one stream")
	}
	other := stream(t, small(t, 2), wavenet.DefaultOptions())
	if _, err := wavenet.PushAll([]*wavenet.Stream{s, other}, make([][]float32, 2)); err == nil {
		t.Error("streams of two generators advance together")
	}
}

func TestGeneratorIsSafeForConcurrentUse(t *testing.T) {
	g := small(t, 2, 4, 5)
	latents := wavenettest.Latents(g.Config(), 9, 1)
	want := utterance(t, g, wavenet.DefaultOptions(), latents)
	got := make([][]float32, 4)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() { got[i] = utterance(t, g, wavenet.DefaultOptions(), latents) })
	}
	wait.Wait()
	for i := range got {
		sameBits(t, fmt.Sprint("goroutine ", i), got[i], want)
	}
}

// Memory does not follow the length of a stream.
func TestStreamAllocations(t *testing.T) {
	for _, k := range []kind{{kernel: 2}, {kernel: 2, int8: true}, {gru: 37}, {gru: 37, int8: true}} {
		g := k.generator(t)
		s := stream(t, g, wavenet.DefaultOptions())
		latents := wavenettest.Latents(g.Config(), 10, 1)
		push(t, s, latents)
		if n := testing.AllocsPerRun(20, func() {
			if _, err := s.Push(latents); err != nil {
				t.Fatal(err)
			}
		}); n > 20 {
			t.Errorf("%+v: %g allocations for 10 latents", k, n)
		}
	}
}
