package simd

import (
	"math/rand/v2"
	"testing"
)

// The layers at the sizes of the published model in training: 52 utterances of
// 34 mel frames, 32 after the first convolution, 16 latents after the third.
const (
	benchBatch   = 52
	benchFrames  = 32
	benchLatents = 832
)

// rate reports multiply-adds a call as GFLOP/s.
func rate(b *testing.B, multiplyAdds int, f func()) {
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
	b.ReportMetric(2*float64(multiplyAdds)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// perValue reports the time for one of n values and how fast memory is read and
// written, at the given number of arrays of n values that a call goes through.
func perValue(b *testing.B, n, arrays int, f func()) {
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(seconds*1e9/float64(n), "ns/value")
	b.ReportMetric(4*float64(n)*float64(arrays)/seconds/1e9, "GB/s")
}

func BenchmarkConv1D(b *testing.B) {
	for _, c := range []struct {
		name   string
		frames int
		conv   Conv1D
	}{
		{"conv1", 34, Conv1D{In: 80, Out: 768, Kernel: 3, Stride: 1, Dilation: 1}},
		{"conv2", 32, Conv1D{In: 768, Out: 768, Kernel: 3, Stride: 1, Dilation: 1, PadLeft: 1, PadRight: 1}},
		{"conv3", 32, Conv1D{In: 768, Out: 768, Kernel: 4, Stride: 2, Dilation: 1, PadLeft: 1, PadRight: 1}},
		{"out", 16, Conv1D{In: 768, Out: 128, Kernel: 1, Stride: 1, Dilation: 1}},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		g, t := c.conv, c.frames
		to := g.OutLen(t)
		x, y := randoms(r, benchBatch*t*g.In), randoms(r, benchBatch*to*g.Out)
		w, bias := randoms(r, g.Kernel*g.In*g.Out), randoms(r, g.Out)
		macs := benchBatch * to * g.Kernel * g.In * g.Out
		b.Run(c.name+"/forward", func(b *testing.B) {
			dst := make([]float32, len(y))
			rate(b, macs, func() { g.Forward(dst, x, w, bias, benchBatch, t) })
		})
		b.Run(c.name+"/input", func(b *testing.B) {
			dst := make([]float32, len(x))
			rate(b, macs, func() { g.BackwardInput(dst, y, w, benchBatch, t) })
		})
		b.Run(c.name+"/weight", func(b *testing.B) {
			dst := make([]float32, len(w))
			rate(b, macs, func() { g.BackwardWeight(dst, x, y, benchBatch, t) })
		})
	}
}

func BenchmarkBatchNorm(b *testing.B) {
	const n, c = benchBatch * benchFrames, 768
	r := rand.New(rand.NewPCG(1, 1))
	x, dy, y := randoms(r, n*c), randoms(r, n*c), make([]float32, n*c)
	gamma, beta := randoms(r, c), randoms(r, c)
	mean, variance, invStd := make([]float32, c), make([]float32, c), make([]float32, c)
	dgamma, dbeta, dx := make([]float32, c), make([]float32, c), make([]float32, n*c)
	BatchNormTrain(y, x, nil, gamma, beta, mean, variance, invStd, n, c, 1e-5, true)
	b.Run("train", func(b *testing.B) {
		perValue(b, n*c, 2, func() { BatchNormTrain(y, x, nil, gamma, beta, mean, variance, invStd, n, c, 1e-5, true) })
	})
	b.Run("backward", func(b *testing.B) {
		perValue(b, n*c, 3, func() { BatchNormBackward(dx, dgamma, dbeta, dy, x, y, gamma, mean, invStd, n, c) })
	})
	b.Run("eval", func(b *testing.B) {
		perValue(b, n*c, 2, func() { ScaleShift(y, x, gamma, beta, n, c) })
	})
}

func BenchmarkReLU(b *testing.B) {
	const n = benchBatch * benchFrames * 768
	r := rand.New(rand.NewPCG(1, 1))
	x, dy, y := randoms(r, n), randoms(r, n), make([]float32, n)
	b.Run("forward", func(b *testing.B) { perValue(b, n, 2, func() { ReLU(y, x) }) })
	b.Run("backward", func(b *testing.B) { perValue(b, n, 3, func() { ReLUBackward(y, dy, x) }) })
}

func BenchmarkGRU(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	g := GRU{In: 128, Hidden: 128}
	const t, h = benchFrames, 128
	x, y := randoms(r, benchBatch*t*g.In), make([]float32, benchBatch*t*h)
	dx, dy := make([]float32, len(x)), randoms(r, len(y))
	weights := func() GRUWeights {
		return GRUWeights{WIH: randoms(r, g.In*3*h), WHH: randoms(r, h*3*h), BIH: randoms(r, 3*h), BHH: randoms(r, 3*h)}
	}
	w, dw := weights(), weights()
	for _, m := range [][]float32{w.WIH, w.WHH} {
		ScaleBy(m, m, 0.1) // gates that are not saturated
	}
	var tape GRUTape
	g.Forward(y, x, nil, w, benchBatch, t, &tape)
	macs := benchBatch * t * (g.In + h) * 3 * h
	b.Run("forward", func(b *testing.B) { rate(b, macs, func() { g.Forward(y, x, nil, w, benchBatch, t, &tape) }) })
	b.Run("backward", func(b *testing.B) {
		rate(b, 2*macs, func() { g.Backward(dx, nil, dw, dy, x, w, benchBatch, t, &tape) })
	})
	b.Run("inference", func(b *testing.B) { // one utterance of 6 s
		x := randoms(r, 600*g.In)
		y := make([]float32, 600*h)
		rate(b, 600*(g.In+h)*3*h, func() { g.Forward(y, x, nil, w, 1, 600, nil) })
	})
}

func BenchmarkGaussian(b *testing.B) {
	const n, d, k = benchLatents, 64, 512
	r := rand.New(rand.NewPCG(1, 1))
	z, w, codebook, da := randoms(r, n*d), randoms(r, n*d), randoms(r, k*d), randoms(r, n*k)
	for i := range w {
		w[i] *= w[i] // a precision
	}
	a := make([]float32, n*k)
	dz, dw, dcodebook := make([]float32, n*d), make([]float32, n*d), make([]float32, k*d)
	b.Run("logits", func(b *testing.B) { rate(b, 2*n*d*k, func() { GaussianLogits(a, z, w, codebook, n, d, k) }) })
	b.Run("backward", func(b *testing.B) {
		rate(b, 4*n*d*k, func() { GaussianLogitsBackward(dz, dw, dcodebook, da, z, w, codebook, n, d, k) })
	})
	b.Run("argmax", func(b *testing.B) {
		index := make([]int32, n)
		perValue(b, n*k, 1, func() { ArgMax(index, a, n, k) })
	})
}

func BenchmarkSoftmax(b *testing.B) {
	const n, k = benchLatents, 512
	r := rand.New(rand.NewPCG(1, 1))
	a, noise, dy, y, da := randoms(r, n*k), randoms(r, n*k), randoms(r, n*k), make([]float32, n*k), make([]float32, n*k)
	rows := make([]float32, n)
	b.Run("forward", func(b *testing.B) { perValue(b, n*k, 3, func() { Softmax(y, a, noise, n, k, 0.7) }) })
	b.Run("backward", func(b *testing.B) { perValue(b, n*k, 3, func() { SoftmaxBackward(da, y, dy, n, k, 0.7) }) })
	b.Run("negentropy", func(b *testing.B) { perValue(b, n*k, 2, func() { NegEntropy(y, rows, a, n, k) }) })
	b.Run("negentropy-backward", func(b *testing.B) {
		perValue(b, n*k, 3, func() { NegEntropyBackward(da, y, rows, a, n, k, 1) })
	})
	b.Run("gumbel", func(b *testing.B) {
		u := make([]float32, n*k)
		for i := range u {
			u[i] = r.Float32()
		}
		perValue(b, n*k, 2, func() { Gumbel(y, u) })
	})
}
