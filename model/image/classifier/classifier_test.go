package classifier

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"vqspeech/internal/simd"
	"vqspeech/model/image"
	"vqspeech/model/image/metric"
)

// bars makes images of four classes: class k has a bright bar in the k-th quarter
// of the rows, on noise.
func bars(n, side, channels int, seed uint64) (image.Set, []uint8) {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := image.Set{N: n, Height: side, Width: side, Channels: channels}
	labels := make([]uint8, n)
	for i := range labels {
		labels[i] = uint8(rng.IntN(4))
		from := int(labels[i])*side/4 + rng.IntN(side/4)
		for y := range side {
			for range side * channels {
				v := rng.IntN(60)
				if y == from {
					v += 150
				}
				s.Images = append(s.Images, uint8(v))
			}
		}
	}
	return s, labels
}

func trained(t *testing.T, s image.Set, labels []uint8) *Classifier {
	t.Helper()
	c, err := Train(t.Context(), s, labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func features(t *testing.T, c *Classifier, s image.Set) []float64 {
	t.Helper()
	pixels := make([]float32, len(s.Images))
	image.Pixels(pixels, s.Images)
	f, err := c.Features(pixels)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func distance(t *testing.T, c *Classifier, a, b image.Set) float64 {
	t.Helper()
	var m [2]*metric.Moments
	for i, s := range []image.Set{a, b} {
		m[i], _ = metric.NewMoments(Dim)
		if err := m[i].Add(features(t, c, s)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := metric.Frechet(m[0], m[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// noisy adds noise of a deviation (of 255) to every value.
func noisy(s image.Set, deviation float64) image.Set {
	rng := rand.New(rand.NewPCG(9, 9))
	s.Images = slices.Clone(s.Images)
	for i, v := range s.Images {
		s.Images[i] = uint8(min(255, max(0, math.Round(float64(v)+deviation*rng.NormFloat64()))))
	}
	return s
}

// TestClassifier trains on a corpus that can be told apart, for every number of
// halvings, and measures on other images of it.
func TestClassifier(t *testing.T) {
	for _, c := range []struct{ side, channels int }{{8, 1}, {16, 3}, {28, 1}} {
		if c.side > 16 && (testing.Short() || simd.ISA() == "generic") {
			continue // it would take long
		}
		s, labels := bars(160, c.side, c.channels, 1)
		classifier := trained(t, s, labels)
		test, testLabels := bars(200, c.side, c.channels, 2)
		accuracy, err := classifier.Accuracy(test, testLabels)
		if err != nil {
			t.Fatal(err)
		}
		if !(accuracy > 0.97) || classifier.Classes() != 4 {
			t.Errorf("%d×%d×%d: accuracy %g of %d classes", c.side, c.side, c.channels, accuracy, classifier.Classes())
		}
		for i := range testLabels {
			testLabels[i] = (testLabels[i] + 1) % 4
		}
		if accuracy, _ := classifier.Accuracy(test, testLabels); !(accuracy < 0.03) {
			t.Errorf("%d×%d×%d: accuracy %g of wrong labels", c.side, c.side, c.channels, accuracy)
		}
	}
}

func TestDistance(t *testing.T) {
	s, labels := bars(160, 16, 1, 1)
	c := trained(t, s, labels)
	test, _ := bars(200, 16, 1, 2)
	if d := distance(t, c, test, test); !(d < 1e-6) {
		t.Errorf("the distance of images to themselves is %g, want 0", d)
	}
	last := 0.0
	for _, deviation := range []float64{5, 15, 40, 100} {
		d := distance(t, c, test, noisy(test, deviation))
		if !(d > 2*last) {
			t.Errorf("with noise of deviation %g the distance is %g, with less %g", deviation, d, last)
		}
		last = d
	}
}

// TestSame holds that threads and batches do not matter.
func TestSame(t *testing.T) {
	s, labels := bars(40, 16, 1, 1)
	var want []float64
	for _, threads := range []int{1, 3} {
		old := runtime.GOMAXPROCS(threads)
		got := features(t, trained(t, s, labels), s)
		runtime.GOMAXPROCS(old)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("features differ with %d threads", threads)
		}
	}
	c := trained(t, s, labels)
	many, _ := bars(batchSize+7, 16, 1, 3)
	whole := features(t, c, many)
	for _, i := range []int{0, batchSize - 1, batchSize, batchSize + 6} {
		one := features(t, c, many.Slice(i, i+1))
		for j, v := range one {
			if math.Abs(v-whole[i*Dim+j]) > 1e-5*(1+math.Abs(v)) {
				t.Fatalf("feature %d of image %d is %g alone, %g among others", j, i, v, whole[i*Dim+j])
			}
		}
	}
}

func TestErrors(t *testing.T) {
	s, labels := bars(10, 8, 1, 1)
	small, _ := bars(10, 4, 1, 1)
	wide := s
	wide.Height, wide.Width = 4, 16
	for want, c := range map[string]struct {
		s      image.Set
		labels []uint8
	}{
		"classifier: no images to train on":                                     {image.Set{Height: 8, Width: 8, Channels: 1}, nil},
		"classifier: images of 4×4, want squares with sides of 8 to 256":        {small, labels},
		"classifier: images of 4×16, want squares with sides of 8 to 256":       {wide, labels},
		"classifier: all 10 images have the label 0, want at least two classes": {s, make([]uint8, 10)},
	} {
		if _, err := Train(t.Context(), c.s, c.labels, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Train(ctx, s, labels, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("training that was stopped ends with %v", err)
	}
}
