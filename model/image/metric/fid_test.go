package metric

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func near(t rapid.TB, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %v, want %v within %v", what, got, want, tol)
	}
}

func gaussians(seed uint64, n int) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0))
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// mapped returns a x + b, element by element.
func mapped(x []float64, a, b float64) []float64 {
	y := slices.Clone(x)
	for i := range y {
		y[i] = a*y[i] + b
	}
	return y
}

func TestMoments(t *testing.T) {
	const dim = 300 // more than a stripe
	const n = 700   // more than two blocks
	x := mapped(gaussians(1, n*dim), 1, 1e6)
	m := momentsOf(t, x, dim)
	var want mat.SymDense
	stat.CovarianceMatrix(&want, mat.NewDense(n, dim, x), nil)
	got, err := m.Covariance()
	if err != nil {
		t.Fatal(err)
	}
	for i := range dim {
		near(t, "mean", m.Mean()[i], stat.Mean(mat.Col(nil, i, mat.NewDense(n, dim, x)), nil), 1e-8)
		for j := range dim {
			if math.Abs(got.At(i, j)-want.At(i, j)) > 1e-9 {
				t.Fatalf("covariance %d, %d: got %v, want %v", i, j, got.At(i, j), want.At(i, j))
			}
		}
	}
	if m.Rows() != n {
		t.Errorf("%d rows, want %d", m.Rows(), n)
	}
}

// However the rows arrive, the bits are the same.
func TestMomentsOfPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 5).Draw(t, "dim")
		x := gaussians(7, dim*rapid.IntRange(2, 600).Draw(t, "n"))
		whole, _ := NewMoments(dim)
		pieces, _ := NewMoments(dim)
		if err := whole.Add(x); err != nil {
			t.Fatal(err)
		}
		for rest := x; len(rest) > 0; {
			n := dim * rapid.IntRange(1, len(rest)/dim).Draw(t, "piece")
			if err := pieces.Add(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		a, errA := whole.Covariance()
		b, errB := pieces.Covariance()
		if errA != nil || errB != nil || !mat.Equal(a, b) || !slices.Equal(whole.Mean(), pieces.Mean()) {
			t.Fatalf("whole and pieces differ: %v %v", errA, errB)
		}
	})
}

func TestFrechetKnownAnswers(t *testing.T) {
	const dim, n = 8, 500
	x := gaussians(2, n*dim)
	a := momentsOf(t, x, dim)
	near(t, "itself", frechet(t, a, a), 0, 1e-9)
	// A shift by s in every dimension is s² for each.
	near(t, "shifted", frechet(t, a, momentsOf(t, mapped(x, 1, 3), dim)), 9*dim, 1e-9)
	// c x: the covariance is c² C and the root c C, so tr C (1 - c)² and the means.
	cov, err := a.Covariance()
	if err != nil {
		t.Fatal(err)
	}
	want := 4 * mat.Trace(cov)
	for _, v := range a.Mean() {
		want += 4 * v * v
	}
	near(t, "scaled", frechet(t, a, momentsOf(t, mapped(x, 3, 0), dim)), want, 1e-9)
	// One dimension: (m1 - m2)² + (s1 - s2)².
	near(t, "one dimension", frechet(t, momentsOf(t, []float64{0, 2}, 1), momentsOf(t, []float64{4, 12}, 1)), 49+18, 1e-9)
	// Without variance only the means count.
	flat := momentsOf(t, []float64{1, 2, 1, 2, 1, 2}, 2)
	near(t, "points", frechet(t, flat, momentsOf(t, []float64{4, 6, 4, 6}, 2)), 25, 1e-12)
	near(t, "a point and a cloud", frechet(t, flat, momentsOf(t, []float64{0, 2, 2, 2}, 2)), 2, 1e-12)
}

// The trace of the root by pivots is that of the symmetric square root.
func TestRootTrace(t *testing.T) {
	for name, rows := range map[string][2]int{"full rank": {40, 50}, "singular": {5, 7}, "one singular": {4, 30}} {
		const dim = 12
		x, y := gaussians(3, rows[0]*dim), gaussians(4, rows[1]*dim)
		for i := range y {
			y[i] *= 1 + float64(i%dim)
		}
		a, errA := momentsOf(t, x, dim).Covariance()
		b, errB := momentsOf(t, y, dim).Covariance()
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		got, ok := rootTrace(a, b)
		other, okOther := rootTrace(b, a)
		if !ok || !okOther {
			t.Fatalf("%s: no root", name)
		}
		root := symmetricRoot(t, a)
		var p, q mat.Dense
		p.Mul(root, b)
		q.Mul(&p, root)
		sym := mat.NewSymDense(dim, nil)
		for i := range dim {
			for j := range i + 1 {
				sym.SetSym(i, j, q.At(i, j))
			}
		}
		want := mat.Trace(symmetricRoot(t, sym))
		near(t, name, got, want, 1e-6*want)
		near(t, name+", the other way round", other, want, 1e-6*want)
	}
}

