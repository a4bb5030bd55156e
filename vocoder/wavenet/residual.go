package wavenet

import "vqspeech/vocoder/lpc"

// residual turns the codes of one stream into samples, where they are those of
// a prediction's residual.
type residual struct {
	frames *frames
	dim    int
	span   int // samples of a filter

	waiting []float32 // latents that are not yet filters, the next first
	filters []lpc.Filter
	periods []int
	current *lpc.Filter

	coder      lpc.Coder
	prediction float32
	voiced     bool // the sample to come
}

func newResidual(cfg Config) (*residual, error) {
	f, err := newFrames(cfg)
	return &residual{frames: f, dim: cfg.Dim, span: cfg.Upsampling / lpc.PerFrame}, err
}

func (r *residual) reset() {
	r.waiting, r.filters, r.periods = r.waiting[:0], r.filters[:0], r.periods[:0]
	r.coder = lpc.Coder{}
}

// push takes latents of the utterance.
func (r *residual) push(latents []float32) { r.waiting = append(r.waiting, latents...) }

// advance makes the filters of the next n latents. The one after them is there
// unless the utterance has ended.
func (r *residual) advance(n int) {
	r.filters, r.periods = r.filters[:0], r.periods[:0]
	for i := range n {
		x := r.waiting[i*r.dim : (i+1)*r.dim]
		next := x
		if len(r.waiting) > (i+1)*r.dim {
			next = r.waiting[(i+1)*r.dim : (i+2)*r.dim]
		}
		r.filters, r.periods = r.frames.append(r.filters, r.periods, x, next)
	}
	r.waiting = r.waiting[:copy(r.waiting, r.waiting[n*r.dim:])]
}

// next returns the inputs for the sample at the given place of a frame.
func (r *residual) next(frame, sample int) lpc.Inputs {
	part := frame*lpc.PerFrame + sample/r.span
	r.current = &r.filters[part]
	r.voiced = r.periods[part] > 0
	in, p := r.coder.Next(r.current, r.periods[part])
	r.prediction = p
	return in
}

// put takes the code of that sample and returns it, pre-emphasised.
func (r *residual) put(code uint8) float32 { return r.coder.Put(r.current, r.prediction, code) }
