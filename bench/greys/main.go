// Greys takes apart the error of a model of 256 grey values as classes (Takida et
// al. 2022, Table 5): what other readings of the decoder's output than the most
// probable class would have given, and how much of the error is of pixels that are
// off by more than half of the range, on the first 2,000 images of valid.
//
//	go run ./bench/greys MODEL DATA
package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"vqspeech/model/image"
	"vqspeech/recipes/images"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./bench/greys MODEL DATA")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "greys:", err)
		os.Exit(1)
	}
}

// readings are ways to make a grey value of the outputs of a pixel: weights of
// the classes, of which the mean counts.
var readings = []struct {
	name   string
	weight func(output, top, kappa float64) float64
}{
	{"most probable class", func(v, top, _ float64) float64 {
		if v == top {
			return 1
		}
		return 0
	}},
	{"mean by probabilities", func(v, top, kappa float64) float64 { return math.Exp(kappa * (v - top)) }},
	{"mean by directions", func(v, _, _ float64) float64 { return v }},
	{"mean by squared directions", func(v, _, _ float64) float64 { return v * v }},
}

const (
	classes   = 256
	ofLogits  = 2 // readings that logits have, too
	batchSize = 32
	most      = 2000 // images
)

func run(path, data string) error {
	m, err := image.Load(path)
	if err != nil {
		return err
	}
	if !m.Config.Labels() || m.Config.OutputChannels() != classes {
		return errors.New("want a model of 256 classes")
	}
	corpus, err := images.Open(data)
	if err != nil {
		return err
	}
	set, err := corpus.Read("valid")
	if err != nil {
		return err
	}
	set = set.Slice(0, min(set.N, most))
	kappa, used := 1.0, ofLogits
	directions := m.Config.Decoder.Kind == image.VMFDecoder
	if directions {
		e, err := m.Evaluate(set.Slice(0, 1))
		if err != nil {
			return err
		}
		kappa, used = e.DecoderKappa, len(readings)
	}
	squares, row := make([]float64, used), make([]float64, classes)
	far, farSquares, pixels := 0, 0.0, float64(len(set.Images))
	var certainty [3]sum // of the right class, by tones
	for from := 0; from < set.N; from += batchSize {
		part := set.Slice(from, min(from+batchSize, set.N))
		labels := make([]int32, len(part.Images))
		image.Labels(labels, part.Images)
		output := m.Forward(part.N, nil, labels).Output
		for i, want := range labels {
			length := 0.0
			for c, v := range output[i*classes : (i+1)*classes] {
				row[c] = float64(v)
				length += row[c] * row[c]
			}
			if directions {
				for c := range row {
					row[c] /= math.Sqrt(length)
				}
			}
			certainty[tone(want)].add(probability(row, kappa, int(want)), row[want])
			for r := range used {
				d := (read(r, row, kappa) - float64(want)) / (classes - 1)
				squares[r] += d * d
				if r == 0 && math.Abs(d) > 0.5 {
					far, farSquares = far+1, farSquares+d*d
				}
			}
		}
	}
	for r, s := range squares {
		fmt.Printf("%-28s MSE x 10^3 %.3f\n", readings[r].name, 1000*s/pixels)
	}
	fmt.Printf("off by more than half: %.2f %% of the pixels, %.1f %% of the error\n", 100*float64(far)/pixels, 100*farSquares/squares[0])
	for i, c := range certainty {
		fmt.Printf("%-28s %.2f %% of the pixels, mean probability of the right class %.3f", tones[i], 100*c.n/pixels, c.probability/c.n)
		if directions {
			fmt.Printf(", cosine to it %.3f", c.output/c.n)
		}
		fmt.Println()
	}
	return nil
}

var tones = []string{"black", "grey", "white"}

func tone(label int32) int {
	switch label {
	case 0:
		return 0
	case classes - 1:
		return 2
	}
	return 1
}

// sum is over pixels: of what the model says of their class.
type sum struct{ n, probability, output float64 }

func (s *sum) add(probability, output float64) {
	s.n++
	s.probability += probability
	s.output += output
}

func probability(outputs []float64, kappa float64, class int) float64 {
	top, sum := slices.Max(outputs), 0.0
	for _, v := range outputs {
		sum += math.Exp(kappa * (v - top))
	}
	return math.Exp(kappa*(outputs[class]-top)) / sum
}

// read is the mean of the classes by a reading of a pixel's outputs.
func read(r int, outputs []float64, kappa float64) float64 {
	top, sum, mean := slices.Max(outputs), 0.0, 0.0
	for c, v := range outputs {
		w := readings[r].weight(v, top, kappa)
		sum, mean = sum+w, mean+w*float64(c)
	}
	return mean / sum
}
