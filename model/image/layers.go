package image

import (
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// grid is a batch of feature maps, [B, H, W, C], on borrowed memory.
type grid struct {
	x    []float32
	b, h int // height and width are the same
}

func newGrid(b, h, c int) grid { return grid{simd.Borrow(b * h * h * c), b, h} }

func (g grid) free() { simd.Return(g.x) }

// layer is a Layer ready to run: its normalisation is part of the weights.
type layer struct {
	Layer
	packed *simd.Packed // [Taps*In, Out], of a convolution of values
	weight []float32    // the same, of one of labels or a transposed one
	bias   []float32
}

func newLayer(l Layer, w model.Weights, labels bool) layer {
	g := l.Conv
	_, out := l.channels()
	weight, bias := append([]float32{}, w[l.Name+".weight"]...), append([]float32{}, w[l.Name+".bias"]...)
	if l.Norm != "" {
		scale, shift := make([]float32, out), make([]float32, out)
		simd.BatchNormEval(scale, shift, w[l.Norm+".weight"], w[l.Norm+".bias"], w[l.Norm+".running_mean"], w[l.Norm+".running_var"], model.BatchNormEps)
		for i := range weight {
			if l.Transposed {
				weight[i] *= scale[i/g.Out%g.In]
			} else {
				weight[i] *= scale[i%g.Out]
			}
		}
		for o := range bias {
			bias[o] = bias[o]*scale[o] + shift[o]
		}
	}
	if l.Transposed || labels {
		return layer{Layer: l, weight: weight, bias: bias}
	}
	return layer{Layer: l, packed: simd.PackB(false, g.Taps()*g.In, g.Out, weight, g.Out), bias: bias}
}

// run returns the layer's output for x.
func (l *layer) run(x grid) grid {
	var y grid
	if l.Transposed {
		to, _ := l.Conv.TransposedSize(x.h, x.h)
		y = newGrid(x.b, to, l.Conv.In)
		l.Conv.Transposed(y.x, x.x, l.weight, l.bias, x.b, x.h, x.h)
	} else {
		to, _ := l.Conv.OutSize(x.h, x.h)
		y = newGrid(x.b, to, l.Conv.Out)
		l.Conv.ForwardPacked(y.x, x.x, l.packed, l.bias, x.b, x.h, x.h)
	}
	l.rectify(y)
	return y
}

// runLabels is run on one-hot vectors given as labels.
func (l *layer) runLabels(labels []int32, b, h int) grid {
	to, _ := l.Conv.OutSize(h, h)
	y := newGrid(b, to, l.Conv.Out)
	l.Conv.ForwardLabels(y.x, labels, l.weight, l.bias, b, h, h)
	l.rectify(y)
	return y
}

func (l *layer) rectify(y grid) {
	if l.ReLU {
		simd.ReLU(y.x, y.x)
	}
}

// block is a Block ready to run.
type block struct{ first, second layer }

// run returns x + second(first(ReLU(x))).
func (b *block) run(x grid) grid {
	rectified := grid{simd.Borrow(len(x.x)), x.b, x.h}
	simd.ReLU(rectified.x, x.x)
	inner := b.first.run(rectified)
	rectified.free()
	y := b.second.run(inner)
	inner.free()
	simd.Sum(y.x, [][]float32{y.x, x.x})
	return y
}

// runAll applies steps one after the other and frees what lies between and x.
func runAll[T interface{ run(grid) grid }](steps []T, x grid) grid {
	for _, s := range steps {
		y := s.run(x)
		x.free()
		x = y
	}
	return x
}
