package metric

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// What a text file of vectors may hold; more is refused before it is stored.
const (
	maxVectorLine   = 1 << 20 // bytes
	maxVectorValues = 1 << 28
)

// ReadVectors reads features as the ZeroSpeech 2019 submissions hold them: a line
// per frame, numbers separated by blanks, no times.
//
//	vectors [N, dim] float32
//
// Empty lines are skipped. Lines of one number are refused: the 2019 evaluation
// drops them, so that codes must be written as vectors. So are numbers that are
// not finite, lines of different lengths and a file without any.
func ReadVectors(r io.Reader) (vectors []float32, dim int, err error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxVectorLine)
	n := 0
	for scan.Scan() {
		n++
		before := len(vectors)
		for field := range strings.FieldsSeq(scan.Text()) {
			v, err := strconv.ParseFloat(field, 32)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, 0, fmt.Errorf("metric: line %d has %.40q, want finite numbers", n, field)
			}
			if len(vectors) == maxVectorValues {
				return nil, 0, fmt.Errorf("metric: more than %d numbers", maxVectorValues)
			}
			vectors = append(vectors, float32(v))
		}
		switch got := len(vectors) - before; {
		case got == 0 || got == dim:
		case got == 1:
			return nil, 0, fmt.Errorf("metric: line %d has one number, want a vector (codes as one-hot or code vectors)", n)
		case dim == 0:
			dim = got
		default:
			return nil, 0, fmt.Errorf("metric: line %d has %d numbers, want %d as before", n, got, dim)
		}
	}
	switch err := scan.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, 0, fmt.Errorf("metric: line %d is longer than %d bytes", n+1, maxVectorLine)
	case err != nil:
		return nil, 0, fmt.Errorf("metric: %w", err)
	case dim == 0:
		return nil, 0, errors.New("metric: no vectors in the file")
	}
	return vectors, dim, nil
}
