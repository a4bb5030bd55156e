package metric

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Types numbers different vectors in the order in which they first occur, so
// that continuous features with few values can be counted as symbols: the rule
// of the ZeroSpeech bitrate, where two vectors are one symbol if all their
// values are equal. The zero value is ready.
type Types struct {
	number map[string]int32
	key    []byte
}

// Number returns the numbers of vectors [N, dim].
func (t *Types) Number(vectors []float32, dim int) []int32 {
	if t.number == nil {
		t.number = map[string]int32{}
	}
	if dim < 1 || len(vectors)%dim != 0 {
		panic(fmt.Sprintf("metric: %d values in vectors of %d", len(vectors), dim))
	}
	numbers := make([]int32, 0, len(vectors)/dim)
	for i := 0; i < len(vectors); i += dim {
		t.key = t.key[:0]
		for _, v := range vectors[i : i+dim] {
			t.key = binary.LittleEndian.AppendUint32(t.key, math.Float32bits(v+0)) // + 0: no -0
		}
		n, ok := t.number[string(t.key)]
		if !ok {
			n = int32(len(t.number))
			t.number[string(t.key)] = n
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// Len returns how many different vectors there were.
func (t *Types) Len() int { return len(t.number) }
