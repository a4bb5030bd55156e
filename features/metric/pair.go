package metric

import (
	"errors"
	"fmt"
	"math"

	"vqspeech/audio/resample"
)

// MaxDifference returns by how many samples two recordings, the longer of n
// samples, may differ in length: 0.1 s, but no more than a tenth of n. A
// decoder that fills its last block stays within; another utterance, or one cut
// short, rarely does.
func MaxDifference(n, rate int) int { return min(rate, n) / 10 }

// common cuts both recordings to the shorter of them.
func common(reference, estimate []float32, rate int) (r, e []float32, err error) {
	if err := check(reference, estimate, rate); err != nil {
		return nil, nil, err
	}
	n := min(len(reference), len(estimate))
	longer := max(len(reference), len(estimate))
	if longer-n > MaxDifference(longer, rate) {
		return nil, nil, fmt.Errorf("metric: reference of %d samples and estimate of %d, want a difference of at most %d",
			len(reference), len(estimate), MaxDifference(longer, rate))
	}
	return reference[:n], estimate[:n], nil
}

// check refuses recordings that no measure has a figure for.
func check(reference, estimate []float32, rate int) error {
	if rate < 1 {
		return fmt.Errorf("metric: sample rate must be positive (got %d Hz)", rate)
	}
	for _, x := range []struct {
		name    string
		samples []float32
	}{{"reference", reference}, {"estimate", estimate}} {
		if len(x.samples) == 0 {
			return fmt.Errorf("metric: %s has no samples", x.name)
		}
		if err := finite(x.samples); err != nil {
			return fmt.Errorf("metric: %s: %w", x.name, err)
		}
	}
	if silent(reference) {
		return errors.New("metric: reference is digital silence")
	}
	return nil
}

// finite reports the first sample that is not a finite number.
func finite(samples []float32) error {
	for i, v := range samples {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("sample %d is %v, want a finite number", i, v)
		}
	}
	return nil
}

// silent reports whether all samples are 0.
func silent(samples []float32) bool {
	for _, v := range samples {
		if v != 0 {
			return false
		}
	}
	return true
}

// both resamples the two recordings.
func both(reference, estimate []float32, from, to int) (r, e []float32, err error) {
	if from == to {
		return reference, estimate, nil
	}
	if r, err = resample.Resample(reference, from, to); err == nil {
		e, err = resample.Resample(estimate, from, to)
	}
	return r, e, err
}

// A Mean is a sum and the number of its terms, so that utterances pool.
type Mean struct {
	Sum float64
	N   int64
}

// Add pools another mean.
func (m *Mean) Add(o Mean) {
	m.Sum += o.Sum
	m.N += o.N
}

// Value returns Sum/N, NaN for no terms.
func (m Mean) Value() float64 { return m.Sum / float64(m.N) }
