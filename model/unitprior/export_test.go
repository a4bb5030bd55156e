package unitprior

import "math"

// Steps is Surprisal by the network that draws.
func Steps(m *Model, codes []uint16) (nats []float64) {
	s, symbol := m.newStepper(), m.Config.End()
	for i := range len(codes) + 1 {
		logits, sum := s.step(symbol), 0.0
		for _, a := range logits {
			sum += math.Exp(float64(a))
		}
		symbol = m.Config.End()
		if i < len(codes) {
			symbol = int32(codes[i])
		}
		nats = append(nats, math.Log(sum)-float64(logits[symbol]))
	}
	return nats
}
