package train

// Plateau lowers a learning rate when a loss stops falling, like PyTorch's
// ReduceLROnPlateau in its mode "min" with a relative threshold. Better means
// less than Best*(1-threshold): for a negative loss that bound lies above Best,
// so a slightly worse loss counts as better and replaces Best, as published.
type Plateau struct {
	Factor   float64 // of a reduction
	Patience int     // losses that may not be better before one

	Best       float64 // +Inf before the first loss
	Bad        int     // losses since the last that was better
	Reductions int
}

// plateauThreshold and plateauEps are PyTorch's defaults: what counts as better,
// and the least change of the rate that is made.
const (
	plateauThreshold = 1e-4
	plateauEps       = 1e-8
)

// Add takes the next loss.
func (p *Plateau) Add(loss, initialRate float64) {
	if loss < p.Best*(1-plateauThreshold) {
		p.Best, p.Bad = loss, 0
	} else {
		p.Bad++
	}
	if p.Bad > p.Patience {
		p.Bad = 0
		if rate := p.Rate(initialRate); rate-rate*p.Factor > plateauEps {
			p.Reductions++
		}
	}
}

// Rate returns the rate after the reductions so far.
func (p *Plateau) Rate(initialRate float64) float64 {
	for range p.Reductions {
		initialRate *= p.Factor
	}
	return initialRate
}
