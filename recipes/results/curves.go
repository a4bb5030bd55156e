package results

import (
	"cmp"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/internal/chart"
	"vqspeech/model"
)

// A measure is what one pair of axes shows. Runs of every kind may record
// measures that are not listed: they come after these, under their own names.
type measure struct {
	key, title, label string
	settled           bool // the axis leaves out the heights of the first steps
}

var measures = []measure{
	{"loss", "total loss", "loss", true},
	{"loss" + squared, "total loss (squared error)", "loss", true},
	{"recon/loss", "reconstruction loss", "loss", true},
	{"recon/loss" + squared, "reconstruction loss (squared error)", "loss", true},
	{mseDB2, "mean squared error", "MSE (dB²)", true},
	{"recon/mse", "mean squared error", "MSE", true},
	{mseKey, "mean squared error", "MSE × 10³", true},
	{"recon/sse", "squared error of an image", "squared error", true},
	{pixelErrorKey, "pixel error", "%", true},
	{"recon/accuracy", "pixels whose label is right", "fraction", true},
	{miouKey, "intersection over union", "mIoU (%)", false},
	{"bits_per_sample", "code length", "bits per sample", true},
	{"nats_per_code", "code length", "nats per code", true},
	{"bits_per_code", "code length", "bits per code", true},
	{"nats_per_unit", "code length", "nats per unit", true},
	{"bits_per_unit", "code length", "bits per unit", true},
	{"sq/kl_continuous", "continuous regularizer", "nats", false},
	{"sq/kl_discrete", "minus the posterior entropy", "nats", false},
	{"vae/kl", "divergence of the latents", "nats", false},
	{"vq/commitment_loss", "commitment loss", "loss", false},
	{"vq/codebook_loss", "codebook loss", "loss", false},
	{"perplexity", "perplexity of the codes", "perplexity", false},
	{perplexityKey, "perplexity of the codes of a batch", "perplexity", false},
	{"used_codes", "used codes", "codes", false},
	{"sq/temperature", "temperature", "τ", false},
	{"posterior_variance", "posterior variance", "σ²", false},
	{"posterior_kappa", "posterior concentration", "κ", false},
	{posteriorEntropy, "posterior entropy", "nats per latent", false},
	{"sq/log_var_scalar", "shared log variance", "ln σ²", false},
	{"sq/log_scalar", "shared log variance or concentration", "ln σ², ln κ", false},
	{"recon/log_scalar", "decoder's log variance or 1/κ", "ln σ², ln 1/κ", true},
	{"decoder_variance", "decoder variance", "σ²", true},
	{"decoder_kappa", "decoder concentration", "κ", false},
	{"grad_norm", "gradient norm before clipping", "norm", false},
	{"grad_norm" + squared, "gradient norm before clipping (squared error)", "norm", false},
	{"learning_rate", "learning rate", "learning rate", false},
}

const (
	mseDB2           = "mse_db2"
	posteriorEntropy = "posterior_entropy"
	squared          = " (mse)" // of speech runs whose loss is the squared error, not nats
)

// sets are the line styles: what a value was measured on.
var sets = []struct{ prefix, name string }{{"", "training"}, {"valid/", "valid"}, {"holdout/", "held out"}}

// maxPoints bounds the points of a curve: more are averaged in equal stretches,
// which also takes their noise away.
const maxPoints = 300

// WriteCurves draws what runs have recorded over the steps, a pair of axes for
// each measure and all runs on it, as PNG. It returns the measures drawn.
func WriteCurves(w io.Writer, runs []*Run) ([]string, error) {
	panels := map[string]*chart.Panel{}
	used := make([]bool, len(sets))
	for i, r := range runs {
		for name, c := range r.curves() {
			key, set, scale := r.keyOf(name)
			for j := range c.Y {
				c.Y[j] *= scale
			}
			if panels[key] == nil {
				m := measureOf(key)
				panels[key] = &chart.Panel{Title: m.title, XLabel: "steps", YLabel: m.label}
			}
			c.Name, c.Style = i, set
			panels[key].Curves = append(panels[key].Curves, c)
			used[set] = true
		}
	}
	keys := slices.SortedFunc(maps.Keys(panels), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
	})
	var figure []chart.Panel
	for _, key := range keys {
		p := panels[key]
		slices.SortFunc(p.Curves, func(a, b chart.Curve) int { return cmp.Or(cmp.Compare(a.Style, b.Style), cmp.Compare(a.Name, b.Name)) })
		if measureOf(key).settled {
			p.Lo, p.Hi = settledRange(p.Curves)
		}
		figure = append(figure, *p)
	}
	var styles []string
	for i, s := range sets {
		if !used[i] { // styles are numbered without those that do not occur
			continue
		}
		for _, p := range figure {
			for j := range p.Curves {
				if p.Curves[j].Style == i {
					p.Curves[j].Style = len(styles)
				}
			}
		}
		styles = append(styles, s.name)
	}
	return keys, chart.WriteCurves(w, chart.Figure{Panels: figure, Names: names(runs), Styles: styles})
}

