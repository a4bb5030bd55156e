package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/checkpoint"
	"vqspeech/quant/units"
)

// unitsReport is the JSON object of inspect for a .vqs file.
type unitsReport struct {
	File           string  `json:"file"`
	Kind           string  `json:"kind"`
	Fingerprint    string  `json:"fingerprint"`
	SampleRate     int     `json:"sample_rate"`
	Hop            int     `json:"hop"`
	CodeRate       float64 `json:"code_rate_hz"`
	CodebookSize   int     `json:"codebook_size"`
	Speaker        string  `json:"speaker"`
	Samples        int64   `json:"samples"`
	Seconds        float64 `json:"seconds"`
	Units          int64   `json:"units"`
	Distinct       int     `json:"distinct_units"`
	NominalBitrate float64 `json:"nominal_bitrate_bps"`
	Bytes          int64   `json:"bytes"`
	Bitrate        float64 `json:"bitrate_bps"`
}

// modelReport is the JSON object of inspect for a model or a checkpoint.
type modelReport struct {
	File        string       `json:"file"`
	Kind        string       `json:"kind"`
	Fingerprint string       `json:"fingerprint"`
	Config      model.Config `json:"config"`
	CodeRate    float64      `json:"code_rate_hz"`
	Bitrate     float64      `json:"nominal_bitrate_bps"`
	Tensors     int          `json:"tensors"`
	Parameters  int          `json:"parameters"`
	Bytes       int64        `json:"bytes"`
	Step        *int         `json:"step,omitempty"`
	Best        *float64     `json:"best,omitempty"`
}

func (a *app) inspectCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a units or model file holds",
		Long: `Inspect reads the whole of a .vqs file, a model or a training checkpoint, checks
it, and prints what it holds.

With --json it is one object. Of a .vqs file:
  {"file", "kind": "units", "fingerprint" (of the model), "sample_rate" (Hz), "hop",
   "code_rate_hz", "codebook_size", "speaker", "samples", "seconds", "units",
   "distinct_units", "nominal_bitrate_bps", "bytes", "bitrate_bps"}
Of a model, or with "step" and "best" of a checkpoint:
  {"file", "kind": "model" or "checkpoint", "fingerprint", "config" (with
   "features", "model", "quantizer", "speakers"), "code_rate_hz",
   "nominal_bitrate_bps", "tensors", "parameters", "bytes"}.`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return named(args[0], inspect(cmd.OutOrStdout(), args[0], asJSON))
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// inspect goes by the first bytes: "VQS" is units, the little-endian length
// of a JSON header is safetensors.
func inspect(w io.Writer, file string, asJSON bool) error {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	var head [9]byte
	n, err := io.ReadFull(in, head[:])
	if err != nil && n == 0 {
		if err == io.EOF {
			return errors.New("empty file, want a .vqs file or a model")
		}
		return err
	}
	in = io.MultiReader(bytes.NewReader(head[:n]), in)
	switch {
	case bytes.HasPrefix(head[:n], []byte(unitsMagic)):
		return inspectUnits(w, file, in, asJSON)
	case n == len(head) && head[8] == '{':
		return inspectModel(w, file, in, asJSON)
	}
	if _, err := model.Read(head[:n]); errors.Is(err, safetensors.ErrTorch) {
		return err
	}
	return fmt.Errorf("file begins with %q, want a .vqs file or a model (safetensors)", head[:min(n, 4)])
}

