package metric

import (
	"strings"
	"testing"

	"vqspeech/internal/golden"
)

func one(v float64) []float32 { return []float32{float32(v)} }

func TestGoldenBitrate(t *testing.T) {
	f := golden.Open(t, "metrics.safetensors")
	c := NewCounter(f.Shape("bitrate.codebook")[0])
	seconds := 0.0
	for _, name := range f.Names() {
		if file, ok := strings.CutSuffix(name, ".units"); ok {
			if err := c.Add(toCodes(f.I32(name))); err != nil {
				t.Fatal(err)
			}
			seconds += float64(f.F32(file + ".duration_s")[0])
		}
	}
	f.CheckInts("bitrate.symbols", []int32{int32(c.Total())})
	f.CheckInts("bitrate.types", []int32{int32(c.Used())})
	f.Check("bitrate.entropy_bits", one(c.Entropy()))
	f.Check("bitrate.bits_per_second", one(c.EntropyBitrate(seconds)))
	f.Check("bitrate.perplexity", one(c.Perplexity()))
	f.Check("bitrate.usage", one(c.Usage()))

	const size = 12 // of the fixture's codebook, which usage depends on
	index, rows := f.I32("perplexity.index"), f.Shape("perplexity.index")[0]
	whole, mean := NewCounter(size), 0.0
	for r := range rows {
		n := len(index) / rows
		codes := toCodes(index[r*n:][:n])
		row := NewCounter(size)
		for _, c := range []*Counter{row, whole} {
			if err := c.Add(codes); err != nil {
				t.Fatal(err)
			}
		}
		mean += row.PerplexityEps(PublishedEps) / float64(rows)
	}
	f.Check("perplexity.corpus", one(whole.Perplexity()))
	f.Check("perplexity.mean_of_batches", one(mean))
	f.Check("perplexity.usage", one(whole.Usage()))
	// The measures of recordings are compared in features/metric; images have
	// none yet.
	f.RequireAllUsed("mse_db2.*", "mcd.*", "stoi.*", "si_sdr.*", "f0.*", "fid*", "segmentation.*")
}
