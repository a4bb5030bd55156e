package vq_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"vqspeech/quant/vq"
)

func TestReset(t *testing.T) {
	latents := []float32{7, 7, 8, 8}
	book := []float32{1, 1, 2, 2, 3, 3}
	ema := vq.NewEMA(book, 3, 0.99, 1e-5, false)
	if moved := vq.Reset(book, latents, []int{4, 5, 0}, 5, ema, rand.New(rand.NewPCG(1, 2))); moved != 2 {
		t.Errorf("%d codes moved, want the 2 with fewer than 5 uses", moved)
	}
	for i, want := range []bool{true, false, true} {
		at := book[2*i]
		if moved := at >= 7; moved != want || book[2*i+1] != at {
			t.Errorf("code %d is at %v, want it moved: %v", i, book[2*i:2*i+2], want)
		}
		if want && (ema.Count[i] != 1 || !slices.Equal(ema.Sum[2*i:2*i+2], book[2*i:2*i+2])) {
			t.Errorf("averages of code %d are %v, %v", i, ema.Count[i], ema.Sum[2*i:2*i+2])
		}
	}
}

// TestSplit holds the rule of HQA: one code at most, the least used, and only
// below the fraction.
func TestSplit(t *testing.T) {
	start := []float32{5, 5, -5, 5, 0, 0, 9, 9}
	for _, c := range []struct {
		uses []int
		from int // the code that moves, to code 1; -1: none
	}{
		{[]int{40, 100, 2, 50}, 2},
		{[]int{40, 100, 3, 50}, -1}, // 3 of 100 are not less than 0.03
		{[]int{1, 100, 2, 0}, 3},    // one at a time
		{[]int{0, 100, 0, 0}, 0},
		{[]int{0, 0, 0, 0}, -1},
		{[]int{7, 7, 7, 7}, -1},
	} {
		book := slices.Clone(start)
		ema := vq.NewEMA(book, 4, 0.99, 1e-5, true)
		if moved := vq.Split(book, c.uses, 0.03, ema, rand.New(rand.NewPCG(3, 4))); moved != (c.from >= 0) {
			t.Errorf("uses %v: moved is %v", c.uses, moved)
		}
		for i := range c.uses {
			at := book[2*i : 2*i+2]
			if i != c.from {
				if !slices.Equal(at, start[2*i:2*i+2]) || ema.Count[i] != 0 {
					t.Errorf("uses %v: code %d is at %v with the count %v, want it to stay", c.uses, i, at, ema.Count[i])
				}
				continue
			}
			far := math.Hypot(float64(at[0]-start[2]), float64(at[1]-start[3]))
			if !(far > 0 && far < 0.06) { // 4 deviations in each of 2 dimensions
				t.Errorf("uses %v: code %d is %g from the most used, want about 0.01", c.uses, i, far)
			}
			if ema.Count[i] != 1 || !slices.Equal(ema.Sum[2*i:2*i+2], at) {
				t.Errorf("uses %v: averages of code %d are %v, %v", c.uses, i, ema.Count[i], ema.Sum[2*i:2*i+2])
			}
		}
	}
	book := slices.Clone(start)
	if !vq.Split(book, []int{9, 0, 9, 9}, 1, nil, rand.New(rand.NewPCG(5, 6))) {
		t.Error("a code without averages does not move")
	}
}
