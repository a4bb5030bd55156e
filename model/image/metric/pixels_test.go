package metric

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSegmentationKnownAnswers(t *testing.T) {
	s := NewSegmentation(4)
	if !math.IsNaN(s.PixelError()) || s.MeanIoU() != 0 {
		t.Errorf("no pixels: %v %%, %v %%", s.PixelError(), s.MeanIoU())
	}
	// class 0: 2 of 3; class 1: 1 of 3; class 2: 1 of 2 (one pixel went to the
	// padding channel); class 3: nowhere
	label, predicted := []uint8{0, 0, 0, 1, 1, 2, 2}, []uint8{0, 0, 1, 1, 4, 2, 255}
	if err := s.Add(label, predicted); err != nil {
		t.Fatal(err)
	}
	near(t, "pixel error", s.PixelError(), 100*3.0/7, 1e-12)
	near(t, "mIoU", s.MeanIoU(), 100*(2.0/3+1.0/3+1.0/2+0)/4, 1e-12)
	before := *s
	for name, c := range map[string]struct {
		label, predicted []uint8
		want             string
	}{
		"no class": {[]uint8{0, 4}, []uint8{0, 0}, "pixel 1 has the label 4, want less than 4"},
		"lengths":  {[]uint8{0}, []uint8{0, 0}, "1 labels and 2 predictions"},
	} {
		if err := s.Add(c.label, c.predicted); err == nil || !strings.Contains(err.Error(), c.want) || s.Pixels != before.Pixels {
			t.Errorf("%s: %v, %d pixels", name, err, s.Pixels)
		}
	}
}

func TestSegmentationLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(1, 6).Draw(t, "classes")
		label := rapid.SliceOfN(rapid.Uint8Range(0, uint8(classes-1)), 1, 50).Draw(t, "label")
		predicted := rapid.SliceOfN(rapid.Uint8Range(0, uint8(classes)), len(label), len(label)).Draw(t, "predicted")
		add := func(s *Segmentation, a, b []uint8) *Segmentation {
			if err := s.Add(a, b); err != nil {
				t.Fatal(err)
			}
			return s
		}
		whole := add(NewSegmentation(classes), label, predicted)
		cut := rapid.IntRange(0, len(label)).Draw(t, "cut")
		parts := add(NewSegmentation(classes), label[:cut], predicted[:cut])
		parts.Merge(add(NewSegmentation(classes), label[cut:], predicted[cut:]))
		if parts.PixelError() != whole.PixelError() || parts.MeanIoU() != whole.MeanIoU() {
			t.Fatal("parts and whole differ")
		}
		if e, u := whole.PixelError(), whole.MeanIoU(); !(e >= 0 && e <= 100 && u >= 0 && u <= 100) {
			t.Fatalf("%v %%, %v %%", e, u)
		}
		same := add(NewSegmentation(classes), label, label)
		present := 0.0
		for _, n := range same.Union {
			present += min(1, float64(n))
		}
		near(t, "itself", same.PixelError(), 0, 0)
		near(t, "itself, mIoU", same.MeanIoU(), 100*present/float64(classes), 1e-9)
	})
}

func TestSquaredError(t *testing.T) {
	m := SquaredError([]uint8{0, 255, 51}, []float32{0.5, 1, 0.2})
	near(t, "bytes and floats", m.Value(), 0.25/3, 1e-9)
	other := SquaredError([]float64{0.25}, []uint8{0})
	m.Add(other)
	near(t, "pooled", m.Value(), (0.25+0.0625)/4, 1e-9)
	near(t, "bytes", SquaredError([]uint8{3, 0}, []uint8{0, 4}).Value(), 25.0/2/255/255, 1e-15)
	near(t, "itself", SquaredError([]uint8{3, 9}, []uint8{3, 9}).Value(), 0, 0)
	defer func() {
		if recover() == nil {
			t.Error("other lengths were accepted")
		}
	}()
	SquaredError([]uint8{1}, []uint8{})
}

func TestBatchPerplexity(t *testing.T) {
	p := NewBatchPerplexity(8, 2)
	near(t, "nothing", p.Mean(), 1, 0)
	for _, codes := range [][]uint16{{0, 0}, {1, 1}, {2, 3, 4, 5}} { // a batch of two codes, a short one of four
		if err := p.Add(codes); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "mean of batches", p.Mean(), (2.0+4)/2, 1e-8)
	// p = 1/4, 1/4, 1/8 four times: H = 2.5 bits
	near(t, "corpus", p.Corpus().Perplexity(), math.Exp2(2.5), 1e-12)
	if err := p.Add([]uint16{0, 8}); err == nil || p.Corpus().Total() != 8 {
		t.Errorf("a code out of range: %v, %d codes", err, p.Corpus().Total())
	}
	near(t, "after a refused one", p.Mean(), 3, 1e-8)
}
