package wavenet

import "vqspeech/internal/simd"

// sampler draws codes. Its memory is used again at each draw.
type sampler struct {
	weights [Levels]float32
	rest    [Levels]float32
}

// draw returns a code distributed as the options say: the smallest whose
// cumulative probability, summed in float64, exceeds a uniform number. Every
// draw but the greedy one takes exactly one.
func (s *sampler) draw(logits []float32, o Options, random interface{ Float64() float64 }) int {
	if o.Temperature == 0 {
		return argmax(logits)
	}
	total := simd.SoftmaxRow(s.weights[:], logits, float32(o.Temperature))
	least := float32(0)
	if o.TopP < 1 {
		least, total = s.nucleus(o.TopP * total)
	}
	target := random.Float64() * total
	var sum float64
	last := 0
	for code, w := range s.weights[:] {
		if w < least || w == 0 {
			continue
		}
		if sum += float64(w); sum > target {
			return code
		}
		last = code
	}
	return last
}

// argmax returns the smallest code with the largest logit.
func argmax(logits []float32) int {
	best := 0
	for code, v := range logits {
		if v > logits[best] {
			best = code
		}
	}
	return best
}

// nucleus returns the weight of the least likely code that has to be among the
// likeliest for them to have the mass together (Holtzman et al. 2020), and their
// mass with all codes that are as likely. It searches as quickselect does.
func (s *sampler) nucleus(mass float64) (least float32, total float64) {
	rest := s.rest[:copy(s.rest[:], s.weights[:])]
	var above float64 // mass of what is known to be heavier than rest
	for {
		pivot := rest[len(rest)/2]
		var more, equal float64
		heavier := 0
		for _, w := range rest {
			switch {
			case w > pivot:
				more += float64(w)
				heavier++
			case w == pivot:
				equal += float64(w)
			}
		}
		// keep the heavier part, or what is lighter than the pivot
		if above+more >= mass && heavier > 0 {
			rest = keep(rest, func(w float32) bool { return w > pivot })
			continue
		}
		above += more + equal
		lighter := keep(rest, func(w float32) bool { return w < pivot })
		if above >= mass || len(lighter) == 0 {
			return pivot, above
		}
		rest = lighter
	}
}

// keep moves the values that are to stay to the front and returns them.
func keep(x []float32, stay func(float32) bool) []float32 {
	n := 0
	for _, v := range x {
		if stay(v) {
			x[n] = v
			n++
		}
	}
	return x[:n]
}
