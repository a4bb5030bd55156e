package wavenet

import "vqspeech/vocoder/lpc"

// residual turns the codes of one stream into samples, where they are those of
// a prediction's residual.
type residual struct {
	analyzer *lpc.Analyzer
	mels     int
	span     int // samples of a filter
	emphasis float64

	frames  []float32 // features that are not yet filters, the next first
	filters []lpc.Filter
	current *lpc.Filter

	coder      lpc.Coder
	prediction float32
	deEmphasis lpc.DeEmphasis
}

func newResidual(cfg Config) (*residual, error) {
	a, err := lpc.New(cfg.Features)
	if err != nil {
		return nil, err
	}
	return &residual{analyzer: a, mels: cfg.Dim, span: cfg.Upsampling / lpc.PerFrame, emphasis: cfg.Features.PreEmphasis}, nil
}

func (r *residual) reset() {
	r.frames, r.filters = r.frames[:0], r.filters[:0]
	r.coder, r.deEmphasis = lpc.Coder{}, lpc.NewDeEmphasis(r.emphasis)
}

// push takes features of the utterance.
func (r *residual) push(mel []float32) { r.frames = append(r.frames, mel...) }

// advance makes the filters of the next n frames. The frame after them is there
// unless the utterance has ended.
func (r *residual) advance(n int) {
	r.filters = r.filters[:0]
	for range n {
		mel, next := r.frames[:r.mels], r.frames[:r.mels]
		if len(r.frames) > r.mels {
			next = r.frames[r.mels : 2*r.mels]
		}
		r.filters = r.analyzer.Filters(r.filters, mel, next)
		r.frames = r.frames[r.mels:]
	}
	r.frames = append(r.frames[:0:0], r.frames...) // what is used up may go
}

// next returns the inputs for the sample at the given place of a frame.
func (r *residual) next(frame, sample int) lpc.Inputs {
	r.current = &r.filters[frame*lpc.PerFrame+sample/r.span]
	in, p := r.coder.Next(r.current)
	r.prediction = p
	return in
}

// put takes the code of that sample and returns it.
func (r *residual) put(code uint8) float32 {
	return r.deEmphasis.Next(r.coder.Put(r.current, r.prediction, code))
}
