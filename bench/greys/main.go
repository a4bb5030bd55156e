// Greys takes apart the error of a model of 256 grey values as classes (Takida et
// al. 2022, Table 5), on the first 2,000 images of valid: how much of it is of pixels
// that are off by more than half of the range, by how much those of each tone are
// off, what other readings of the decoder's output than the most probable class
// would have given, and how sure the decoder is.
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
	if !m.Config.Labels() || m.Config.Net.Channels != classes {
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
	if err := errorsOf(m, set); err != nil || m.Config.OutputChannels() != classes {
		return err // classes in order have no outputs of their own
	}
	return readingsOf(m, set)
}

var tones = []string{"black", "grey", "white"}

func tone(level uint8) int {
	switch level {
	case 0:
		return 0
	case classes - 1:
		return 2
	}
	return 1
}

// errorsOf prints by how much the most probable classes are off.
func errorsOf(m *image.Model, set image.Set) error {
	made, err := m.Reconstruct(set)
	if err != nil {
		return err
	}
	var off [3][classes]int // by tones
	far, farSquares, squares, pixels := 0, 0.0, 0.0, float64(len(set.Images))
	for i, want := range set.Images {
		d := max(want, made.Images[i]) - min(want, made.Images[i])
		off[tone(want)][d]++
		square := math.Pow(float64(d)/(classes-1), 2)
		squares += square
		if d >= classes/2 {
			far, farSquares = far+1, farSquares+square
		}
	}
	fmt.Printf("MSE x 10^3 %.3f\n", 1000*squares/pixels)
	fmt.Printf("off by more than half: %.3f %% of the pixels, %.1f %% of the error\n", 100*float64(far)/pixels, 100*farSquares/squares)
	for i, counts := range off {
		n := 0
		for _, c := range counts {
			n += c
		}
		median, within := 0, counts[0]
		for 2*within < n {
			median++
			within += counts[median]
		}
		fmt.Printf("%s: %.2f %% of the pixels, %.1f %% of them wrong, median error %d\n", tones[i], 100*float64(n)/pixels, 100-100*float64(counts[0])/float64(n), median)
	}
	return nil
}

// readingsOf prints what other readings of the outputs make of the error, and how
// sure the model is of the right classes.
func readingsOf(m *image.Model, set image.Set) error {
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
	var sure, n [3]float64 // by tones
	for from := 0; from < set.N; from += batchSize {
		part := set.Slice(from, min(from+batchSize, set.N))
		labels := make([]int32, len(part.Images))
		image.Labels(labels, part.Images)
		output := m.Forward(part.N, nil, labels).Output
		for i, want := range part.Images {
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
			n[tone(want)]++
			sure[tone(want)] += probability(row, kappa, want)
			for r := range used {
				d := (read(r, row, kappa) - float64(want)) / (classes - 1)
				squares[r] += d * d
			}
		}
	}
	for r, s := range squares {
		fmt.Printf("%s: MSE x 10^3 %.3f\n", readings[r].name, 1000*s/float64(len(set.Images)))
	}
	for i, s := range sure {
		fmt.Printf("%s: mean probability of the right class %.3f\n", tones[i], s/n[i])
	}
	return nil
}

func probability(outputs []float64, kappa float64, class uint8) float64 {
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
