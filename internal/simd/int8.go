package simd

import (
	"math"
	"unsafe"
)

// PackedInt8 is a matrix W [k, n] in bytes, with a scale for each column, laid
// out for products of a few rows with it. It takes a quarter of the memory of a
// [Packed] matrix, which is what such products wait for. Any number of
// goroutines may use it at a time.
type PackedInt8 struct {
	k, n   int
	panels []int8    // of up to int8Panel vectors of columns; in each, groups of int8Group values of k
	scale  []float32 // [n, whole vectors] what 1 stands for
	offset []int32   // [n, whole vectors] -128 times the sum of a column
}

const (
	int8Vector = 16  // columns that are never split
	int8Panel  = 8   // vectors of columns side by side
	int8Group  = 4   // values of k side by side, of each column
	int8Top    = 127 // largest magnitude: with it the sum of two products fits 16 bits
)

// PackInt8 rounds W [k, n], whose rows are n apart, to whole multiples of a 127th
// of the largest magnitude of each column. Values must be finite.
func PackInt8(k, n int, w []float32) *PackedInt8 {
	w = w[:k*n]
	groups, vectors := (k+int8Group-1)/int8Group, (n+int8Vector-1)/int8Vector
	wide := vectors * int8Vector
	p := &PackedInt8{
		k: k, n: n, panels: alignedInt8(groups * int8Group * wide),
		scale: make([]float32, wide), offset: make([]int32, wide),
	}
	for j := range n {
		var top float32
		for i := range k {
			top = max(top, float32(math.Abs(float64(w[i*n+j]))))
		}
		p.scale[j] = top / int8Top
		if top == 0 {
			continue
		}
		for i := range k {
			q := math.RoundToEven(float64(w[i*n+j]) / float64(top) * int8Top)
			panel, columns := p.panel(j / int8Vector)
			panel[i/int8Group*columns*int8Group+j%(int8Panel*int8Vector)*int8Group+i%int8Group] = int8(q)
			p.offset[j] -= 128 * int32(q)
		}
	}
	return p
}

// panel returns the panel of a vector of columns, and how many columns it has.
func (p *PackedInt8) panel(vector int) (panel []int8, columns int) {
	first := vector / int8Panel * int8Panel * int8Vector
	rows := (p.k + int8Group - 1) / int8Group * int8Group
	return p.panels[rows*first:], min(int8Panel*int8Vector, len(p.scale)-first)
}

// alignedInt8 returns n zeros that begin at a cache line, so that no vector
// spans two.
func alignedInt8(n int) []int8 {
	const line = 64
	x := make([]int8, n+line)
	skip := -int(uintptr(unsafe.Pointer(&x[0]))) & (line - 1)
	return x[skip : skip+n]
}

