package wavenet

// Generate draws one utterance with given uniform numbers and keeps the codes
// and the logits.
func (g *Generator) Generate(o Options, latents, uniform []float32) (codes []int32, logits []float32) {
	s, err := g.NewStream(o)
	if err != nil {
		panic(err)
	}
	u := fixed(uniform)
	s.random = &u
	s.push(latents)
	s.end()
	ws := g.workspace(1)
	for s.settled() > 0 {
		g.step(ws, []*Stream{s})
		logits = append(logits, ws.logits[:Levels]...)
		s.draw(ws, ws.logits[:Levels])
		codes = append(codes, int32(s.code))
	}
	return codes, logits
}

// fixed is a random source of given numbers.
type fixed []float32

func (f *fixed) Float64() float64 {
	u := (*f)[0]
	*f = (*f)[1:]
	return float64(u)
}

// Draw draws one code.
func Draw(logits []float32, o Options, random interface{ Float64() float64 }) int {
	return new(sampler).draw(logits, o, random)
}
