package metric

import "vqspeech/quant/metric"

// PublishedBatch is the batch of sony/sqvae's tests (images).
const PublishedBatch = 32

// BatchPerplexity measures the perplexity of codes as it is published, the mean
// over batches of images of the perplexity of each (a last batch that is not
// full weighs as much), and over the whole corpus, which is higher.
type BatchPerplexity struct {
	images, filled int
	corpus, batch  *metric.Counter
	sum            float64 // of the full batches
	batches        int
	size           int
}

// NewBatchPerplexity returns a measure of codes below size, in batches of so
// many images, both at least 1.
func NewBatchPerplexity(size, images int) *BatchPerplexity {
	return &BatchPerplexity{images: images, size: size, corpus: metric.NewCounter(size), batch: metric.NewCounter(size)}
}

// Add counts the codes [n] of the next image. If one of them is not below the
// codebook size, none is counted.
func (p *BatchPerplexity) Add(codes []uint16) error {
	if err := p.corpus.Add(codes); err != nil {
		return err
	}
	if err := p.batch.Add(codes); err != nil {
		return err
	}
	if p.filled++; p.filled == p.images {
		p.sum += p.batch.PerplexityEps(metric.PublishedEps)
		p.batches++
		p.filled, p.batch = 0, metric.NewCounter(p.size)
	}
	return nil
}

// Mean returns the mean over batches of exp(-Σ p ln(p + 1e-10)); it is 1 for no
// images.
func (p *BatchPerplexity) Mean() float64 {
	sum, n := p.sum, p.batches
	if p.filled > 0 || n == 0 {
		sum, n = sum+p.batch.PerplexityEps(metric.PublishedEps), n+1
	}
	return sum / float64(n)
}

// Corpus returns the counts of all images.
func (p *BatchPerplexity) Corpus() *metric.Counter { return p.corpus }