func symmetricRoot(t *testing.T, a *mat.SymDense) *mat.Dense {
	t.Helper()
	var e mat.EigenSym
	if !e.Factorize(a, true) {
		t.Fatal("no eigenvectors")
	}
	var v, scaled, root mat.Dense
	e.VectorsTo(&v)
	values := e.Values(nil)
	for i := range values {
		values[i] = math.Sqrt(max(0, values[i]))
	}
	scaled.Mul(&v, mat.NewDiagDense(len(values), values))
	root.Mul(&scaled, v.T())
	return &root
}

func TestFrechetLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 6).Draw(t, "dim")
		draw := func(name string) []float64 {
			n := rapid.IntRange(2, 20).Draw(t, name)
			return rapid.SliceOfN(rapid.Float64Range(-100, 100), n*dim, n*dim).Draw(t, name+" rows")
		}
		x, y := draw("a"), draw("b")
		a, b := momentsOf(t, x, dim), momentsOf(t, y, dim)
		d, back := frechet(t, a, b), frechet(t, b, a)
		gap := 0.0
		for j, v := range a.Mean() {
			gap += (v - b.Mean()[j]) * (v - b.Mean()[j])
		}
		if !(d >= 0) || d < gap-1e-2 {
			t.Fatalf("distance %v, want at least the %v of the means", d, gap)
		}
		near(t, "the other way round", back, d, 1e-2) // roots of the rounding of products of 1e4
		near(t, "itself", frechet(t, a, a), 0, 1e-2)
		// Both scaled by 2: four times; both moved: the same.
		near(t, "scaled", frechet(t, momentsOf(t, mapped(x, 2, 0), dim), momentsOf(t, mapped(y, 2, 0), dim)), 4*d, 4e-2)
		near(t, "moved", frechet(t, momentsOf(t, mapped(x, 1, 7), dim), momentsOf(t, mapped(y, 1, 7), dim)), d, 1e-2)
	})
}

// More noise, more distance.
func TestFrechetGrowsWithNoise(t *testing.T) {
	const dim, n = 16, 400
	x, noise := gaussians(5, n*dim), gaussians(6, n*dim)
	last := 0.0
	for _, level := range []float64{0.1, 0.3, 1, 3} {
		y := slices.Clone(x)
		for i := range y {
			y[i] += level * noise[i]
		}
		d := frechet(t, momentsOf(t, x, dim), momentsOf(t, y, dim))
		if d <= last {
			t.Errorf("noise %v: distance %v, want more than %v", level, d, last)
		}
		last = d
	}
}

func TestFrechetErrors(t *testing.T) {
	for _, dim := range []int{0, -1, MaxDim + 1, math.MaxInt} {
		if _, err := NewMoments(dim); err == nil {
			t.Errorf("%d dimensions were accepted", dim)
		}
	}
	m := momentsOf(t, []float64{1, 2, 3, 4}, 2)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		err := m.Add([]float64{5, 6, 7, v})
		if err == nil || !strings.Contains(err.Error(), "row 3, column 1") || m.Rows() != 2 {
			t.Errorf("%v: %v and %d rows, want an error and 2", v, err, m.Rows())
		}
	}
	for name, c := range map[string]struct {
		m    *Moments
		want string
	}{
		"other dimensions": {momentsOf(t, []float64{1, 2, 3, 4, 5, 6}, 3), "features of 3 dimensions against 2"},
		"one row":          {momentsOf(t, []float64{1, 2}, 2), "covariance of 1 rows, want at least 2"},
		"no rows":          {momentsOf(t, nil, 2), "covariance of 0 rows, want at least 2"},
		"overflow":         {momentsOf(t, []float64{1e200, 1, -1e200, 1}, 2), "not finite"},
	} {
		if _, err := Frechet(m, c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	large := momentsOf(t, []float64{1e152, 1, -1e152, 1}, 2)
	if _, err := Frechet(large, large); err == nil || !strings.Contains(err.Error(), "not finite") {
		t.Errorf("overflow of the root: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("half a row was accepted")
		}
	}()
	_ = m.Add([]float64{1})
}

// Memory is that of one block, however many rows come.
func TestMomentsMemory(t *testing.T) {
	const dim = 64
	m := momentsOf(t, gaussians(8, 2*blockRows*dim), dim)
	rows := gaussians(9, blockRows*dim)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		if err := m.Add(rows); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("%d bytes allocated for 50 blocks of %d", got, 8*len(rows))
	}
}