// MulRows computes y += x·W for a few rows. Each row of x is rounded to whole
// multiples of a 127th of its largest magnitude; the sums of these integers are
// exact, so that every instruction set gives the same bits. Values must be
// finite. Like [Packed.MulRows] it works on the caller's goroutine; the rows of
// x are ldx apart, those of y ldy.
//
//	x [m, k], W [k, n], y [m, n] float32
func (p *PackedInt8) MulRows(m int, x []float32, ldx int, y []float32, ldy int, scratch *RowScratch) {
	if m == 0 || p.k == 0 || p.n == 0 {
		return
	}
	_, _ = x[(m-1)*ldx+p.k-1], y[(m-1)*ldy+p.n-1]
	kern := int8Kernels[isaCurrent.Load()]
	t := &scratch.tile
	t.groups = (p.k + int8Group - 1) / int8Group
	t.ldx = t.groups * int8Group
	// A group that k does not fill has zeros among the weights.
	scratch.codes = gemmGrow(scratch.codes, m*t.ldx)
	scratch.scales = gemmGrow(scratch.scales, m)
	for i := range m {
		scratch.scales[i] = quantise(scratch.codes[i*t.ldx:][:p.k], x[i*ldx:][:p.k])
	}
	vectors := len(p.scale) / int8Vector
	for v := 0; v < vectors; {
		panel, columns := p.panel(v)
		t.w, t.columns = panel[v%int8Panel*int8Vector*int8Group:], columns
		j := v * int8Vector
		t.scale, t.offset = p.scale[j:], p.offset[j:]
		wide := kern.vectors(m, min(int8Panel-v%int8Panel, vectors-v))
		for i := 0; i < m; {
			h := min(kern.rows, m-i)
			t.x, t.scales, t.y, t.ldy = scratch.codes[i*t.ldx:], scratch.scales[i:], y[i*ldy+j:], ldy
			if have := p.n - j; have < wide*int8Vector {
				// The tile writes whole vectors.
				t.ldy = wide * int8Vector
				scratch.edge = gemmGrow(scratch.edge, h*t.ldy)
				t.y = scratch.edge
				for r := range h {
					copy(t.y[r*t.ldy:], y[(i+r)*ldy+j:][:have])
				}
				kern.tile(t, h, wide)
				for r := range h {
					copy(y[(i+r)*ldy+j:][:have], t.y[r*t.ldy:])
				}
			} else {
				kern.tile(t, h, wide)
			}
			i += h
		}
		v += wide
	}
}

// int8Kernel multiplies tiles of up to rows rows.
type int8Kernel struct {
	rows int
	most [5]int // vectors of columns in a tile of h rows at h, a power of two
	tile func(t *int8Tile, h, vectors int)
}

// vectors returns how many vectors of columns the tiles of m rows take at once
// where there are left more.
func (k *int8Kernel) vectors(m, left int) int {
	n := k.most[min(m, k.rows)]
	for n > left {
		n /= 2
	}
	return n
}

// int8Tile is one call of a kernel: y += scales · (x·w) · scale.
type int8Tile struct {
	groups  int // of int8Group values of k
	x       []uint8
	ldx     int
	scales  []float32 // of the rows of x
	w       []int8
	columns int       // of a group of w
	scale   []float32 // of the columns
	offset  []int32
	y       []float32
	ldy     int
}

// int8Generic is plain Go.
var int8Generic = int8Kernel{rows: 1, most: [5]int{1: int8Panel}, tile: int8TileGeneric}

func int8TileGeneric(t *int8Tile, _, vectors int) {
	var buf [int8Panel * int8Vector]int32
	sums := buf[:vectors*int8Vector]
	copy(sums, t.offset)
	for g := range t.groups {
		x := t.x[g*int8Group:][:int8Group]
		x0, x1, x2, x3 := int32(x[0]), int32(x[1]), int32(x[2]), int32(x[3])
		w := t.w[g*t.columns*int8Group:][:len(sums)*int8Group]
		for j := range sums {
			c := w[j*int8Group:][:int8Group]
			sums[j] += x0*int32(c[0]) + x1*int32(c[1]) + x2*int32(c[2]) + x3*int32(c[3])
		}
	}
	for j, s := range sums {
		t.y[j] += float32(float32(s) * float32(t.scales[0]*t.scale[j]))
	}
}

// int8Least is the magnitude below which a row counts as zero: the codes of
// smaller values would overflow on the way.
const int8Least = 1e-30

// quantise sets codes to 128 + x/scale, rounded to even, and returns scale, a
// 127th of the largest magnitude in x.
func quantise(codes []uint8, x []float32) (scale float32) {
	codes = codes[:len(x)]
	var top float32
	for _, v := range x[quantiseTopHead(&top, x):] {
		top = max(top, math.Float32frombits(math.Float32bits(v)&^(1<<31)))
	}
	var factor float32
	if top > int8Least {
		scale, factor = top/int8Top, int8Top/top
	}
	for i := quantiseHead(codes, x, factor); i < len(x); i++ {
		codes[i] = uint8(128 + int32(float32(x[i]*factor)+vecMagic-vecMagic))
	}
	return scale
}
