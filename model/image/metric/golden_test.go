package metric

import (
	"testing"

	"pgregory.net/rapid"

	"vqspeech/internal/golden"
	"vqspeech/internal/simd"
)

func one(v float64) []float32 { return []float32{float32(v)} }

// moments returns those of rows [N, dim], given as float32.
func moments(t *testing.T, rows []float32, dim int) *Moments {
	t.Helper()
	wide := make([]float64, len(rows))
	for i, v := range rows {
		wide[i] = float64(v)
	}
	return momentsOf(t, wide, dim)
}

func momentsOf(t rapid.TB, rows []float64, dim int) *Moments {
	t.Helper()
	m, err := NewMoments(dim)
	if err == nil {
		err = m.Add(rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// covariance returns a covariance as a fixture holds it, [D, D].
func covariance(t *testing.T, m *Moments) (c []float32) {
	t.Helper()
	sym, err := m.Covariance()
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Dim() {
		for j := range m.Dim() {
			c = append(c, float32(sym.At(i, j)))
		}
	}
	return c
}

func frechet(t rapid.TB, a, b *Moments) float64 {
	t.Helper()
	d, err := Frechet(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGoldenFID(t *testing.T) {
	f := golden.Open(t, "metrics.safetensors")
	dim := f.Shape("fid.a")[1]
	a, b := moments(t, f.F32("fid.a"), dim), moments(t, f.F32("fid.b"), dim)
	f.Check("fid.cov_a", covariance(t, a), dim, dim)
	f.Check("fid.cov_b", covariance(t, b), dim, dim)
	f.Check("fid.value", one(frechet(t, a, b)))
	f.Check("fid.value", one(frechet(t, b, a)))
	dim = f.Shape("fid_singular.a")[1]
	a, b = moments(t, f.F32("fid_singular.a"), dim), moments(t, f.F32("fid_singular.b"), dim)
	f.Check("fid_singular.value", one(frechet(t, a, b)))
	f.Check("fid_singular.value", one(frechet(t, b, a)))
	f.RequireAllUsed("mse_db2.*", "bitrate.*", "perplexity.*", "mcd.*", "stoi.*", "si_sdr.*", "f0.*", "segmentation.*")
}

func narrow(x []int32) []uint8 {
	labels := make([]uint8, len(x))
	for i, v := range x {
		labels[i] = uint8(v)
	}
	return labels
}

func wide(x []int64) []int32 {
	counts := make([]int32, len(x))
	for i, v := range x {
		counts[i] = int32(v)
	}
	return counts
}

func TestGoldenSegmentation(t *testing.T) {
	f := golden.Open(t, "metrics.safetensors")
	shape := f.Shape("segmentation.score") // [B, F, H, W]
	images, channels, pixels := shape[0], shape[1], shape[2]*shape[3]
	scores, last := f.F32("segmentation.score"), make([]float32, images*channels*pixels) // [B, H, W, F]
	for b := range images {
		for c := range channels {
			for p := range pixels {
				last[(b*pixels+p)*channels+c] = scores[(b*channels+c)*pixels+p]
			}
		}
	}
	predicted := make([]int32, images*pixels)
	simd.ArgMax(predicted, last, images*pixels, channels)
	f.CheckInts("segmentation.prediction", predicted)

	label := narrow(f.I32("segmentation.label"))
	whole := NewSegmentation(f.Shape("segmentation.union")[0])
	for b := range images {
		s := NewSegmentation(len(whole.Union))
		if err := s.Add(label[b*pixels:][:pixels], narrow(predicted[b*pixels:][:pixels])); err != nil {
			t.Fatal(err)
		}
		whole.Merge(s)
	}
	f.CheckInts("segmentation.intersection", wide(whole.Intersection))
	f.CheckInts("segmentation.union", wide(whole.Union))
	f.Check("segmentation.miou_percent", one(whole.MeanIoU()))
	f.Check("segmentation.pixel_error_percent", one(whole.PixelError()))
	f.Check("segmentation.class_mse", one(SquaredError(label, narrow(predicted)).Value()))
	f.RequireAllUsed("mse_db2.*", "bitrate.*", "perplexity.*", "mcd.*", "stoi.*", "si_sdr.*", "f0.*", "fid*")
}

func TestGoldenPerplexity(t *testing.T) {
	const size = 12 // of the fixture's codebook
	f := golden.Open(t, "metrics.safetensors")
	index, shape := f.I32("perplexity.index"), f.Shape("perplexity.index")
	p := NewBatchPerplexity(size, 1)
	for r := range shape[0] {
		codes := make([]uint16, shape[1])
		for i, k := range index[r*shape[1]:][:shape[1]] {
			codes[i] = uint16(k)
		}
		if err := p.Add(codes); err != nil {
			t.Fatal(err)
		}
	}
	f.Check("perplexity.mean_of_batches", one(p.Mean()))
	f.Check("perplexity.corpus", one(p.Corpus().Perplexity()))
}
