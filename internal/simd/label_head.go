package simd

import (
	"math"
	"runtime"
)

// LabelHead is the last layer of a decoder of label maps and what scores it: a
// transposed convolution that gives every pixel In outputs, of which Score
// compares each pixel's with its label. [LabelHead.Run] does both and the
// gradients while the outputs of an image are in the processor's caches: with
// many classes they are by far the largest tensor of a model, and are never
// built.
type LabelHead struct {
	Conv  Conv2D
	Score LabelScore
}

// LabelScore scores the outputs of a pixel, writes the gradient of the score in
// their place, and says whether label has the largest output, the first of them if
// there are several. scratch has the length of outputs.
type LabelScore func(outputs, scratch []float32, label int32) (score float64, right bool)

// CrossEntropyScore is the negative log-likelihood of label under
// softmax(outputs) (nats).
func CrossEntropyScore(outputs, scratch []float32, label int32) (score float64, right bool) {
	top, at := peak(outputs), outputs[label]
	right = at == top && peak(outputs[:label]) < top
	s := expSum(scratch, outputs, top)
	affine(outputs, scratch, float32(1/s), 0)
	outputs[label]--
	return math.Log(s) + float64(top) - float64(at), right
}

// VMFScore is the cosine between u = softplus(outputs) and the axis of label:
// u[label]/|u|.
func VMFScore(outputs, scratch []float32, label int32) (score float64, right bool) {
	u, slope := outputs, scratch
	softplusSlope(u, slope, outputs)
	at := u[label]
	right = at == peak(u) && !(peak(u[:label]) >= at)
	length := norm(u)
	inv := 1 / max(length, normalizeMin)
	score = float64(at) * inv
	along := 0.0 // the norm of a tiny row is constant
	if length > normalizeMin {
		along = -score * inv * inv
	}
	center(outputs, u, slope, 0, float32(along))
	outputs[label] += float32(inv) * slope[label]
	return score, right
}

// Run returns the sum of the scores of all pixels and how many are right, and
// computes the gradients of that sum.
//
//	dx, x [B, H, W, Out]; dw, w [Taps*In, Out]; dbias, bias [In] float32
//	label [B, H', W'] int32, each one that Score knows; H', W' of TransposedSize
func (l LabelHead) Run(dx, dw, dbias, x, w, bias []float32, label []int32, b, h, wide int) (score float64, right int) {
	c := l.Conv
	toH, toW := c.TransposedSize(h, wide)
	checkLen("LabelHead dx", len(dx), len(x))
	checkLen("LabelHead x", len(x), b*h*wide*c.Out)
	checkLen("LabelHead dw", len(dw), len(w))
	checkLen("LabelHead w", len(w), c.Taps()*c.In*c.Out)
	checkLen("LabelHead dbias", len(dbias), c.In)
	checkLen("LabelHead bias", len(bias), c.In)
	checkLen("LabelHead label", len(label), b*toH*toW)
	p := labelPasses.get()
	defer labelPasses.put(p)
	p.LabelHead, p.x, p.dx, p.bias, p.label = l, x, dx, bias, label
	p.h, p.w, p.toH, p.toW = h, wide, toH, toW
	p.score, p.right = gemmGrow(p.score, b), gemmGrow(p.right, b)
	p.sums = gemmGrow(p.sums, b*c.In)
	clear(p.score)
	clear(p.right)
	clear(p.sums)
	clear(dx)
	p.begin(w)
	p.atOnce = min(runtime.GOMAXPROCS(0), b)
	p.seen, p.outputs = gemmGrow(p.seen, p.atOnce*p.most()*p.depth()), gemmGrow(p.outputs, p.atOnce*p.most()*c.In)
	for i := range p.phases {
		f := &p.phases[i]
		if f.n == 0 {
			continue
		}
		for p.first = 0; p.first < b; p.first += p.atOnce {
			n := min(p.atOnce, b-p.first)
			Parallel(n, 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					p.image(f, i)
				}
			})
			Parallel(c.In, labelColumns, func(lo, hi int) { p.weights(f, lo, hi, n) })
		}
	}
	p.end(dw)
	for i := range b {
		score += p.score[i]
		right += p.right[i]
	}
	for j := range dbias {
		s := 0.0
		for i := range b {
			s += p.sums[i*c.In+j]
		}
		dbias[j] = float32(s)
	}
	p.x, p.dx, p.bias, p.label = nil, nil, nil, nil
	return score, right
}

// labelColumns is the least number of outputs whose weights' gradients are worth
// a goroutine.
const labelColumns = 64

// labelPass is one call of LabelHead.Run. Its memory is used again by later ones.
type labelPass struct {
	LabelHead
	x, dx, bias    []float32
	label          []int32
	h, w, toH, toW int
	phases         []labelPhase
	first, atOnce  int       // images at work
	seen, outputs  []float32 // of them, in one phase: what the weights multiply, and the outputs or their gradients
	score, sums    []float64 // [B] and [B, In], of every image
	right          []int
}

