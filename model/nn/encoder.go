package nn

import "slices"

// Encoder is the stack of convolutions from log-mel features to latents. It
// holds weights only and may be shared; every sequence has its own stream.
type Encoder struct{ Layers []*Conv }

// block is the number of mel frames gathered before the layers run, so that the
// matrix products are worth their overhead.
const block = 256

// EncoderStream encodes one sequence.
type EncoderStream struct {
	layers  []*convStream
	mels    int
	pending []float32 // frames [n, M] not yet given to the layers
}

// NewStream starts a sequence.
func (e *Encoder) NewStream() *EncoderStream {
	s := &EncoderStream{mels: e.Layers[0].Geometry.In}
	for _, l := range e.Layers {
		s.layers = append(s.layers, newConvStream(l))
	}
	return s
}

// Push appends mel frames [n, M] and returns the latents [m, C_out] that are
// complete, valid until the next call.
func (s *EncoderStream) Push(mel []float32) []float32 {
	s.pending = append(s.pending, mel...)
	if len(s.pending) < block*s.mels {
		return nil
	}
	return s.run(false)
}

// Flush ends the sequence and returns its last latents, valid until the next
// call.
func (s *EncoderStream) Flush() []float32 { return s.run(true) }

func (s *EncoderStream) run(last bool) []float32 {
	// An even number of frames: of a sequence of odd length the last frame is
	// dropped (sony/sqvae's evaluation), and only Flush knows the length.
	n := len(s.pending) / s.mels &^ 1 * s.mels
	x := s.pending[:n]
	for _, l := range s.layers {
		x = l.push(x, last)
	}
	s.pending = s.pending[:copy(s.pending, s.pending[n:])]
	return x
}

// Encode runs a whole sequence, in pieces: the activations of a long one would take
// gigabytes.
//
//	mel [T, M] → latents [⌊T/2⌋-1, C_out]
func (e *Encoder) Encode(mel []float32) (latents []float32) {
	s := e.NewStream()
	for piece := range slices.Chunk(mel, 8*block*s.mels) {
		latents = append(latents, s.Push(piece)...)
	}
	return append(latents, s.Flush()...)
}

// MultiplyAdds returns the number of multiply-adds in the matrix products of a
// sequence of t mel frames.
func (e *Encoder) MultiplyAdds(t int) int64 {
	var sum int64
	t &^= 1
	for _, l := range e.Layers {
		sum += l.multiplyAdds(t)
		t = l.Geometry.OutLen(t)
	}
	return sum
}
