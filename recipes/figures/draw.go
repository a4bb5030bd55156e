package figures

import (
	"fmt"
	"io"
	"math"
	"slices"

	"vqspeech/internal/chart"
	"vqspeech/model/image"
)

func (s *Sweep) draw(w io.Writer, all []Result) error {
	f := chart.Figure{Caption: s.caption(all)}
	for _, r := range all {
		if !slices.Contains(f.Names, r.System) {
			f.Names = append(f.Names, r.System)
		}
	}
	switch s.Figure {
	case "selfanneal":
		f.Panels = selfAnnealPanels(all)
	case "kappa":
		f.Panels = kappaPanels(all)
	case "capacity":
		f.Names = []string{sqI, ema, "K"}
		f.Panels = s.capacityPanels(all)
	}
	return chart.WriteCurves(w, f)
}

// caption says what was run, and how far from what was published.
func (s *Sweep) caption(all []Result) string {
	q, c := s.base.Quantizer, all[0].Run.Config
	codebook := fmt.Sprintf("K = %d, d = %d", q.CodebookSize, all[0].Recipe.Config().Dim())
	if s.Figure == "capacity" {
		codebook = fmt.Sprintf("K at d = %d, d at K = %d", q.CodebookDim, q.CodebookSize)
	}
	epochs := fmt.Sprintf("%.3g", float64(c.MaxSteps())/float64(c.StepsPerEpoch()))
	if c.MaxSteps() < s.publishedEpochs*c.StepsPerEpoch() {
		epochs += fmt.Sprintf(" of the published %d", s.publishedEpochs)
	}
	budget := fmt.Sprintf("%s epochs (%d steps of %d images)", epochs, c.MaxSteps(), min(c.Train.BatchSize, c.Training))
	text := fmt.Sprintf("%s, %d training images; %s; %s; seed %d", s.corpus.Info.Corpus, c.Training, codebook, budget, c.Train.Seed)
	switch s.Figure {
	case "capacity":
		text += "\nTest set, model with the lowest validation loss; perplexity of the codes of all images, which K bounds"
	default:
		text += "\nCurves: validation set, from the untrained model on; most probable codes"
	}
	return text
}

// curve returns what r has recorded of a measure over the epochs.
func (r Result) curve(key string) (x, y []float64) {
	for _, record := range r.Curves.Records {
		if v, ok := record.Values[valid+key]; ok {
			x, y = append(x, r.epoch(record.Step)), append(y, v)
		}
	}
	return x, y
}

// relative divides by the first value.
func relative(y []float64) []float64 {
	out := slices.Clone(y)
	for i := range out {
		out[i] /= y[0]
	}
	return out
}

// panel has the curves of a measure, one for each result.
func panel(title, label, key string, log bool, all []Result) chart.Panel {
	p := chart.Panel{Title: title, XLabel: "epochs", YLabel: label, LogY: log}
	for i, r := range all {
		if x, y := r.curve(key); x != nil {
			p.Curves = append(p.Curves, chart.Curve{Name: i, X: x, Y: y})
		}
	}
	return p
}

func selfAnnealPanels(all []Result) []chart.Panel {
	start := chart.Panel{Title: "trainable: σ²φ (line) and σ² (dashes)", XLabel: "epochs", YLabel: "relative to the start", LogY: true}
	for style, key := range []string{"posterior_variance", "decoder_variance"} {
		x, y := all[0].curve(key)
		start.Curves = append(start.Curves, chart.Curve{Style: style, X: x, Y: relative(y)})
	}
	test := chart.Panel{Title: "test error", XLabel: "fixed variance", YLabel: "MSE × 10³", LogX: true, LogY: true}
	for i, r := range all[1:] {
		test.Curves = append(test.Curves, chart.Curve{Name: i + 1, X: []float64{r.Recipe.Quantizer.InitialScale}, Y: []float64{r.Run.Test.MSE}})
	}
	if len(all) > 1 { // a level to compare with
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, r := range all[1:] {
			lo, hi = min(lo, r.Recipe.Quantizer.InitialScale), max(hi, r.Recipe.Quantizer.InitialScale)
		}
		mse := all[0].Run.Test.MSE
		test.Curves = append(test.Curves, chart.Curve{X: []float64{lo / 1.2, hi * 1.2}, Y: []float64{mse, mse}})
	}
	return []chart.Panel{
		start, panel("posterior entropy", "nats per latent", "posterior_entropy", false, all),
		panel("validation error", "MSE × 10³", "mse_x1000", true, all), test,
	}
}

func kappaPanels(all []Result) []chart.Panel {
	start := chart.Panel{Title: "κφ (line) and κ (dashes)", XLabel: "epochs", YLabel: "relative to the start", LogY: true}
	for i, r := range all {
		for style, key := range []string{"posterior_kappa", "decoder_kappa"} {
			if x, y := r.curve(key); x != nil {
				start.Curves = append(start.Curves, chart.Curve{Name: i, Style: style, X: x, Y: relative(y)})
			}
		}
	}
	quality := panel("validation error", "pixel error (%)", "pixel_error", true, all)
	if all[0].Recipe.Model.Channels == 256 {
		quality = panel("validation error", "MSE × 10³", "mse_x1000", true, all)
	}
	return []chart.Panel{
		start, panel("posterior entropy", "nats per latent", "posterior_entropy", false, all),
		quality, panel("perplexity of the codes", "perplexity", "perplexity", false, all),
	}
}

// capacityPanels are error and perplexity over K and over d.
func (s *Sweep) capacityPanels(all []Result) []chart.Panel {
	size := func(c image.Config) int { return c.Quantizer.CodebookSize }
	dim := func(c image.Config) int { return c.Quantizer.CodebookDim }
	base := s.base.Config()
	var panels []chart.Panel
	for _, axis := range []struct {
		label     string
		values    []int
		of, other func(image.Config) int
	}{{"codebook size K", s.sizes, size, dim}, {"code dimension d", s.dims, dim, size}} {
		if len(axis.values) == 0 {
			continue
		}
		mse := chart.Panel{Title: "test error", XLabel: axis.label, YLabel: "MSE × 10³", LogX: true, LogY: true}
		perplexity := chart.Panel{Title: "perplexity of the codes", XLabel: axis.label, YLabel: "perplexity", LogX: true, LogY: true}
		for _, v := range slices.Compact(slices.Sorted(slices.Values(axis.values))) {
			mse.XTicks = append(mse.XTicks, float64(v))
		}
		perplexity.XTicks = mse.XTicks
		bound := chart.Curve{Name: 2, Mark: chart.Pluses}
		for name, system := range []string{sqI, ema} {
			e, p := chart.Curve{Name: name, Mark: chart.DotsLine}, chart.Curve{Name: name, Mark: chart.DotsLine}
			for _, x := range mse.XTicks {
				for _, r := range all {
					if c := r.Recipe.Config(); r.System == system && axis.of(c) == int(x) && axis.other(c) == axis.other(base) {
						e.X, e.Y = append(e.X, x), append(e.Y, r.Run.Test.MSE)
						p.X, p.Y = append(p.X, x), append(p.Y, r.Run.Test.Perplexity)
						if name == 0 {
							bound.X, bound.Y = append(bound.X, x), append(bound.Y, float64(size(c)))
						}
					}
				}
			}
			mse.Curves, perplexity.Curves = append(mse.Curves, e), append(perplexity.Curves, p)
		}
		perplexity.Curves = append(perplexity.Curves, bound)
		panels = append(panels, mse, perplexity)
	}
	return panels
}
