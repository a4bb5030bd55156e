package metric

import (
	"fmt"

	"vqspeech/features/metric"
)

// A Mean is a sum and the number of its terms, so that images pool.
type Mean = metric.Mean

// A Pixel is a value of an image: 0..255 (uint8) or 0..1 (floats), or a label of
// 256 unordered classes.
type Pixel interface{ uint8 | float32 | float64 }

// white is the largest value of an image.
func white[T Pixel]() float64 {
	var zero T
	if _, ok := any(zero).(uint8); ok {
		return 255
	}
	return 1
}

// SquaredError returns the squared error of images [n] on the scale 0..1,
// summed over all values, so that sets pool: 1000 times its value is the
// "MSE × 10³" of Takida et al. 2022. Of two maps of 256 classes it is the class
// MSE, the mean of ((predicted - label)/255)². It panics if the lengths differ.
func SquaredError[A, B Pixel](reference []A, estimate []B) Mean {
	if len(reference) != len(estimate) {
		panic(fmt.Sprintf("metric: %d values and %d", len(reference), len(estimate)))
	}
	m := Mean{N: int64(len(reference))}
	a, b := white[A](), white[B]()
	for i, r := range reference {
		d := float64(r)/a - float64(estimate[i])/b
		m.Sum += d * d
	}
	return m
}
