package model

import (
	"fmt"
	"math"
)

// The constructors of this file describe the tensors of further networks. Where
// no initial value is given it is PyTorch's default.

// ConvParam is the weight of a convolution, in files [out, in, k], in memory
// [k*in, out] (see simd.Conv1D). That of a transposed convolution is the same
// with its inputs for out and its outputs for in, in files PyTorch's
// [in, out, k].
func ConvParam(name string, out, in, k int) Param {
	return Param{name, []int{out, in, k}, convOIK, fanIn(in * k)}
}

// LinearParam is the weight of a linear map, in files [out, in], in memory
// [in, out].
func LinearParam(name string, out, in int) Param {
	return Param{name, []int{out, in}, linearOI, fanIn(in)}
}

// BiasParam is the bias [n] of a layer each of whose outputs is a sum over fan
// inputs.
func BiasParam(name string, n, fan int) Param { return Param{name, []int{n}, plain, fanIn(fan)} }

// EmbeddingParam is a table [rows, dim] of normally distributed vectors.
func EmbeddingParam(name string, rows, dim int) Param {
	return Param{name, []int{rows, dim}, plain, normal}
}

// NormalParam is a tensor of normally distributed values.
func NormalParam(name string, mean, deviation float64, shape ...int) Param {
	return Param{name, shape, plain, initializer{mean: mean, normal: deviation}}
}

// UniformParam is a tensor of values uniform in ±bound.
func UniformParam(name string, bound float64, shape ...int) Param {
	return Param{name, shape, plain, uniform(bound)}
}

// ConstantParam is a tensor of one value.
func ConstantParam(name string, value float64, shape ...int) Param {
	return Param{name, shape, plain, constant(value)}
}

// Conv2DParam is the weight of a convolution over images, like ConvParam but in
// files [out, in, kh, kw] and with normally distributed values about 0.
func Conv2DParam(name string, out, in, kh, kw int, deviation float64) Param {
	return Param{name, []int{out, in, kh, kw}, convOIK, initializer{normal: deviation}}
}

// XavierConv2DParam is Conv2DParam with values uniform in ±sqrt(6/(fan in + fan
// out)), the fans those of the taps there are (Glorot & Bengio 2010).
func XavierConv2DParam(name string, out, in, kh, kw int) Param {
	return Param{name, []int{out, in, kh, kw}, convOIK, uniform(math.Sqrt(6 / float64((in+out)*kh*kw)))}
}

// CheckWeights reports a tensor of params that w lacks or has in another size.
func CheckWeights(w Weights, params []Param) error {
	for _, p := range params {
		if got, ok := w[p.Name]; !ok {
			return fmt.Errorf("model: tensor %s is missing", p.Name)
		} else if len(got) != p.Size() {
			return fmt.Errorf("model: tensor %s has %d elements, want %d", p.Name, len(got), p.Size())
		}
	}
	return nil
}
