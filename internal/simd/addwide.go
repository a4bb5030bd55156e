package simd

// AddWide computes acc += x in float64. It panics if x is shorter than acc.
func AddWide(acc []float64, x []float32) { addWide(acc, x) }
