package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// eachISA runs f once for every instruction set of this machine.
func eachISA(t *testing.T, f func(t *testing.T)) {
	before := ISA()
	defer func() {
		if err := SetISA(before); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range ISAs() {
		if err := SetISA(name); err != nil {
			t.Fatal(err)
		}
		t.Run(name, f)
	}
}

func randoms(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// product is one call of Gemm with its operands.
type product struct {
	transA, transB, accumulate bool
	m, n, k, lda, ldb, ldc     int
	a, b, c                    []float32
}

// newProduct draws operands whose leading dimensions are longer than their
// rows by the gaps, and whose slices end with the last row.
func newProduct(r *rand.Rand, transA, transB, accumulate bool, m, n, k int, gaps [3]int) *product {
	p := &product{transA: transA, transB: transB, accumulate: accumulate, m: m, n: n, k: k}
	stored := func(trans bool, rows, cols, gap int) ([]float32, int) {
		if trans {
			rows, cols = cols, rows
		}
		return randoms(r, max(0, (rows-1)*(cols+gap)+cols)), cols + gap
	}
	p.a, p.lda = stored(transA, m, k, gaps[0])
	p.b, p.ldb = stored(transB, k, n, gaps[1])
	p.c, p.ldc = stored(false, m, n, gaps[2])
	return p
}

func (p *product) run(c []float32) {
	Gemm(p.transA, p.transB, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, c, p.ldc, p.accumulate)
}

func (p *product) runPacked(c []float32) {
	a, lda := p.a, p.lda
	if p.transA { // GemmPacked takes A as it is
		a, lda = make([]float32, p.m*p.k), p.k
		for i := range p.m {
			for x := range p.k {
				a[i*lda+x] = p.a[x*p.lda+i]
			}
		}
	}
	GemmPacked(p.m, a, lda, PackB(p.transB, p.k, p.n, p.b, p.ldb), c, p.ldc, p.accumulate)
}

// check compares c with the product in float64, and the gaps between the rows
// of c with what was there before.
func (p *product) check(t interface{ Fatalf(string, ...any) }, c []float32) {
	for i := range p.m {
		for j := range p.n {
			var sum, size float64
			if p.accumulate {
				sum = float64(p.c[i*p.ldc+j])
				size = math.Abs(sum)
			}
			for x := range p.k {
				ai, bi := i*p.lda+x, x*p.ldb+j
				if p.transA {
					ai = x*p.lda + i
				}
				if p.transB {
					bi = j*p.ldb + x
				}
				v := float64(p.a[ai]) * float64(p.b[bi])
				sum += v
				size += math.Abs(v)
			}
			got := float64(c[i*p.ldc+j])
			if math.IsNaN(sum) && math.IsNaN(got) {
				continue
			}
			if !(math.Abs(got-sum) <= 1e-6*size+1e-30) {
				t.Fatalf("C[%d,%d] = %v, want %v (m=%d n=%d k=%d)", i, j, got, sum, p.m, p.n, p.k)
			}
		}
		for j := i*p.ldc + p.n; j < min((i+1)*p.ldc, len(c)); j++ {
			if c[j] != p.c[j] {
				t.Fatalf("the gap after row %d of C was written", i)
			}
		}
	}
}

func TestGemmAgainstFloat64(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			size := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, 130))
			depth := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(250, 530))
			gap := rapid.IntRange(0, 9)
			flag := rapid.Bool()
			p := newProduct(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)),
				flag.Draw(t, "transA"), flag.Draw(t, "transB"), flag.Draw(t, "accumulate"),
				size.Draw(t, "m"), size.Draw(t, "n"), depth.Draw(t, "k"),
				[3]int{gap.Draw(t, "gapA"), gap.Draw(t, "gapB"), gap.Draw(t, "gapC")})
			c := append([]float32(nil), p.c...)
			p.run(c)
			p.check(t, c)
			d := append([]float32(nil), p.c...)
			p.runPacked(d)
			mustEqual(t, d, c, "packed")
		})
	})
}

// Sizes beyond one block of rows, columns and k, on several threads.
func TestGemmLarge(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{{401, 133, 300}, {5, 2 * gemmNC, 17}, {70, gemmNC + 45, 40}, {1, 1000, 2000}} {
			for flags := range 4 {
				p := newProduct(r, flags&1 != 0, flags&2 != 0, flags == 3, s[0], s[1], s[2], [3]int{1, 2, 3})
				c := append([]float32(nil), p.c...)
				p.run(c)
				p.check(t, c)
			}
		}
	})
}

