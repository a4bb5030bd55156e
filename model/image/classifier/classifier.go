// Package classifier trains a small convolutional network on the class labels of
// images. Its features stand in for Inception's where images are compared with
// their reconstructions as sets (metric.Frechet). The distance is that of these
// features; it is no FID and does not compare with one.
package classifier

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"vqspeech/internal/training"
	"vqspeech/model"
	"vqspeech/model/image"
	"vqspeech/model/train"
)

// Convention names the network, its training and its features: images from 0 to
// 1; convolutions of 16, 32 and then 64 channels (kernel 4, stride 2, ReLU) while
// the side is above 8; a linear layer to 64 features; ReLU; a linear layer to the
// classes. At most 2000 steps of Adam on 64 images drawn at random (1e-3, a tenth of
// it in the last quarter), always from the same seed. Features are taken before
// their ReLU. Distances of another classifier, or of one that learned from other
// images, do not compare.
const Convention = "cnn64"

// Dim is the number of features of an image.
const Dim = 64

const (
	batchSize    = 64
	maxSteps     = 2000
	learningRate = 1e-3
	smallest     = 8 // side of an image, and of the last feature map
	largest      = 256
)

// Random streams of the training (training.Random).
const (
	streamInit = iota
	streamBatch
)

// A Classifier tells the classes of images apart. Its methods must not be called
// from several goroutines.
type Classifier struct {
	shape   shape
	weights model.Weights
	net     *network // of what Features needs
}

// Train learns the labels [N] of images, which must be squares with sides of 8 to
// 256, until ctx ends. The same images give the same classifier whatever the
// number of threads. progress is called after every step; it may be nil.
func Train(ctx context.Context, s image.Set, labels []uint8, progress func(step, steps int)) (*Classifier, error) {
	if len(labels) != s.N || len(s.Images) != s.N*s.Size() {
		panic(fmt.Sprintf("classifier: %d labels and %d values of %d images", len(labels), len(s.Images), s.N))
	}
	if s.N == 0 {
		return nil, errors.New("classifier: no images to train on")
	}
	if s.Height != s.Width || s.Height < smallest || s.Height > largest {
		return nil, fmt.Errorf("classifier: images of %d×%d, want squares with sides of %d to %d", s.Height, s.Width, smallest, largest)
	}
	if slices.Min(labels) == slices.Max(labels) {
		return nil, fmt.Errorf("classifier: all %d images have the label %d, want at least two classes", s.N, labels[0])
	}
	c := &Classifier{shape: shape{side: s.Height, channels: s.Channels, classes: int(slices.Max(labels)) + 1}, weights: model.Weights{}}
	rng := training.Random(0, streamInit, 0)
	for _, p := range c.shape.params() {
		c.weights[p.Name] = p.Init(rng)
	}
	if err := c.train(ctx, s, labels, progress); err != nil {
		return nil, err
	}
	var err error
	c.net, err = newNetwork(c.shape, c.weights)
	return c, err
}

func (c *Classifier) train(ctx context.Context, s image.Set, labels []uint8, progress func(step, steps int)) error {
	net, err := newTrained(c.shape, c.weights)
	if err != nil {
		return err
	}
	defer net.machine.Close()
	steps := min(maxSteps, max(1, s.N/2)) // few images are soon learned by heart
	solver := &train.Adam{LearningRate: learningRate, Milestones: []int{steps * 3 / 4}, Gamma: 0.1, ClipNorm: math.Inf(1)}
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		rng := training.Random(0, streamBatch, step)
		for i := range batchSize {
			k := rng.IntN(s.N)
			image.Pixels(net.pixels[i*s.Size():(i+1)*s.Size()], s.Image(k))
			net.labels[i] = int32(labels[k])
		}
		if err := net.machine.Step(solver); err != nil {
			return fmt.Errorf("classifier: step %d: %w", step, err)
		}
		if progress != nil {
			progress(step+1, steps)
		}
	}
	return nil
}

// Classes is one more than the largest label.
func (c *Classifier) Classes() int { return c.shape.classes }

// Features returns the features of images on the scale from 0 to 1.
//
//	pixels [N, H, W, C] float32 → [N, Dim] float64, as metric.Moments takes them
func (c *Classifier) Features(pixels []float32) ([]float64, error) {
	var features []float64
	err := c.forward(pixels, func(n int) {
		for _, v := range values(c.net.features)[:n*Dim] {
			features = append(features, float64(v))
		}
	})
	return features, err
}

// Accuracy is the fraction of images whose most probable class is their label [N].
func (c *Classifier) Accuracy(s image.Set, labels []uint8) (float64, error) {
	right, done := 0, 0
	pixels := make([]float32, batchSize*s.Size())
	for done < s.N {
		n := min(batchSize, s.N-done)
		image.Pixels(pixels, s.Slice(done, done+n).Images)
		err := c.forward(pixels[:n*s.Size()], func(n int) {
			for i := range n {
				p := values(c.net.logits)[i*c.shape.classes : (i+1)*c.shape.classes]
				if slices.Index(p, slices.Max(p)) == int(labels[done+i]) {
					right++
				}
			}
		})
		if err != nil {
			return 0, err
		}
		done += n
	}
	return float64(right) / float64(s.N), nil
}

// forward runs the network on pixels, a batch at a time; visit reads the outputs
// of n images.
func (c *Classifier) forward(pixels []float32, visit func(n int)) error {
	size := c.shape.size()
	if len(pixels)%size != 0 {
		panic(fmt.Sprintf("classifier: %d values of images of %d", len(pixels), size))
	}
	for len(pixels) > 0 {
		n := copy(c.net.pixels, pixels) / size
		clear(c.net.pixels[n*size:])
		if err := c.net.run(); err != nil {
			return err
		}
		visit(n)
		pixels = pixels[n*size:]
	}
	return nil
}

// Close frees what the network holds.
func (c *Classifier) Close() { c.net.machine.Close() }
