package quant

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNeighborsKnownAnswers(t *testing.T) {
	// On a line at 0, 1, 3, 3 and 7; by angle, all but the first are the same.
	line := &Codebook{Size: 5, Dim: 2, Vectors: []float32{0, 0, 1, 0, 3, 0, 3, 0, 7, 0}}
	star := &Codebook{Size: 4, Dim: 2, Vectors: []float32{1, 0, 1, 1, -9, 0.1, 0, 2}}
	for _, c := range []struct {
		name     string
		book     *Codebook
		n        int
		distance Distance
		want     [][]uint16
	}{
		{"line", line, 2, Euclidean, [][]uint16{{1, 2}, {0, 2}, {3, 1}, {2, 1}, {2, 3}}},
		{"line, all", line, 4, Euclidean, [][]uint16{{1, 2, 3, 4}, {0, 2, 3, 4}, {3, 1, 0, 4}, {2, 1, 0, 4}, {2, 3, 1, 0}}},
		{"line by angle", line, 3, Cosine, [][]uint16{{1, 2, 3}, {2, 3, 4}, {1, 3, 4}, {1, 2, 4}, {1, 2, 3}}},
		{"star", star, 1, Euclidean, [][]uint16{{1}, {0}, {3}, {1}}},
		{"star by angle", star, 2, Cosine, [][]uint16{{1, 3}, {0, 3}, {3, 1}, {1, 2}}},
	} {
		near, err := c.book.Neighbors(c.n, c.distance)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range c.want {
			if got := near.Of(uint16(k)); !slices.Equal(got, want) {
				t.Errorf("%s: neighbours of %d are %v, want %v", c.name, k, got, want)
			}
		}
	}
}

func TestNeighborsErrors(t *testing.T) {
	c := &Codebook{Size: 2, Dim: 1, Vectors: []float32{0, 1}}
	for _, n := range []int{-1, 2, 1 << 40} {
		if _, err := c.Neighbors(n, Euclidean); err == nil || !strings.Contains(err.Error(), "want between 0 and 1") {
			t.Errorf("%d neighbours: %v", n, err)
		}
	}
	if _, err := c.Neighbors(1, "manhattan"); err == nil || !strings.Contains(err.Error(), `"manhattan"`) {
		t.Errorf("unknown distance: %v", err)
	}
}

func TestReplaceLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size, dim := rapid.IntRange(1, 12).Draw(t, "K"), rapid.IntRange(1, 3).Draw(t, "D")
		book := &Codebook{Size: size, Dim: dim, Vectors: rapid.SliceOfN(rapid.Float32Range(-2, 2), size*dim, size*dim).Draw(t, "vectors")}
		n := rapid.IntRange(0, size-1).Draw(t, "n")
		distance := rapid.SampledFrom([]Distance{Euclidean, Cosine}).Draw(t, "distance")
		near, err := book.Neighbors(n, distance)
		if err != nil {
			t.Fatal(err)
		}
		codes := rapid.SliceOf(rapid.Uint16Range(0, uint16(size-1))).Draw(t, "codes")
		seed := rapid.Uint64().Draw(t, "seed")
		replace := func() []uint16 {
			out := slices.Clone(codes)
			near.Replace(out, rand.New(rand.NewPCG(seed, 0)))
			return out
		}
		got := replace()
		if !slices.Equal(got, replace()) {
			t.Fatal("one seed, two results")
		}
		if n == 0 {
			if !slices.Equal(got, codes) {
				t.Fatalf("without neighbours %v became %v", codes, got)
			}
			return
		}
		for i, k := range codes {
			if got[i] == k || !slices.Contains(near.Of(k), got[i]) {
				t.Fatalf("code %d became %d, its neighbours are %v", k, got[i], near.Of(k))
			}
		}
	})
}

// Every neighbour is drawn as often, within five standard deviations.
func TestReplaceIsUniform(t *testing.T) {
	book := &Codebook{Size: 6, Dim: 1, Vectors: []float32{0, 1, 2, 3, 4, 5}}
	near, err := book.Neighbors(4, Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]uint16, 4000) // all 0: the neighbours are 1 to 4
	near.Replace(codes, rand.New(rand.NewPCG(1, 2)))
	counts := make([]int, 6)
	for _, k := range codes {
		counts[k]++
	}
	for k, n := range counts {
		if want := k >= 1 && k <= 4; want && (n < 863 || n > 1137) || !want && n > 0 {
			t.Errorf("code %d was drawn %d times of %d", k, n, len(codes))
		}
	}
}