var labelPasses = freeList[labelPass]{}

// labelPhase is every Stride-th output of an image along both axes: a
// convolution of stride 1 by some of the taps.
type labelPhase struct {
	y, x              axisPhase
	firstY, firstX    int
	win               window    // of the layer's input
	n, k              int       // outputs, values that each of them sees
	forward, backward Packed    // weights [k, In], and [In, k]
	w, dw             []float32 // [In, k]
}

// begin sets the phases and packs their weights.
func (p *labelPass) begin(w []float32) {
	c := p.Conv
	p.phases = gemmGrow(p.phases, c.Y.Stride*c.X.Stride)
	for i := range p.phases {
		f := &p.phases[i]
		f.firstY, f.firstX = i/c.X.Stride, i%c.X.Stride
		f.y, f.x = c.Y.phase(p.toH, f.firstY), c.X.phase(p.toW, f.firstX)
		f.n, f.k = f.y.n*f.x.n, f.y.axis.Kernel*f.x.axis.Kernel*c.Out
		f.win = window{in: c.Out, y: f.y.axis, x: f.x.axis, h: p.h, w: p.w, toH: f.y.n, toW: f.x.n}
		f.w, f.dw = gemmGrow(f.w, c.In*f.k), gemmGrow(f.dw, c.In*f.k)
		p.eachTap(f, func(at, tap int) {
			for o := range c.In {
				copy(f.w[o*f.k+at:][:c.Out], w[(tap*c.In+o)*c.Out:])
			}
		})
		f.forward.Repack(true, f.k, c.In, f.w, f.k)
		f.backward.Repack(false, c.In, f.k, f.w, f.k)
	}
}

// eachTap calls do with every tap of a phase and the first of the values that it
// multiplies: taps in reverse order, as tapOrder has them.
func (p *labelPass) eachTap(f *labelPhase, do func(at, tap int)) {
	tall, wide := f.y.axis.Kernel, f.x.axis.Kernel
	for i := range tall * wide {
		y, x := f.y.first+f.y.step*(tall-1-i/wide), f.x.first+f.x.step*(wide-1-i%wide)
		do(i*p.Conv.Out, y*p.Conv.X.Kernel+x)
	}
}

// end puts the weights' gradients in their places.
func (p *labelPass) end(dw []float32) {
	c := p.Conv
	clear(dw) // taps that no output sees
	for i := range p.phases {
		f := &p.phases[i]
		if f.n == 0 {
			continue
		}
		p.eachTap(f, func(at, tap int) {
			for o := range c.In {
				copy(dw[(tap*c.In+o)*c.Out:][:c.Out], f.dw[o*f.k+at:])
			}
		})
	}
}

// most and depth are the most outputs of a phase and the most values they see.
func (p *labelPass) most() int { return p.phases[0].n }
func (p *labelPass) depth() (k int) {
	for i := range p.phases {
		k = max(k, p.phases[i].k)
	}
	return k
}

// image runs one phase of image i of those at work: outputs, scores, and the
// gradients of outputs and input.
func (p *labelPass) image(f *labelPhase, i int) {
	c, image := p.Conv, p.first+i
	seen, outputs := p.part(f, i)
	if f.k > 0 {
		f.win.gather(seen, p.x, image*f.n, (image+1)*f.n, 0, f.k)
	}
	GemmPacked(f.n, seen, f.k, &f.forward, outputs, c.In, false)
	scratch := Borrow(max(c.In, f.n*f.k))
	defer Return(scratch)
	sums := p.sums[image*c.In:][:c.In]
	for r := range f.n {
		row := outputs[r*c.In:][:c.In]
		add(row, p.bias)
		y, x := f.firstY+r/f.x.n*c.Y.Stride, f.firstX+r%f.x.n*c.X.Stride
		score, right := p.Score(row, scratch[:c.In], p.label[(image*p.toH+y)*p.toW+x])
		p.score[image] += score
		if right {
			p.right[image]++
		}
		AddWide(sums, row)
	}
	if f.k > 0 {
		GemmPacked(f.n, outputs, c.In, &f.backward, scratch, f.k, false)
		size := p.h * p.w * c.Out
		f.win.scatter(p.dx[image*size:][:size], scratch)
	}
}

// weights adds what the n images at work give to the gradient of the weights of
// outputs lo to hi-1, one image after the other.
func (p *labelPass) weights(f *labelPhase, lo, hi, n int) {
	for i := range n {
		seen, outputs := p.part(f, i)
		Gemm(true, false, hi-lo, f.k, f.n, outputs[lo:], p.Conv.In, seen, f.k, f.dw[lo*f.k:], f.k, p.first+i > 0)
	}
}

// part returns the memory of image i of those at work.
func (p *labelPass) part(f *labelPhase, i int) (seen, outputs []float32) {
	return p.seen[i*f.n*f.k:][:f.n*f.k], p.outputs[i*f.n*p.Conv.In:][:f.n*p.Conv.In]
}
