package metric

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// MaxDim bounds the dimension of features: a covariance of 128 MB.
const MaxDim = 4096

const (
	blockRows = 256 // rows that are added at a time
	stripe    = 256 // rows of the covariance that one product makes
)

// Moments accumulates the mean and the covariance of features in float64. Rows
// are added in blocks, each about its own mean (Chan, Golub and LeVeque 1983),
// so that the result does not lose precision far from the origin. It does not
// depend on how the rows arrive, unless moments are asked for in between.
type Moments struct {
	dim     int
	n       int       // rows in mean and scatter
	mean    []float64 // [D]
	scatter []float64 // [D, D] upper triangle, Σ (x - mean)(x - mean)ᵀ; nil until n > 0
	block   []float64 // [≤ blockRows, D] rows to be added
}

// NewMoments returns the moments of no rows of D features, 1 ≤ D ≤ MaxDim.
func NewMoments(dim int) (*Moments, error) {
	if dim < 1 || dim > MaxDim {
		return nil, fmt.Errorf("metric: features of %d dimensions, want between 1 and %d", dim, MaxDim)
	}
	return &Moments{dim: dim, mean: make([]float64, dim)}, nil
}

// Dim returns D.
func (m *Moments) Dim() int { return m.dim }

// Rows returns how many rows were added.
func (m *Moments) Rows() int { return m.n + len(m.block)/m.dim }

// Add adds rows [n, D]. It adds none if an element is not finite, and panics if
// len(rows) is not a multiple of D.
func (m *Moments) Add(rows []float64) error {
	if len(rows)%m.dim != 0 {
		panic(fmt.Sprintf("metric: %d elements for rows of %d", len(rows), m.dim))
	}
	for i, v := range rows {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("metric: row %d, column %d is %v, want a finite number", m.Rows()+i/m.dim, i%m.dim, v)
		}
	}
	for len(rows) > 0 {
		n := min(len(rows), blockRows*m.dim-len(m.block))
		m.block = append(m.block, rows[:n]...)
		rows = rows[n:]
		if len(m.block) == blockRows*m.dim {
			m.flush()
		}
	}
	return nil
}

// flush adds the block to the moments.
func (m *Moments) flush() {
	d, n := m.dim, len(m.block)/m.dim
	if n == 0 {
		return
	}
	if m.scatter == nil {
		m.scatter = make([]float64, d*d)
	}
	delta := make([]float64, d) // the block's mean, then how far it is from the mean so far
	for i := range n {
		for j, v := range m.block[i*d:][:d] {
			delta[j] += v
		}
	}
	for j := range delta {
		delta[j] /= float64(n)
	}
	for i := range n {
		for j := range d {
			m.block[i*d+j] -= delta[j]
		}
	}
	for j := range delta {
		delta[j] -= m.mean[j]
	}
	weight := float64(m.n) * float64(n) / float64(m.n+n)
	rows := func(j int) blas64.General {
		return blas64.General{Rows: n, Cols: d - j, Stride: d, Data: m.block[j:]}
	}
	for j := 0; j < d; j += stripe {
		left := rows(j)
		left.Cols = min(stripe, d-j)
		part := blas64.General{Rows: left.Cols, Cols: d - j, Stride: d, Data: m.scatter[j*d+j:]}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, left, rows(j), 1, part)
	}
	for i, v := range delta {
		for j := i; j < d; j++ {
			m.scatter[i*d+j] += weight * v * delta[j]
		}
		m.mean[i] += v * float64(n) / float64(m.n+n)
	}
	m.n += n
	m.block = m.block[:0]
}

// Mean returns the mean [D] of the rows. It must not be changed.
func (m *Moments) Mean() []float64 {
	m.flush()
	return m.mean
}

// Covariance returns the unbiased covariance [D, D] of the rows, divided by
// n - 1, or an error for fewer than 2 rows.
func (m *Moments) Covariance() (*mat.SymDense, error) {
	m.flush()
	if m.n < 2 {
		return nil, fmt.Errorf("metric: covariance of %d rows, want at least 2", m.n)
	}
	c := mat.NewSymDense(m.dim, nil)
	c.ScaleSym(1/float64(m.n-1), mat.NewSymDense(m.dim, m.scatter))
	return c, nil
}
