package simd

// Axis is the geometry of a convolution along one axis.
type Axis struct {
	Kernel           int // taps
	Stride, Dilation int
	Before, After    int // zeros before the first and after the last value
}

// OutLen returns the length of the output for an input of length n, 0 if the
// kernel does not fit.
func (a Axis) OutLen(n int) int {
	if n += a.Before + a.After - (a.Kernel-1)*a.Dilation - 1; n >= 0 {
		return n/a.Stride + 1
	}
	return 0
}

// TransposedLen returns the length that the transposed convolution makes of n:
// the least of which the convolution makes n.
func (a Axis) TransposedLen(n int) int {
	return (n-1)*a.Stride - a.Before - a.After + (a.Kernel-1)*a.Dilation + 1
}

// pointwise says that every output sees the input of its own place only.
func (a Axis) pointwise() bool {
	return a.Kernel == 1 && a.Stride == 1 && a.Before == 0 && a.After == 0
}

// axisPhase is the part of an input gradient that belongs to the inputs phase,
// phase+Stride, …: a convolution of the output's gradient with those taps that
// reach them, in reverse order.
type axisPhase struct {
	n           int // inputs
	first, step int // taps
	axis        Axis
}

// phase returns a phase of an input of length n.
func (a Axis) phase(n, phase int) axisPhase {
	common := gcd(a.Stride, a.Dilation)
	p := axisPhase{n: max((n-phase+a.Stride-1)/a.Stride, 0), step: a.Stride / common}
	for p.first < p.step && (phase+a.Before-p.first*a.Dilation)%a.Stride != 0 {
		p.first++
	}
	taps := 0
	if p.first < p.step && p.first < a.Kernel {
		taps = (a.Kernel - p.first + p.step - 1) / p.step
	}
	dilation := a.Dilation / common
	lead := (phase + a.Before - p.first*a.Dilation) / a.Stride // output that the first tap joins to input phase
	p.axis = Axis{Kernel: taps, Stride: 1, Dilation: dilation, Before: (taps-1)*dilation - lead}
	return p
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
