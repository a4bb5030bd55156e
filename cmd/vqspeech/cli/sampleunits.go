package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/model"
	"vqspeech/model/unitprior"
	"vqspeech/quant"
	"vqspeech/quant/units"
)

// maxSampleSeconds bounds an utterance that is drawn.
const maxSampleSeconds = 3600

// sampleUnitsReport is the JSON object of sample for units.
type sampleUnitsReport struct {
	Prior       string  `json:"prior"`
	Output      string  `json:"output"`
	Utterances  int     `json:"utterances"`
	Units       int     `json:"units"`
	Speech      float64 `json:"speech_seconds"`
	Seed        uint64  `json:"seed"`
	Temperature float64 `json:"temperature"`
	Seconds     float64 `json:"seconds"`
	XRealtime   float64 `json:"x_realtime"`
}

// sampleUnits draws utterances of units.
func (a *app) sampleUnits(cmd *cobra.Command, path string, o sampleOptions) error {
	if !cmd.Flags().Changed("number") {
		o.n = 1
	}
	folder := o.out != "-" && isFolder(o.out)
	switch {
	case o.n < 1 || o.n > maxSamples:
		return usagef("-n: must be between 1 and %d (got %d)", maxSamples, o.n)
	case !(o.temperature >= quant.MinTemperature && o.temperature <= quant.MaxTemperature):
		return usagef("--temperature: must be between %g and %g (got %g)", quant.MinTemperature, quant.MaxTemperature, o.temperature)
	case !(o.seconds > 0 && o.seconds <= maxSampleSeconds):
		return usagef("--seconds: must be above 0, at most %d (got %g)", maxSampleSeconds, o.seconds)
	case cmd.Flags().Changed("class"):
		return usagef("--class: units have no classes")
	case !folder && o.out != "-" && !strings.EqualFold(filepath.Ext(o.out), ".vqs"):
		return usagef("output %q must end in .vqs, or be a folder: the prior is of units", o.out)
	case !folder && o.n > 1:
		return usagef("-n %d: want a folder for several files of units, not %q", o.n, o.out)
	case o.out == "-" && o.json:
		return usagef("--json and the units cannot both go to standard output")
	}
	m, err := a.model()
	if err != nil {
		return err
	}
	p, err := unitprior.Load(path)
	if err != nil {
		return pathFirst(err)
	}
	if err := named(path, ofModel(p, m.Fingerprint())); err != nil {
		return err
	}
	most := int(o.seconds * m.Config.CodeRate())
	if most < 1 {
		return usagef("--seconds: must be at least %g, one unit (got %g)", 1/m.Config.CodeRate(), o.seconds)
	}
	if err := makeFolder(o.out); err != nil {
		return err
	}
	r := sampleUnitsReport{Prior: path, Output: o.out, Utterances: o.n, Seed: o.seed, Temperature: o.temperature}
	begun := time.Now()
	for i := range o.n {
		out := o.out
		if folder {
			out = filepath.Join(o.out, fmt.Sprintf("%03d.vqs", i))
		}
		codes, err := p.Sample(cmd.Context(), unitprior.SampleOptions{
			Most: most, Seed: o.seed, Index: i, Temperature: o.temperature,
		})
		if err != nil {
			return err
		}
		if err := a.writeUnits(cmd, out, m, codes); err != nil {
			return err
		}
		r.Units += len(codes)
	}
	r.Seconds = time.Since(begun).Seconds()
	r.Speech = float64(r.Units) / m.Config.CodeRate()
	r.XRealtime = r.Speech / r.Seconds
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %d units, %.2f s of speech, %.0f x real time\n", outputName(o.out), r.Units, r.Speech, r.XRealtime)
	return nil
}

// writeUnits writes a .vqs file.
func (a *app) writeUnits(cmd *cobra.Command, path string, m *model.Model, codes []uint16) error {
	out, err := a.create(cmd, path)
	if err != nil {
		return err
	}
	defer out.Abort()
	h := unitsHeader(m)
	h.Samples = int64(len(codes)*h.Hop + h.Hop/2) // the shortest recording that has so many units
	if err := units.Encode(out, h, codes); err != nil {
		return err
	}
	return out.Commit()
}