// curves returns the values of r by name.
func (r *Run) curves() map[string]chart.Curve {
	cs := map[string]chart.Curve{}
	for _, record := range r.Records {
		for name, v := range record.Values {
			if name == "epoch" { // steps again
				continue
			}
			c := cs[name]
			c.X, c.Y = append(c.X, float64(record.Step)), append(c.Y, v)
			cs[name] = c
		}
	}
	for name, c := range cs {
		cs[name] = chart.Curve{X: thin(c.X), Y: thin(c.Y)}
	}
	return cs
}

// thin averages x in at most maxPoints stretches.
func thin(x []float64) []float64 {
	if len(x) <= maxPoints {
		return x
	}
	out := make([]float64, maxPoints)
	for i := range out {
		part := x[i*len(x)/maxPoints : (i+1)*len(x)/maxPoints]
		for _, v := range part {
			out[i] += v / float64(len(part))
		}
	}
	return out
}

// keyOf splits the name of a value into the key of its measure and its set, and
// gives what makes the unit of the measure of it.
func (r *Run) keyOf(name string) (key string, set int, scale float64) {
	for i, s := range sets[1:] {
		if key, ok := strings.CutPrefix(name, s.prefix); ok {
			return key, i + 1, 1
		}
	}
	switch name {
	case "codebook/batch_perplexity": // not that of a set: it grows with the number of codes it is of
		return perplexityKey, 0, 1
	case "recon/mse":
		if r.Speech != nil {
			top := r.Speech.Model.Features.TopDB
			return mseDB2, 0, top * top
		}
	case "sq/kl_discrete": // minus the entropy of all latents of a crop
		if r.Speech != nil {
			return posteriorEntropy, 0, -1 / float64(r.Speech.Train.CropFrames/model.Downsampling-1)
		}
	case "loss", "recon/loss", "grad_norm":
		if r.Speech != nil && r.Speech.Train.Recon == "mse" {
			return name + squared, 0, 1
		}
	}
	return name, 0, 1
}

// settledRange is the range of curves after the first twentieth of their steps, or
// of all of them where that is not twice as much.
func settledRange(curves []chart.Curve) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	least, most := lo, hi
	for _, c := range curves {
		for i, y := range c.Y {
			least, most = min(least, y), max(most, y)
			if c.X[i] >= c.X[len(c.X)-1]/20 {
				lo, hi = min(lo, y), max(hi, y)
			}
		}
	}
	if most-least < 2*(hi-lo) {
		lo, hi = least, most
	}
	more := (hi - lo) / 10 // how the first steps come in
	return lo - more/4, hi + more
}

func place(key string) int {
	if i := slices.IndexFunc(measures, func(m measure) bool { return m.key == key }); i >= 0 {
		return i
	}
	return len(measures)
}

func measureOf(key string) measure {
	if i := place(key); i < len(measures) {
		return measures[i]
	}
	return measure{key: key, title: key}
}

// names are the folders of runs without what they have in common.
func names(runs []*Run) []string {
	seen := map[string]int{}
	for _, r := range runs {
		seen[base(r.Dir)]++
	}
	out := make([]string, len(runs))
	for i, r := range runs {
		out[i] = base(r.Dir)
		if seen[out[i]] > 1 {
			out[i] = filepath.ToSlash(filepath.Clean(r.Dir))
		}
	}
	return out
}

func base(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return filepath.Base(dir)
}
