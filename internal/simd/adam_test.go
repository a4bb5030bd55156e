package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

func adamStep(t int) AdamStep {
	const rate, beta1, beta2 = 4e-4, 0.9, 0.999
	return AdamStep{
		Clip: 0.5, StepSize: rate / (1 - math.Pow(beta1, float64(t))), Beta1: beta1, Beta2: beta2,
		SqrtBias2: math.Sqrt(1 - math.Pow(beta2, float64(t))), Eps: 1e-8,
	}
}

// Ten steps against the equations in float64.
func TestAdamAgainstFloat64(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		const n = 21
		p, m, v := randoms(r, n), make([]float32, n), make([]float32, n)
		var p64, m64, v64 [n]float64
		for i := range p {
			p64[i] = float64(p[i])
		}
		for step := 1; step <= 10; step++ {
			s := adamStep(step)
			g := randoms(r, n)
			g[3] = 0
			s.Apply(p, g, m, v)
			for i := range p {
				x := s.Clip * float64(g[i])
				m64[i] = s.Beta1*m64[i] + (1-s.Beta1)*x
				v64[i] = s.Beta2*v64[i] + (1-s.Beta2)*x*x
				p64[i] -= s.StepSize * m64[i] / (math.Sqrt(v64[i])/s.SqrtBias2 + s.Eps)
				if math.Abs(float64(p[i])-p64[i]) > 5e-7*(1+math.Abs(p64[i])) {
					t.Fatalf("step %d: p[%d] = %v, want %v", step, i, p[i], p64[i])
				}
			}
		}
	})
}

func TestAdamSameBitsOnEverySet(t *testing.T) {
	for n := range 35 {
		var want [][]float32
		eachISA(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(n)))
			p, g, m, v := randoms(r, n), randoms(r, n), randoms(r, n), randoms(r, n)
			for i := range v {
				v[i] *= v[i]
			}
			adamStep(3).Apply(p, g, m, v)
			got := [][]float32{p, g, m, v}
			if want == nil {
				want = got
			}
			for i := range got {
				mustEqual(t, got[i], want[i], "p, g, m, v")
			}
		})
	}
}

func BenchmarkAdam(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 1 << 20
	p, g, m, v := randoms(r, n), randoms(r, n), make([]float32, n), make([]float32, n)
	for b.Loop() {
		adamStep(5).Apply(p, g, m, v)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
}
