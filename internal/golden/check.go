package golden

import (
	"math"
	"slices"
)

// Atol returns the absolute tolerance that the manifest gives for a tensor. It
// ends the test for tensors that have none: inputs and integers.
func (f *File) Atol(name string) float64 {
	f.t.Helper()
	entry, ok := f.tensors[name]
	if !ok || entry.Atol == nil {
		f.t.Fatalf("%s: MANIFEST.json has no tolerance for tensor %q", f.name, name)
	}
	return *entry.Atol
}

// Check compares float results element by element with a tensor:
//
//	|got - want| <= atol + rtol |want|
//
// with both tolerances from the manifest. The lengths must be equal, and so
// must the shapes if one is given.
func (f *File) Check(name string, got []float32, shape ...int) {
	f.t.Helper()
	f.CheckWithin(name, got, f.Atol(name), f.rtol, shape...)
}

// CheckWithin is Check with the caller's tolerances.
func (f *File) CheckWithin(name string, got []float32, atol, rtol float64, shape ...int) {
	f.t.Helper()
	want := f.F32(name)
	if !f.sameSize(name, len(got), shape) {
		return
	}
	bad, worst, worstRatio := 0, 0, 0.0
	for i, w := range want {
		g := got[i]
		tol := atol + rtol*math.Abs(float64(w))
		diff := math.Abs(float64(g) - float64(w))
		if g == w || diff <= tol && !math.IsInf(diff, 0) { // only the same infinity equals an infinity
			continue
		}
		ratio := diff / tol
		if math.IsNaN(ratio) {
			ratio = math.Inf(1)
		}
		if bad++; bad == 1 || ratio > worstRatio {
			worst, worstRatio = i, ratio
		}
	}
	if bad > 0 {
		f.t.Errorf("%s: %s: %d of %d elements differ, the worst at %v: got %v, want %v within %.3g + %.3g|want|",
			f.name, name, bad, len(want), f.index(name, worst), got[worst], want[worst], atol, rtol)
	}
}

// CheckInts compares integer results with a tensor; they must be equal.
func (f *File) CheckInts(name string, got []int32, shape ...int) {
	f.t.Helper()
	want := f.I32(name)
	if !f.sameSize(name, len(got), shape) {
		return
	}
	bad, first := 0, 0
	for i, w := range want {
		if got[i] != w {
			if bad++; bad == 1 {
				first = i
			}
		}
	}
	if bad > 0 {
		f.t.Errorf("%s: %s: %d of %d elements differ, the first at %v: got %d, want %d",
			f.name, name, bad, len(want), f.index(name, first), got[first], want[first])
	}
}

// sameSize fails the test if the length, or the shape where given, differs.
func (f *File) sameSize(name string, n int, shape []int) bool {
	f.t.Helper()
	want := f.Shape(name)
	if len(shape) > 0 && !slices.Equal(shape, want) {
		f.t.Errorf("%s: %s: got shape %v, want %v", f.name, name, shape, want)
		return false
	}
	size := 1
	for _, d := range want {
		size *= d
	}
	if n != size {
		f.t.Errorf("%s: %s: got %d elements, want %d of shape %v", f.name, name, n, size, want)
		return false
	}
	return true
}

// index returns the multi-index of element i of a tensor.
func (f *File) index(name string, i int) []int {
	shape := f.Shape(name)
	for a := len(shape) - 1; a >= 0; a-- {
		shape[a], i = i%shape[a], i/shape[a]
	}
	return shape
}