func inspectUnits(w io.Writer, file string, in io.Reader, asJSON bool) error {
	size := &countingReader{r: in}
	u, err := units.NewReader(size)
	if err != nil {
		return err
	}
	h := u.Header()
	r := unitsReport{
		File: file, Kind: "units", Fingerprint: fmt.Sprintf("%x", h.Fingerprint), SampleRate: h.SampleRate, Hop: h.Hop,
		CodeRate: h.CodeRate(), CodebookSize: h.CodebookSize, Speaker: h.Speaker,
		NominalBitrate: h.Bitrate(),
	}
	seen := make([]bool, h.CodebookSize)
	codes := make([]uint16, units.BlockUnits)
	for {
		n, err := u.Read(codes)
		r.Units += int64(n)
		for _, c := range codes[:n] {
			if !seen[c] {
				seen[c] = true
				r.Distinct++
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	r.Samples, r.Bytes = u.Samples(), size.n
	r.Seconds = float64(r.Samples) / float64(h.SampleRate)
	if r.Seconds > 0 {
		r.Bitrate = 8 * float64(r.Bytes) / r.Seconds
	}
	if asJSON {
		return writeJSON(w, r)
	}
	speaker := r.Speaker
	if speaker == "" {
		speaker = "(not recorded)"
	}
	return table(w,
		"kind", "units",
		"model", r.Fingerprint,
		"speaker", speaker,
		"duration", fmt.Sprintf("%.2f s, %d samples at %d Hz", r.Seconds, r.Samples, r.SampleRate),
		"units", fmt.Sprintf("%d at %g Hz, %d of %d codes used", r.Units, r.CodeRate, r.Distinct, r.CodebookSize),
		"bit rate", fmt.Sprintf("%.1f bit/s nominal, %.1f bit/s measured", r.NominalBitrate, r.Bitrate),
		"size", fmt.Sprintf("%d bytes", r.Bytes),
	)
}

func inspectModel(w io.Writer, file string, in io.Reader, asJSON bool) error {
	b, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	m, err := model.Read(b)
	if err != nil {
		return err
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return err
	}
	c := m.Config
	r := modelReport{
		File: file, Kind: "model", Fingerprint: fmt.Sprintf("%x", m.Fingerprint()), Config: c, CodeRate: c.CodeRate(),
		Bitrate: c.CodeRate() * math.Log2(float64(c.Quantizer.CodebookSize)), Tensors: len(f.Tensors), Bytes: int64(len(b)),
	}
	for _, p := range c.Params() {
		r.Parameters += p.Size()
	}
	rows := []string{
		"kind", "model",
		"fingerprint", r.Fingerprint,
		"features", fmt.Sprintf("%s front end, %d bands, %d Hz, hop %d samples", c.Features.FrontEnd, c.Features.NMels, c.Features.SampleRate, c.Features.HopLength),
		"network", fmt.Sprintf("%d channels, decoder width %d", c.Net.Channels, c.Net.DecoderHidden),
		"quantizer", fmt.Sprintf("%s, %d codes of %d dimensions", c.Quantizer.Kind, c.Quantizer.CodebookSize, c.Quantizer.CodebookDim),
		"bit rate", fmt.Sprintf("%.1f bit/s nominal, %g units/s", r.Bitrate, r.CodeRate),
		"speakers", fmt.Sprintf("%d: %s", len(c.Speakers), strings.Join(c.Speakers, ", ")),
		"size", fmt.Sprintf("%d parameters, %d tensors, %d bytes", r.Parameters, r.Tensors, r.Bytes),
	}
	if hasMoments(f) {
		r.Kind, rows[1] = "checkpoint", "checkpoint"
		if file != "-" {
			s, err := checkpoint.Load(file)
			if err != nil {
				return err
			}
			r.Step = &s.Step
			rows = append(rows, "step", fmt.Sprint(s.Step))
			if !math.IsInf(s.Best, 0) {
				r.Best = &s.Best
				rows = append(rows, "best", fmt.Sprintf("%g", s.Best))
			}
		}
	}
	if asJSON {
		return writeJSON(w, r)
	}
	return table(w, rows...)
}

// hasMoments reports whether a file has the optimiser's state, as checkpoints
// do.
func hasMoments(f *safetensors.File) bool {
	return slices.ContainsFunc(f.Tensors, func(t safetensors.Info) bool { return strings.HasPrefix(t.Name, "adam.") })
}

// table prints pairs of a name and a value, aligned.
func table(w io.Writer, rows ...string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(rows); i += 2 {
		fmt.Fprintf(t, "%s\t%s\n", rows[i], rows[i+1])
	}
	return t.Flush()
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
