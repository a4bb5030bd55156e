package results

import (
	"fmt"

	"vqspeech/model"
	"vqspeech/model/image"
)

// systems are the names of image systems in the order of the paper's tables.
var systems = []string{
	vae, "VQ-VAE", vqEMA, vqReset, fixedVariance, gaussianI, gaussianII, gaussianIII, "SQ-VAE IV", naive, vmf,
}

const (
	vae           = "VAE"
	vqEMA         = "VQ-VAE EMA"
	vqReset       = "VQ-VAE EMA, code reset"
	fixedVariance = "SQ-VAE, fixed variance"
	gaussianI     = "SQ-VAE I"
	gaussianII    = "SQ-VAE II"
	gaussianIII   = "SQ-VAE III"
	naive         = "SQ-VAE NC"
	vmf           = "SQ-VAE vMF"
)

// systemOf names the system of a model, and what of it the paper's name leaves
// open.
func systemOf(c image.Config) (name, variant string) {
	q := c.Quantizer
	switch kind := q.Kind; {
	case kind == image.VMF && c.Decoder.Kind == image.CategoricalDecoder:
		return naive, ""
	case kind == image.VMF && c.Decoder.OrderedClasses:
		return vmf, "classes in order"
	case kind == image.VMF && c.Decoder.Kind == image.VMFDecoder:
		return vmf, ""
	case kind == image.VMF:
		name, variant = "SQ-VAE", "latents on the sphere"
	case c.Gaussian():
		name = map[model.QuantizerKind]string{
			model.Gaussian1: gaussianI, image.Gaussian2: gaussianII, model.Gaussian3: gaussianIII, model.Gaussian4: "SQ-VAE IV",
		}[kind]
		switch {
		case q.Variance == image.Fixed:
			name, variant = fixedVariance, fmt.Sprintf("%g", q.InitialScale)
		case kind == model.Gaussian1 && q.Variance == image.Exp:
			variant = "exp(s)"
		}
	case kind == model.VQEMA && q.DeadCodeFraction > 0:
		name = vqReset
	case kind == model.VQEMA && q.DeadCodeThreshold > 0:
		name, variant = vqReset, "to random latents"
	default:
		name = map[model.QuantizerKind]string{image.VAE: vae, model.VQ: "VQ-VAE", model.VQEMA: vqEMA}[kind]
	}
	if c.Decoder.Kind == image.VMFDecoder {
		name += ", vMF decoder"
	}
	return name, variant
}

// A publishedTable is what Takida et al. 2022 report on a corpus.
type publishedTable struct {
	table, epochs int
	rows          map[string]map[string]Score // by system and measure
}

// publishedFor returns the table for images of these values; nil if the paper
// has none.
func publishedFor(corpus string, values Values) *publishedTable {
	of := func(key string, scores ...any) map[string]map[string]Score {
		rows := map[string]map[string]Score{}
		for i := 0; i < len(scores); i += 2 {
			rows[scores[i].(string)] = map[string]Score{key: scores[i+1].(Score)}
		}
		return rows
	}
	masks := func(e, eStd, iou, iouStd, p, pStd float64) map[string]Score {
		m := map[string]Score{pixelErrorKey: {e, eStd}, miouKey: {iou, iouStd}}
		if p > 0 {
			m[perplexityKey] = Score{p, pStd}
		}
		return m
	}
	// Mean and deviation of the MSE, then of FIDs in the order of FIDKinds.
	faces := func(mse, mseStd float64, fids ...float64) map[string]Score {
		m := map[string]Score{mseKey: {mse, mseStd}}
		for i := 0; i < len(fids); i += 2 {
			m[fidKey(FIDKinds[i/2])] = Score{fids[i], fids[i+1]}
		}
		return m
	}
	switch {
	case corpus == "celeba" && values == Levels:
		return &publishedTable{2, 70, map[string]map[string]Score{
			vae:           faces(4.79, 0.01, 40.3, 0.3),
			vqEMA:         faces(1.33, 0.41, 18.5, 5.1, 42.0, 11.5, 31.9, 14.8, 42.8, 20.7, 70.7, 35.4, 28.2, 6.4),
			vqReset:       faces(1.62, 0.36, 22.0, 5.9, 51.8, 10.8, 39.7, 12.0, 52.7, 14.7, 83.2, 20.4, 32.6, 7.1),
			fixedVariance: faces(1.09, 0.01, 15.9, 0.1, 38.2, 0.9, 20.0, 0.4, 26.4, 0.8, 41.5, 2.1, 18.6, 0.3),
			gaussianI:     faces(0.96, 0.01, 14.8, 0.3, 28.2, 0.9, 17.8, 0.1, 21.9, 0.1, 33.1, 0.3, 17.6, 0.6),
			gaussianII:    faces(0.98, 0.01, 14.3, 0.2, 27.7, 1.1, 17.8, 0.2, 22.2, 0.4, 34.0, 0.9, 17.6, 0.1),
			gaussianIII:   faces(0.96, 0, 13.9, 0.1, 28.1, 0.3, 17.3, 0.2, 21.6, 0.3, 33.5, 0.6, 18.5, 0.4),
		}}
	case corpus == "celebamask" && values == Labels:
		return &publishedTable{4, 70, map[string]map[string]Score{
			vae: masks(8.79, 0.01, 55.8, 0.3, 0, 0), vqEMA: masks(6.95, 0.14, 59.7, 0.7, 46.2, 2),
			naive: masks(6.63, 1.38, 64.1, 5.4, 12.6, 5.2), vmf: masks(3.51, 0.17, 74.6, 0, 52.4, 0.8),
		}}
	case corpus == "mnist" && values == Greys:
		return &publishedTable{5, 100, of(mseKey,
			vae, Score{22.80, 0.32}, vqEMA, Score{6.24, 0.18}, naive, Score{10.89, 0.47}, vmf, Score{1.63, 0.21})}
	case corpus == "celeba" && values == Greys:
		return &publishedTable{5, 70, of(mseKey,
			vae, Score{17.73, 0.23}, vqEMA, Score{5.19, 0.06}, naive, Score{3.88, 0.02}, vmf, Score{2.37, 0.01})}
	}
	return nil
}
