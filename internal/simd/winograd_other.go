//go:build !amd64 || purego

package simd

func winogradInputHead(dst []float32, ds int, src []float32, ss, n int) int          { return 0 }
func winogradOutputHead(dst []float32, ds int, src []float32, ss, n int) int         { return 0 }
func winogradGradientHead(dst []float32, ds int, src []float32, ss, n int) int       { return 0 }
func winogradWeightHead(dst []float32, ds int, src []float32, ss, n int) int         { return 0 }
func winogradWeightGradientHead(dst []float32, ds int, src []float32, ss, n int) int { return 0 }
