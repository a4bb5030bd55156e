//go:build amd64 && !purego

package simd

func winogradInputHead(dst []float32, ds int, src []float32, ss, n int) int {
	n = vecWhole(n)
	if n > 0 {
		winogradInputAVX2(n, &dst[0], ds, &src[0], ss)
	}
	return n
}

func winogradOutputHead(dst []float32, ds int, src []float32, ss, n int) int {
	n = vecWhole(n)
	if n > 0 {
		winogradOutputAVX2(n, &dst[0], ds, &src[0], ss)
	}
	return n
}

func winogradGradientHead(dst []float32, ds int, src []float32, ss, n int) int {
	n = vecWhole(n)
	if n > 0 {
		winogradGradientAVX2(n, &dst[0], ds, &src[0], ss)
	}
	return n
}

func winogradWeightHead(dst []float32, ds int, src []float32, ss, n int) int {
	n = vecWhole(n)
	if n > 0 {
		winogradWeightAVX2(n, &dst[0], ds, &src[0], ss)
	}
	return n
}

func winogradWeightGradientHead(dst []float32, ds int, src []float32, ss, n int) int {
	n = vecWhole(n)
	if n > 0 {
		winogradWeightGradientAVX2(n, &dst[0], ds, &src[0], ss)
	}
	return n
}

//go:noescape
func winogradInputAVX2(n int, dst *float32, ds int, src *float32, ss int)

//go:noescape
func winogradOutputAVX2(n int, dst *float32, ds int, src *float32, ss int)

//go:noescape
func winogradGradientAVX2(n int, dst *float32, ds int, src *float32, ss int)

//go:noescape
func winogradWeightAVX2(n int, dst *float32, ds int, src *float32, ss int)

//go:noescape
func winogradWeightGradientAVX2(n int, dst *float32, ds int, src *float32, ss int)
