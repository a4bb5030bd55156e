// Package synthetic draws small sets of data for tests: what they hold is known
// exactly, and a seed always gives the same. Images are bytes, channels last, as
// files of images have them; nothing is read from anywhere.
package synthetic

import "math/rand/v2"

// random returns the generator of one kind of data.
func random(seed uint64, kind uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, kind)) }

// Kinds of data, so that equal seeds do not draw equal numbers.
const (
	kindShapes = iota + 1
	kindMasks
	kindStrokes
	kindFloor
	kindMove
	kindMixture
	kindSpeech
)
