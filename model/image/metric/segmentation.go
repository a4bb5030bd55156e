package metric

import "fmt"

// intersectionEps keeps the intersection over union of a class that occurs
// nowhere at 0 (sony/sqvae vision).
const intersectionEps = 2.220446049250313e-16

// Segmentation compares maps of class labels, pooled over all pixels of a test
// set.
type Segmentation struct {
	Pixels, Correct     int64
	Intersection, Union []int64 // [classes] (pixels)
}

// NewSegmentation returns counts of no pixels of so many classes, at least 1.
func NewSegmentation(classes int) *Segmentation {
	return &Segmentation{Intersection: make([]int64, classes), Union: make([]int64, classes)}
}

// Add compares predicted [n] labels with the true ones. A prediction that is no
// class, such as the padding channel of a vMF decoder, belongs to no area but is
// a pixel error. If a true label is no class, or the lengths differ, nothing is
// counted.
func (s *Segmentation) Add(label, predicted []uint8) error {
	classes := len(s.Union)
	if len(label) != len(predicted) {
		return fmt.Errorf("metric: %d labels and %d predictions", len(label), len(predicted))
	}
	for i, k := range label {
		if int(k) >= classes {
			return fmt.Errorf("metric: pixel %d has the label %d, want less than %d", i, k, classes)
		}
	}
	for i, k := range label {
		s.Union[k]++
		switch p := predicted[i]; {
		case p == k:
			s.Correct++
			s.Intersection[k]++
		case int(p) < classes:
			s.Union[p]++
		}
	}
	s.Pixels += int64(len(label))
	return nil
}

// Merge adds the counts of another set with the same classes.
func (s *Segmentation) Merge(o *Segmentation) {
	s.Pixels += o.Pixels
	s.Correct += o.Correct
	for k, n := range o.Union {
		s.Intersection[k] += o.Intersection[k]
		s.Union[k] += n
	}
}

// PixelError returns how many pixels have the wrong label (%), NaN for no
// pixels.
func (s *Segmentation) PixelError() float64 {
	return 100 * (1 - float64(s.Correct)/float64(s.Pixels))
}

// MeanIoU returns the mean over the classes of intersection over union (%). A
// class that occurs in neither labels nor predictions counts as 0, as in
// sony/sqvae: with it absent, 100 % cannot be reached.
func (s *Segmentation) MeanIoU() float64 {
	sum := 0.0
	for k, n := range s.Union {
		sum += float64(s.Intersection[k]) / (float64(n) + intersectionEps)
	}
	return 100 * sum / float64(len(s.Union))
}
