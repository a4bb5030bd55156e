package wavenet

import "vqspeech/internal/simd"

// core is the part of a network between the inputs of a sample and the head:
// dilated layers (dilated.go) or a recurrent layer (recurrent.go).
type core interface {
	// widths returns, for every buffer that step works in, the values that it
	// holds of one stream.
	widths() []int

	// state returns what is known of an utterance that begins.
	state() state

	// step moves the states of n streams on by one sample and returns what the
	// head sees, n rows that are ldx apart. It may use the buffers as it likes.
	step(g *Generator, ws *workspace, streams []*Stream) (x []float32, ldx int)
}

// state is what a core keeps of an utterance from sample to sample.
type state struct {
	values   []float32
	position []int // in values, of what comes next
}

// reset makes s the state of an utterance that begins.
func (s *state) reset() {
	clear(s.values)
	clear(s.position)
}

// terms are the parts of a core that do not depend on its state: a row of each
// table for every sample, and contexts of N columns, computed once per
// conditioning vector or once per utterance.
type terms struct {
	inputs      [][]float32  // as inputTables
	contextMap  *simd.Packed // [C, N]
	speakerMap  []float32    // [G, N]
	contextBias []float32    // [N]
}

// columns is the width N of a context.
func (t *terms) columns() int { return len(t.contextBias) }

// inputTables names the tables of codes [256, R] whose rows add up to the input
// of a sample: of the code before it and, with Prediction, of lpc.Inputs.
func (c Config) inputTables() []string {
	if c.Prediction {
		return []string{"input", "signal", "prediction", "period"}
	}
	return []string{"input"}
}

// addInput adds the rows of the stream's next sample to x.
func (g *Generator) addInput(x []float32, s *Stream) {
	n := len(x)
	simd.AddRow(x, g.inputs[0][s.code*n:][:n])
	if s.residual == nil {
		return
	}
	in := s.residual.next(s.context, s.repeats)
	for i, code := range [...]uint8{in.Signal, in.Prediction, in.Period} {
		simd.AddRow(x, g.inputs[1+i][int(code)*n:][:n])
	}
}
