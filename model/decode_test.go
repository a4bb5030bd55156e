package model_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/model/modeltest"
)

// Units of one decoding window, and those that it sees on either side.
const windowUnits, contextUnits = 200, 50

func randomUnits(n, size int) []uint16 {
	rng := rand.New(rand.NewPCG(3, uint64(n)))
	codes := make([]uint16, n)
	for i := range codes {
		codes[i] = uint16(rng.IntN(size))
	}
	return codes
}

func decode(m *model.Model, speaker int, samples int64, pieces func(yield func([]uint16) bool)) []float32 {
	d := m.NewDecoder(speaker)
	var mel []float32
	for piece := range pieces {
		mel = append(mel, d.Push(piece)...)
	}
	return append(mel, d.Flush(samples)...)
}

func TestDecodeChunks(t *testing.T) {
	m := modeltest.New(t, model.Gaussian4, features.Stream)
	codes := randomUnits(777, m.Codebook.Size)
	whole := decode(m, 2, -1, cut(codes, []int{len(codes)}))
	if got, want := len(whole), (2*len(codes)+2)*m.Config.Features.NMels; got != want {
		t.Fatalf("%d features, want %d", got, want)
	}
	if got := decode(m, 2, -1, cut(codes, []int{1})); !slices.Equal(got, whole) {
		t.Error("unit by unit: other features")
	}
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 400), 1, 10).Draw(rt, "sizes")
		if !slices.Equal(decode(m, 2, -1, cut(codes, sizes)), whole) {
			rt.Fatal("other features than of the whole")
		}
	})
}

// TestDecodeWindows holds the windows at fixed positions: the frames of a long
// sequence are those of its windows with their context, decoded alone.
func TestDecodeWindows(t *testing.T) {
	m := modeltest.New(t, model.VQ, features.Stream)
	per := 2 * m.Config.Features.NMels
	for _, n := range []int{251, 449, 450, 451, 1000} {
		codes := randomUnits(n, m.Codebook.Size)
		mel := decode(m, 1, -1, cut(codes, []int{n}))[m.Config.Features.NMels:] // without frame 0
		for at := 0; at < n; {
			yield := windowUnits
			if n-at <= windowUnits+contextUnits {
				yield = n - at
			}
			from := max(at-contextUnits, 0)
			window := m.DecodeAll(codes[from:min(at+yield+contextUnits, n)], 1)
			if !slices.Equal(mel[at*per:(at+yield)*per], window[(at-from)*per:(at-from+yield)*per]) {
				t.Errorf("%d units: the window at %d is another", n, at)
			}
			at += yield
		}
	}
}

func TestDecodeShortIsDecodeAll(t *testing.T) {
	modeltest.ForEach(t, func(t *testing.T, m *model.Model) {
		mels := m.Config.Features.NMels
		for _, n := range []int{1, 2, 3, 49, 50, 51, 199, 200, 201, 249, windowUnits + contextUnits} {
			codes := randomUnits(n, m.Codebook.Size)
			want := m.DecodeAll(codes, 0)
			want = slices.Concat(want[:mels], want, want[len(want)-mels:])
			for _, size := range []int{n, 7} {
				if got := decode(m, 0, -1, cut(codes, []int{size})); !slices.Equal(got, want) {
					t.Errorf("%d units, %d at a time: not the frames of DecodeAll, its first and last repeated", n, size)
				}
			}
		}
	})
}

// TestFrameCount encodes and decodes utterances of many lengths: T = 1 + ⌊S/hop⌋
// frames come back.
func TestFrameCount(t *testing.T) {
	m := modeltest.New(t, model.Gaussian1, features.Stream)
	clip := speech(t)
	hop, mels := m.Config.Features.HopLength, m.Config.Features.NMels
	rng := rand.New(rand.NewPCG(5, 5))
	lengths := []int{3 * hop, 3*hop + 1, 4*hop - 1, 4 * hop, 5*hop - 1, 5 * hop, 6 * hop, len(clip.Samples)}
	for range 25 {
		lengths = append(lengths, 3*hop+rng.IntN(len(clip.Samples)-3*hop))
	}
	for _, n := range lengths {
		part := *clip
		part.Samples = clip.Samples[:n]
		codes := encodeClip(t, m, &part)
		mel := decode(m, 0, int64(n), cut(codes, []int{31}))
		if got, want := len(mel), (1+n/hop)*mels; got != want {
			t.Errorf("%d samples, %d units: %d features, want %d", n, len(codes), got, want)
		}
	}
	if got := m.NewDecoder(0).Flush(0); len(got) != 0 {
		t.Errorf("no units: %d features, want none", len(got))
	}
}

// TestDecodeForeignLength gives lengths that do not belong to the units.
func TestDecodeForeignLength(t *testing.T) {
	m := modeltest.New(t, model.Gaussian1, features.Stream)
	mels := m.Config.Features.NMels
	codes := randomUnits(10, m.Codebook.Size)
	for samples, frames := range map[int64]int{0: 22, 1: 22, 1 << 53: 23, 1<<63 - 1: 23} {
		if got := len(decode(m, 0, samples, cut(codes, []int{10}))) / mels; got != frames {
			t.Errorf("10 units as %d samples: %d frames, want %d", samples, got, frames)
		}
	}
}

// TestDecodeMemory holds the memory of a decoder flat over a long sequence.
func TestDecodeMemory(t *testing.T) {
	m := modeltest.New(t, model.Gaussian4, features.Stream)
	const total = 100_000 // 33 minutes
	codes := randomUnits(1000, m.Codebook.Size)
	d := m.NewDecoder(0)
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	var early, most uint64
	frames := 0
	for i := range total / len(codes) {
		frames += len(d.Push(codes)) / m.Config.Features.NMels
		if i%20 == 1 {
			h := heap()
			if early == 0 {
				early = h
			}
			most = max(most, h)
		}
	}
	frames += len(d.Flush(-1)) / m.Config.Features.NMels
	if frames != 2*total+2 {
		t.Errorf("%d frames, want %d", frames, 2*total+2)
	}
	t.Logf("heap %d kB after 2000 units, at most %d kB until %d", early>>10, most>>10, total)
	if most > early+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", early, most)
	}
	runtime.KeepAlive(d)
}
