package quant

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"vqspeech/internal/simd"
)

// Distance says which code vectors are near.
type Distance string

const (
	Euclidean Distance = "euclidean"
	Cosine    Distance = "cosine" // 1 - cos; a vector of zeros is at 1 from all others
)

// Neighbors lists the n nearest codes of every code, for the latent manipulation
// Neighbor-n of Takida et al. 2022 (Table 2): every code of an image is replaced
// by a near one, and what the decoder makes of them shows how smooth the
// codebook is. The paper does not define it further; here the neighbours are
// those of the code vector, by Euclidean distance (cosine for codes on a sphere),
// without the code itself, and each is as likely.
type Neighbors struct {
	n       int
	nearest []uint16 // [K, n], nearest first
}

// Neighbors returns the n nearest codes of every code, 0 ≤ n < K. Ties go to the
// lower index; a code whose vector is the same is a neighbour like any other.
func (c *Codebook) Neighbors(n int, d Distance) (*Neighbors, error) {
	if n < 0 || n >= c.Size {
		return nil, fmt.Errorf("quant: %d neighbours in a codebook of %d, want between 0 and %d", n, c.Size, c.Size-1)
	}
	distance := simd.SquaredDistance
	switch d {
	case Euclidean:
	case Cosine:
		distance = cosineDistance
	default:
		return nil, fmt.Errorf("quant: distance %q, want %q or %q", d, Euclidean, Cosine)
	}
	t := &Neighbors{n: n, nearest: make([]uint16, 0, c.Size*n)}
	from := make([]float64, c.Size)
	order := make([]int, c.Size)
	for k := range c.Size {
		for j := range c.Size {
			from[j] = distance(c.vector(k), c.vector(j))
			order[j] = j
		}
		slices.SortFunc(order, func(i, j int) int {
			return cmp.Or(cmp.Compare(from[i], from[j]), cmp.Compare(i, j))
		})
		at := slices.Index(order, k)
		copy(order[at:], order[at+1:]) // the code itself; others may be as near
		for _, j := range order[:n] {
			t.nearest = append(t.nearest, uint16(j))
		}
	}
	return t, nil
}

func (c *Codebook) vector(k int) []float32 { return c.Vectors[k*c.Dim:][:c.Dim] }

func cosineDistance(a, b []float32) float64 {
	var dot, aa, bb float64
	for i, v := range a {
		x, y := float64(v), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 1
	}
	return 1 - dot/(math.Sqrt(aa)*math.Sqrt(bb))
}

// Of returns the neighbours [n] of a code, nearest first. It must not be
// changed.
func (t *Neighbors) Of(code uint16) []uint16 { return t.nearest[int(code)*t.n:][:t.n] }

// Replace replaces every code, each < K, by one of its neighbours, drawn
// uniformly and independently: the same for the same state of rng. With n = 0
// the codes stay as they are and nothing is drawn.
func (t *Neighbors) Replace(codes []uint16, rng *rand.Rand) {
	if t.n == 0 {
		return
	}
	for i, k := range codes {
		codes[i] = t.Of(k)[rng.IntN(t.n)]
	}
}
