package cifar10

import "fmt"

const (
	side, channels = 32, 3
	imageBytes     = side * side * channels
	recordBytes    = 1 + imageBytes
	classes        = 10

	maxBatchBytes = 10_000 * recordBytes
)

// A FormatError reports that a file is not a batch.
type FormatError string

func (e FormatError) Error() string { return "cifar10: invalid format: " + string(e) }

// decode takes a batch apart: records of a label (0..9) and the red, green and
// blue planes of an image, each 32×32.
//
//	values [N, 32, 32, 3] uint8
//	labels [N] uint8
func decode(data []byte) (values, labels []uint8, err error) {
	if len(data) > maxBatchBytes {
		return nil, nil, FormatError(fmt.Sprintf("more than %d bytes", maxBatchBytes))
	}
	if len(data)%recordBytes != 0 || len(data) == 0 {
		return nil, nil, FormatError(fmt.Sprintf("%d bytes, want a multiple of %d", len(data), recordBytes))
	}
	n := len(data) / recordBytes
	values, labels = make([]uint8, n*imageBytes), make([]uint8, n)
	for i := range n {
		record := data[i*recordBytes : (i+1)*recordBytes]
		if record[0] >= classes {
			return nil, nil, FormatError(fmt.Sprintf("record %d: label %d, want 0 to %d", i, record[0], classes-1))
		}
		labels[i] = record[0]
		image := values[i*imageBytes : (i+1)*imageBytes]
		for j, v := range record[1:] {
			image[j%(side*side)*channels+j/(side*side)] = v
		}
	}
	return values, labels, nil
}
