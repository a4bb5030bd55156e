package simd

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// labelRun is the arguments of a LabelHead and its results.
type labelRun struct {
	LabelHead
	x, w, bias, dx, dw, dbias []float32
	label                     []int32
	b, h, wide                int
	score                     float64
	right                     int
}

func newLabelRun(r *rand.Rand, head LabelHead, b, h, wide int) *labelRun {
	c := head.Conv
	toH, toW := c.TransposedSize(h, wide)
	l := &labelRun{
		LabelHead: head, x: randoms(r, b*h*wide*c.Out), w: randoms(r, c.Taps()*c.In*c.Out), bias: randoms(r, c.In),
		label: make([]int32, b*toH*toW), b: b, h: h, wide: wide,
	}
	for i := range l.label {
		l.label[i] = int32(r.IntN(c.In))
	}
	l.dx, l.dw, l.dbias = randoms(r, len(l.x)), randoms(r, len(l.w)), randoms(r, len(l.bias))
	return l
}

func (l *labelRun) run() {
	l.score, l.right = l.Run(l.dx, l.dw, l.dbias, l.x, l.w, l.bias, l.label, l.b, l.h, l.wide)
}

// score64 is a LabelScore and its gradient in float64.
type score64 func(outputs []float64, label int32) (score float64, gradient []float64)

func crossEntropy64(a []float64, label int32) (float64, []float64) {
	p := softmax64(a)
	score := -math.Log(p[label])
	p[label]--
	return score, p
}

func vmf64(a []float64, label int32) (float64, []float64) {
	u, g, length := make([]float64, len(a)), make([]float64, len(a)), 0.0
	for i, v := range a {
		u[i] = math.Log1p(math.Exp(v))
		length += u[i] * u[i]
	}
	length = math.Sqrt(length)
	cosine := u[label] / length
	for i, v := range a {
		g[i] = -u[i] * cosine / length
		if i == int(label) {
			g[i]++
		}
		g[i] *= 1 / length / (1 + math.Exp(-v))
	}
	return cosine, g
}

func TestLabelHeadReference(t *testing.T) {
	for name, s := range map[string]struct {
		score LabelScore
		want  score64
	}{"cross entropy": {CrossEntropyScore, crossEntropy64}, "vmf": {VMFScore, vmf64}} {
		t.Run(name, func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				rapid.Check(t, func(rt *rapid.T) {
					draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(rt, name) }
					axis := func(name string) Axis {
						return Axis{Kernel: draw(name+" kernel", 1, 4), Stride: draw(name+" stride", 1, 3), Dilation: 1, Before: draw(name+" before", 0, 1)}
					}
					c := Conv2D{In: draw("outputs", 2, 41), Out: draw("channels", 1, 19), Y: axis("y"), X: axis("x")}
					b, h, wide := draw("batch", 1, 5), draw("height", 1, 5), draw("width", 1, 9)
					if toH, toW := c.TransposedSize(h, wide); toH < 1 || toW < 1 {
						return
					}
					l := newLabelRun(rand.New(rand.NewPCG(1, uint64(draw("seed", 0, 1<<20)))), LabelHead{c, s.score}, b, h, wide)
					l.run()
					l.check(rt, s.want)
				})
			})
		})
	}
}

// check compares a run with the convolution and the scores in float64.
func (l *labelRun) check(t rapid.TB, want score64) {
	c, f := l.Conv, l.Conv.In
	toH, toW := c.TransposedSize(l.h, l.wide)
	m := l.b * toH * toW
	zero := make([]float32, c.Out)
	// c reads images of f channels and writes those of the head's input.
	_, outputs, _ := c.conv64(make([]float32, m*f), l.w, zero, l.x, l.b, toH, toW)
	gradient, dbias := make([]float32, m*f), make([]float64, f)
	score, right, unsure := 0.0, 0, 0
	for r := range m {
		row := outputs[r*f : (r+1)*f]
		others := math.Inf(-1)
		for j := range row {
			row[j] += float64(l.bias[j])
			if j != int(l.label[r]) {
				others = max(others, row[j])
			}
		}
		switch margin := row[l.label[r]] - others; {
		case margin > 1e-3:
			right++
		case margin > -1e-3:
			unsure++
		}
		s, g := want(row, l.label[r])
		score += s
		for j, v := range g {
			gradient[r*f+j] = float32(v)
			dbias[j] += v
		}
	}
	dx, _, dw := c.conv64(gradient, l.w, zero, l.x, l.b, toH, toW)
	if math.Abs(score-l.score) > 1e-4*float64(m) || l.right < right || l.right > right+unsure {
		t.Errorf("score %g and %d right, want %g and %d to %d", l.score, l.right, score, right, right+unsure)
	}
	scale := float64(1 + c.Taps()*max(c.In, c.Out))
	withinScale(t, "dx", l.dx, dx, scale)
	withinScale(t, "dw", l.dw, dw, float64(1+m))
	withinScale(t, "dbias", l.dbias, dbias, float64(1+m))
}

// No number of threads changes a bit.
func TestLabelHeadSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		c := Square(70, 33, 4, 2, 1)
		runtime.GOMAXPROCS(1)
		l := newLabelRun(r, LabelHead{c, VMFScore}, 7, 6, 5)
		l.run()
		want := bitsOf(l.dx, l.dw, l.dbias, []float32{float32(l.score), float32(l.right)})
		for _, threads := range []int{2, 5} {
			runtime.GOMAXPROCS(threads)
			l.run()
			if got := bitsOf(l.dx, l.dw, l.dbias, []float32{float32(l.score), float32(l.right)}); got != want {
				t.Errorf("%d threads give other bits than one", threads)
			}
		}
	})
}

func TestLabelScores(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for name, score := range map[string]LabelScore{"cross entropy": CrossEntropyScore, "vmf": VMFScore} {
			for label, want := range []bool{false, true, false, false} {
				a := []float32{1, 2, 2, -1} // the first of the largest counts
				if _, right := score(a, make([]float32, 4), int32(label)); right != want {
					t.Errorf("%s: label %d is right: %v", name, label, right)
				}
			}
			a := []float32{1, float32(math.NaN()), 2, -1}
			if s, _ := score(a, make([]float32, 4), 0); !math.IsNaN(s) {
				t.Errorf("%s: NaN scores %v", name, s)
			}
			large := []float32{1e30, 0, -200, 200}
			if s, _ := score(large, make([]float32, 4), 0); math.IsNaN(s) || math.IsInf(s, 0) {
				t.Errorf("%s: a large output scores %v", name, s)
			}
		}
	})
}

func BenchmarkLabelHead(b *testing.B) {
	for name, score := range map[string]LabelScore{"cross entropy": CrossEntropyScore, "vmf": VMFScore} {
		b.Run(name, func(b *testing.B) {
			l := newLabelRun(rand.New(rand.NewPCG(1, 2)), LabelHead{Square(256, 32, 4, 2, 1), score}, 32, 14, 14)
			for b.Loop() {
				l.run()
			}
		})
	}
}
