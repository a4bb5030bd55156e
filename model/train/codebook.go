package train

import (
	"fmt"
	"math/rand/v2"

	"vqspeech/model"
	"vqspeech/quant/vq"
)

// Codebook is what training does to a codebook besides its gradient: it moves
// one that is kept by averages, and revives dead codes.
type Codebook struct {
	cfg     model.QuantizerConfig
	vectors []float32 // [K, D], changed in place
	ema     *vq.EMA   // nil unless vq-ema
	steps   int       // updates done
	uses    []int     // assignments per code since the last look for dead ones
}

// NewCodebook starts with the state that Store has left in extra after the given
// number of steps, or afresh.
func NewCodebook(cfg model.QuantizerConfig, dim int, vectors []float32, extra map[string][]float32, steps int) (*Codebook, error) {
	kept := []struct {
		name string
		size int
	}{{"code_uses", cfg.CodebookSize}, {"ema_count", cfg.CodebookSize}, {"ema_sum", cfg.CodebookSize * dim}}
	if cfg.Kind != model.VQEMA {
		kept = kept[:1]
	}
	for _, k := range kept {
		if got := len(extra[k.name]); got != k.size && (got > 0 || steps > 0) {
			return nil, fmt.Errorf("train: the checkpoint's %s has %d elements, want %d", k.name, got, k.size)
		}
	}
	c := &Codebook{cfg: cfg, vectors: vectors, steps: steps, uses: make([]int, cfg.CodebookSize)}
	for i, n := range extra["code_uses"] {
		c.uses[i] = int(n)
	}
	if cfg.Kind == model.VQEMA {
		c.ema = vq.NewEMA(vectors, cfg.CodebookSize, cfg.EMADecay, cfg.EMAEpsilon, cfg.EMADebias)
		c.ema.Steps = steps
		if count, ok := extra["ema_count"]; ok {
			c.ema.Count, c.ema.Sum = count, extra["ema_sum"]
		}
	}
	return c, nil
}

// maxUses is as far as uses are counted: a checkpoint holds them as float32.
const maxUses = 1 << 24

// Update follows an optimiser step on latents [N, D] that were assigned to codes
// [N]. rng chooses where dead codes go.
func (c *Codebook) Update(latents []float32, codes []int32, rng *rand.Rand) {
	c.steps++
	if c.ema != nil {
		c.ema.Update(c.vectors, latents, codes)
	}
	if c.cfg.DeadCodeThreshold == 0 && c.cfg.DeadCodeFraction == 0 {
		return
	}
	for _, k := range codes {
		c.uses[k] = min(c.uses[k]+1, maxUses)
	}
	if c.steps%c.cfg.DeadCodeInterval == 0 {
		if c.cfg.DeadCodeFraction > 0 {
			vq.Split(c.vectors, c.uses, c.cfg.DeadCodeFraction, c.ema, rng)
		} else {
			vq.Reset(c.vectors, latents, c.uses, c.cfg.DeadCodeThreshold, c.ema, rng)
		}
		clear(c.uses)
	}
}

// Store puts the state beside the vectors into extra.
func (c *Codebook) Store(extra map[string][]float32) {
	uses := make([]float32, len(c.uses))
	for i, n := range c.uses {
		uses[i] = float32(n)
	}
	extra["code_uses"] = uses
	if c.ema != nil {
		extra["ema_count"], extra["ema_sum"] = c.ema.Count, c.ema.Sum
	}
}
