package vq

import "math"

// EMA keeps a codebook as the moving average of the latents assigned to it.
// Call Update after every training step with the codes that were assigned
// before it.
type EMA struct {
	Decay   float64
	Epsilon float64

	// Debias chooses Sonnet's zero-debiased averages: both start at zero and
	// are divided by 1-Decay^t. Otherwise the published speech code
	// (bshall/ZeroSpeech) is followed: counts start at zero, sums at the
	// codebook, and the smoothed count is written back, so that unused codes
	// start far out and sweep through the data in the first thousands of steps.
	Debias bool

	Count []float32 // [K]
	Sum   []float32 // [K, D]
	Steps int       // updates done
}

// NewEMA starts the averages for a codebook [K, D].
func NewEMA(codebook []float32, size int, decay, epsilon float64, debias bool) *EMA {
	e := &EMA{Decay: decay, Epsilon: epsilon, Debias: debias, Count: make([]float32, size), Sum: make([]float32, len(codebook))}
	if !debias {
		copy(e.Sum, codebook)
	}
	return e
}

// Update moves the averages by one batch and rewrites the codebook.
//
//	codebook [K, D], latents [N, D] float32, codes [N] int32
func (e *EMA) Update(codebook, latents []float32, codes []int32) {
	k := len(e.Count)
	d := len(codebook) / k
	n, sum := make([]float64, k), make([]float64, k*d)
	for i, c := range codes {
		n[c]++
		dst := sum[int(c)*d : (int(c)+1)*d]
		for j, v := range latents[i*d : (i+1)*d] {
			dst[j] += float64(v)
		}
	}
	e.Steps++
	g := e.Decay
	correction := 1.0
	if e.Debias {
		correction = 1 - math.Pow(g, float64(e.Steps))
	}
	count, total := make([]float64, k), 0.0
	for i := range count {
		c := g*float64(e.Count[i]) + (1-g)*n[i]
		e.Count[i] = float32(c)
		count[i] = c / correction
		total += count[i]
	}
	for i, c := range count {
		smoothed := (c + e.Epsilon) / (total + float64(k)*e.Epsilon) * total
		if !e.Debias {
			e.Count[i] = float32(smoothed)
		}
		for j := i * d; j < (i+1)*d; j++ {
			s := g*float64(e.Sum[j]) + (1-g)*sum[j]
			e.Sum[j] = float32(s)
			codebook[j] = float32(s / correction / smoothed)
		}
	}
}
