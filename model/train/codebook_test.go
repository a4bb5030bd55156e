package train

import (
	"slices"
	"testing"

	"vqspeech/internal/training"
	"vqspeech/model"
)

// TestCodeReset holds which rule looks at the codes, when, and that it counts
// anew after every look.
func TestCodeReset(t *testing.T) {
	for name, c := range map[string]struct {
		threshold int
		fraction  float64
		moved     []int // codes, at the third and the sixth step
	}{
		"never":         {0, 0, nil},
		"to a latent":   {2, 0, []int{1, 2}},
		"beside a code": {0, 0.5, []int{2}},
	} {
		cfg := model.DefaultConfig().Quantizer
		cfg.Kind, cfg.CodebookSize, cfg.DeadCodeInterval = model.VQ, 3, 3
		cfg.DeadCodeThreshold, cfg.DeadCodeFraction = c.threshold, c.fraction
		vectors := []float32{10, 20, 30}
		book, err := NewCodebook(cfg, 1, vectors, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 6 {
			before := slices.Clone(vectors)
			codes := []int32{0, 0}
			if step%3 == 1 {
				codes[1] = 1
			}
			book.Update([]float32{float32(2 * step), float32(2*step + 1)}, codes, training.Random(1, streamReset, step))
			var moved []int
			for i, v := range vectors {
				if v != before[i] {
					moved = append(moved, i)
				}
			}
			var want []int
			if step%3 == 2 {
				want = c.moved
			}
			if !slices.Equal(moved, want) {
				t.Errorf("%s: after %d steps the codes %v move, want %v", name, step+1, moved, want)
			}
		}
	}
}
