package image

import (
	"vqspeech/quant/metric"
)

// Evaluation is the result on a set of images, with the most probable codes. All
// but Loss and BatchPerplexity are pooled over the set.
type Evaluation struct {
	Loss            float64 `json:"loss"`                  // mean of the batches' total losses, as published (nats per image)
	MSE             float64 `json:"mse_x1000,omitempty"`   // mean squared error of values in [0, 1], times 1000; labels of 256 classes count as gray values
	PixelError      float64 `json:"pixel_error,omitempty"` // label maps: pixels whose most probable label is wrong (%)
	MeanIoU         float64 `json:"miou,omitempty"`        // label maps: intersection over union, mean over the classes (%)
	Perplexity      float64 `json:"perplexity"`            // of the codes of the whole set
	BatchPerplexity float64 `json:"batch_perplexity"`      // mean over batches, as published
	UsedCodes       int     `json:"used_codes"`
}

// EvaluationBatch is the published number of images of a batch.
const EvaluationBatch = 32

// Evaluate encodes and decodes every image. It fails for images that do not fit
// the model.
func (m *Model) Evaluate(s Set) (Evaluation, error) {
	if err := s.Check(m.Config); err != nil {
		return Evaluation{}, err
	}
	var e Evaluation
	var squares float64
	usage := metric.NewCounter(max(m.Codebook.Size, 1))
	confusion := newConfusion(m.Config.Net.Channels)
	batches := 0.0
	for from := 0; from < s.N; from += EvaluationBatch {
		part := s.Slice(from, min(from+EvaluationBatch, s.N))
		b := newBatch(part, m.Config.Labels())
		r := m.Forward(b.n, b.pixels, b.labels)
		batches++
		e.Loss += r.Losses.Total
		e.BatchPerplexity += r.Losses.Perplexity
		usage.Add(r.Codes)
		if m.Config.Labels() {
			for i, k := range m.labels(r.Output) {
				confusion.add(int(b.labels[i]), int(k))
				d := float64(k-b.labels[i]) / 255
				squares += d * d
			}
		} else {
			squares += r.Losses.SSE * float64(b.n)
		}
	}
	if batches == 0 {
		return e, nil
	}
	e.Loss /= batches
	e.BatchPerplexity /= batches
	if m.Config.Codes() {
		e.Perplexity, e.UsedCodes = usage.Perplexity(), usage.Used()
	}
	if m.Config.Labels() {
		e.PixelError, e.MeanIoU = confusion.pixelError(), confusion.meanIoU()
	}
	if !m.Config.Labels() || m.Config.Net.Channels == 256 {
		e.MSE = 1000 * squares / float64(s.N*m.Config.PixelValues())
	}
	return e, nil
}

// confusion counts predicted against true labels.
type confusion struct {
	classes                 int
	truth, predicted, right []int64
	total, correct          int64
}

func newConfusion(classes int) *confusion {
	return &confusion{classes: classes, truth: make([]int64, classes), predicted: make([]int64, classes), right: make([]int64, classes)}
}

// add counts a pixel. A prediction that is no class is an error of its pixel and
// belongs to no class's area.
func (c *confusion) add(truth, predicted int) {
	c.total++
	c.truth[truth]++
	if predicted < c.classes {
		c.predicted[predicted]++
	}
	if truth == predicted {
		c.correct++
		c.right[truth]++
	}
}

func (c *confusion) pixelError() float64 {
	return 100 * (1 - float64(c.correct)/float64(c.total))
}

// meanIoU is 100 times the mean over all classes; one that occurs nowhere counts
// as 0 (sony/sqvae vision).
func (c *confusion) meanIoU() float64 {
	sum := 0.0
	for k, right := range c.right {
		if union := c.truth[k] + c.predicted[k] - right; union > 0 {
			sum += float64(right) / float64(union)
		}
	}
	return 100 * sum / float64(c.classes)
}
