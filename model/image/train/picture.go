package train

import (
	"io"
	"path/filepath"

	"vqspeech/internal/atomicfile"
	"vqspeech/model/image"
)

// ReconstructionsFile shows images above what the model makes of them, in a run
// folder.
const ReconstructionsFile = "reconstructions.png"

const drawn = 4 * image.GridColumns // images of it

// draw writes reconstructions.png: the first images of the valid set, or of the
// first other set that there is, and what m makes of them.
func (o Options) draw(m *image.Model) error {
	from := o.Training
	for _, set := range []image.Set{o.Test, o.Valid} {
		if set.N > 0 {
			from = set
		}
	}
	from = from.Slice(0, min(drawn, from.N))
	to, err := m.Reconstruct(from)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(o.Dir, ReconstructionsFile), func(w io.Writer) error {
		return image.WriteGrid(w, o.Model, from, to)
	})
}
