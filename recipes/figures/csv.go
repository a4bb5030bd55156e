package figures

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"vqspeech/model/image"
)

// evaluationKeys are the measures of a line of CSV, as in test.json.
var evaluationKeys = []string{
	"loss", "mse_x1000", "pixel_error", "miou", "perplexity", "batch_perplexity", "used_codes", "posterior_entropy",
	"posterior_variance", "decoder_variance", "posterior_kappa", "decoder_kappa",
}

// writeCSV writes a line for every evaluation on the valid set, those of the
// untrained models included, and one of each finished model on the test set.
// What a model has not is empty.
func writeCSV(w io.Writer, all []Result) error {
	out := csv.NewWriter(w)
	head := []string{"run", "system", "codebook_size", "codebook_dim", "initial_scale", "seed", "set", "step", "epoch"}
	if err := out.Write(append(head, evaluationKeys...)); err != nil {
		return err
	}
	for _, r := range all {
		q, scale := r.Recipe.Quantizer, ""
		if r.Recipe.Config().Gaussian() || q.Kind == image.VMF {
			scale = number(q.InitialScale)
		}
		line := func(set string, step int, values map[string]float64) error {
			fields := []string{
				r.Name, r.System, strconv.Itoa(q.CodebookSize), strconv.Itoa(r.Recipe.Config().Dim()), scale,
				strconv.FormatUint(r.Recipe.Train.Seed, 10), set, strconv.Itoa(step), number(r.epoch(step)),
			}
			for _, key := range evaluationKeys {
				text := ""
				if v, ok := values[key]; ok {
					text = number(v)
				}
				fields = append(fields, text)
			}
			return out.Write(fields)
		}
		for _, record := range r.Curves.Records {
			values := map[string]float64{}
			for name, v := range record.Values {
				if key, ok := strings.CutPrefix(name, valid); ok {
					values[key] = v
				}
			}
			if len(values) > 0 {
				if err := line("valid", record.Step, values); err != nil {
					return err
				}
			}
		}
		if err := line("test", r.Run.Step, r.test()); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

const valid = "valid/" // of a record's values

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// epoch turns steps into passes over the training images.
func (r Result) epoch(step int) float64 { return float64(step) / float64(r.Run.Config.StepsPerEpoch()) }

// test is the evaluation on the test set by the names of test.json.
func (r Result) test() map[string]float64 {
	values := map[string]float64{}
	text, err := json.Marshal(r.Run.Test)
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		panic(err) // every field is a number
	}
	return values
}