// A row alone, rows in odd groups, columns alone, other leading dimensions,
// packed or not, on one thread or two: always the same bits.
func TestGemmBitsDependOnRowAndColumnOnly(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		m, n, k := 61, 139, 601
		if testing.Short() {
			m, n, k = 31, 71, 281
		}
		for flags := range 8 {
			p := newProduct(r, flags&1 != 0, flags&2 != 0, flags&4 != 0, m, n, k, [3]int{3, 0, 5})
			runtime.GOMAXPROCS(1)
			want := append([]float32(nil), p.c...)
			p.run(want)
			for _, procs := range []int{1, 2} {
				runtime.GOMAXPROCS(procs)
				got := append([]float32(nil), p.c...)
				p.run(got)
				mustEqual(t, got, want, "again")
				got = append(got[:0], p.c...)
				p.runPacked(got)
				mustEqual(t, got, want, "packed")
				for _, group := range []int{1, 2, 3, 5, 7, 11, 13, 17, 29} {
					got = append(got[:0], p.c...)
					packed := PackB(p.transB, k, n, p.b, p.ldb)
					for i := 0; i < m; i += group {
						h := min(group, m-i)
						c := got[i*p.ldc:]
						if p.transA {
							Gemm(true, p.transB, h, n, k, p.a[i:], p.lda, p.b, p.ldb, c, p.ldc, p.accumulate)
						} else if group%2 == 1 {
							GemmPacked(h, p.a[i*p.lda:], p.lda, packed, c, p.ldc, p.accumulate)
						} else {
							Gemm(false, p.transB, h, n, k, p.a[i*p.lda:], p.lda, p.b, p.ldb, c, p.ldc, p.accumulate)
						}
					}
					mustEqual(t, got, want, fmt.Sprintf("rows by %d", group))
					got = append(got[:0], p.c...)
					for j := 0; j < n; j += group {
						b := p.b[j:]
						if p.transB {
							b = p.b[j*p.ldb:]
						}
						Gemm(p.transA, p.transB, m, min(group, n-j), k, p.a, p.lda, b, p.ldb, got[j:], p.ldc, p.accumulate)
					}
					mustEqual(t, got, want, fmt.Sprintf("columns by %d", group))
				}
			}
		}
	})
}

// The assembly kernels fuse multiply and add, so they agree bit for bit; the
// generic kernel agrees to rounding (TestGemmAgainstFloat64).
func TestGemmSameBitsOnAssemblySets(t *testing.T) {
	before := ISA()
	defer func() { _ = SetISA(before) }()
	p := newProduct(rand.New(rand.NewPCG(5, 6)), false, true, true, 77, 101, 771, [3]int{})
	var want []float32
	for _, name := range ISAs() {
		if name == "generic" {
			continue
		}
		if err := SetISA(name); err != nil {
			t.Fatal(err)
		}
		got := append([]float32(nil), p.c...)
		p.run(got)
		if want == nil {
			want = got
		}
		mustEqual(t, got, want, name)
	}
}

func TestGemmNaNAndInf(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachISA(t, func(t *testing.T) {
		const m, n, k = 19, 37, 33
		for _, v := range []float32{nan, inf} {
			p := newProduct(rand.New(rand.NewPCG(7, 8)), false, false, false, m, n, k, [3]int{})
			p.a[4*p.lda+20] = v
			p.b[20*p.ldb+11] = 0 // inf·0 is NaN too
			for i := range p.c {
				p.c[i] = nan // C is not read
			}
			p.run(p.c)
			for i := range m {
				for j := range n {
					got := float64(p.c[i*n+j])
					wantNaN := i == 4 && (v != v || j == 11)
					if math.IsNaN(got) != wantNaN || math.IsInf(got, 0) != (i == 4 && !wantNaN) {
						t.Fatalf("C[%d,%d] = %v with A[4,20] = %v", i, j, got, v)
					}
				}
			}
		}
	})
}

func TestGemmPanicsOnShortSlices(t *testing.T) {
	x := make([]float32, 12)
	for name, f := range map[string]func(){
		"A short":    func() { Gemm(false, false, 3, 2, 5, x, 5, x, 2, x, 2, false) },
		"B short":    func() { Gemm(false, false, 2, 5, 3, x, 3, x, 5, x, 5, false) },
		"C short":    func() { Gemm(false, false, 4, 4, 2, x, 2, x, 4, x, 4, false) },
		"lda short":  func() { Gemm(false, false, 2, 2, 3, x, 2, x, 2, x, 2, false) },
		"ldb short":  func() { PackB(true, 3, 2, x, 2) },
		"ldc short":  func() { Gemm(true, true, 2, 3, 2, x, 2, x, 2, x, 2, false) },
		"negative m": func() { Gemm(false, false, -1, 2, 2, x, 2, x, 2, x, 2, false) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestGemmConcurrentCalls(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			p := newProduct(rand.New(rand.NewPCG(9, uint64(g))), g&1 != 0, g&2 != 0, false, 90+g, 200, 100, [3]int{})
			for range 5 {
				p.run(p.c)
				p.check(t, p.c)
			}
		})
	}
	wg.Wait()
}

func mustEqual(t interface{ Fatalf(string, ...any) }, got, want []float32, what string) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(want[i]) && (v == v || want[i] == want[i]) {
			t.Fatalf("%s: value %d is %v (%#x), want %v (%#x)", what, i, v, math.Float32bits(v), want[i], math.Float32bits(want[i]))
		}
	}
}
