package embedded_test

import (
	"fmt"
	"log"

	"vqspeech/model/embedded"
)

// Units of a recording with the default model.
func Example() {
	m, err := embedded.Default()
	if err != nil {
		log.Fatal(err)
	}
	var units []uint16
	samples, err := m.EncodeFile("../../testdata/118-47824-0040.flac", func(codes []uint16) error {
		units = append(units, codes...)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d samples, %d units of %d codes at %g Hz\n", samples, len(units), m.Codebook.Size, m.Config.CodeRate())
	// Output: 51600 samples, 160 units of 512 codes at 50 Hz
}
