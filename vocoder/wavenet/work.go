package wavenet

// Parameters returns the number of trained values.
func (c Config) Parameters() int {
	n := 0
	for _, p := range c.Params() {
		n += p.Size()
	}
	return n
}

// Work is the arithmetic of generation, in multiply-adds of matrix products.
// What is done element by element is small beside it and not counted.
type Work struct {
	Sample  int64 // for every sample
	Latent  int64 // for every latent: the conditioning, U samples of it where the upsampling is learned
	Samples int64 // per latent
}

// PerSample returns the multiply-adds of one sample and its share of the
// conditioning.
func (w Work) PerSample() float64 { return float64(w.Sample) + float64(w.Latent)/float64(w.Samples) }

// Work returns the arithmetic of generation with cached layer inputs.
func (c Config) Work() Work {
	m, r, d, s, ch := int64(c.Layers()), int64(c.Residual), int64(c.Gate), int64(c.Skip), int64(c.CondChannels)
	w := Work{
		Sample:  m*(2*int64(c.Kernel)*r*d+d*s) + (m-1)*d*r + s*int64(c.Post) + int64(c.Post)*Levels,
		Latent:  3 * int64(c.Dim) * ch,
		Samples: int64(c.Upsampling),
	}
	if h := int64(c.GRU); h > 0 {
		w.Sample = 3*h*h + h*int64(c.Post) + int64(c.Post)*Levels
		w.Latent += ch * 3 * h
		return w
	}
	rows := int64(1) // conditioning vectors per latent
	for _, g := range c.UpConvs() {
		w.Latent += rows * int64(g.Kernel) * ch * ch
		rows *= int64(g.Stride)
	}
	w.Latent += rows * ch * m * 2 * d
	return w
}
