package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	priortrain "vqspeech/model/image/prior/train"
	"vqspeech/model/train"
	wavenettrain "vqspeech/vocoder/wavenet/train"
)

func (a *app) inspectCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a file of vqspeech holds",
		Long: `Inspect reads the whole of a .vqs file, of a model of speech or images, a vocoder, a
prior, or a checkpoint of the training of one of them, checks it, and prints what it
holds. For the folder of a training run it is what the run has made.

With --json it is one object. Of a .vqs file:
  {"file", "kind": "units", "fingerprint" (of the model), "sample_rate" (Hz), "hop",
   "code_rate_hz", "codebook_size", "speaker", "samples", "seconds", "units",
   "distinct_units", "nominal_bitrate_bps", "bytes", "bitrate_bps"}
Of the others:
  {"file", "kind": "model", "image model", "vocoder", "prior" or "unit prior",
   "fingerprint", "config", "code_rate_hz" and "nominal_bitrate_bps" (speech), "image_bits" (what the
   codes of an image cost), "tensors", "parameters", "bytes"},
where a checkpoint's kind is "checkpoint", "image checkpoint" and so on, and it has
"step" and "best" (the lowest score so far, if there is one) as well.`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			file := madeBy(args[0])
			return named(file, inspect(cmd.OutOrStdout(), file, asJSON))
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// madeBy is what a training run has made, if path is its folder, else path.
func madeBy(path string) string {
	for _, name := range []string{train.ModelFile, priortrain.PriorFile, wavenettrain.VoiceFile} {
		file := filepath.Join(path, name)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return path
}

// maxPiped bounds a model that cannot be read out of order (bytes).
const maxPiped = 1 << 30

// inspect goes by the first bytes: "VQS" is units, the little-endian length
// of a JSON header is safetensors.
func inspect(w io.Writer, file string, asJSON bool) error {
	source := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		source = f
	}
	in := io.Reader(source)
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
		if info, err := source.Stat(); err == nil && info.Mode().IsRegular() && file != "-" {
			return inspectModel(w, file, source, info.Size(), asJSON)
		}
		b, err := io.ReadAll(io.LimitReader(in, maxPiped+1))
		if err != nil {
			return err
		}
		if len(b) > maxPiped {
			return fmt.Errorf("a model of more than %d bytes, want a file", maxPiped)
		}
		return inspectModel(w, file, bytes.NewReader(b), int64(len(b)), asJSON)
	}
	if _, err := model.Read(head[:n]); errors.Is(err, safetensors.ErrTorch) {
		return err
	}
	return fmt.Errorf("file begins with %q, want a .vqs file or a model (safetensors)", head[:min(n, 4)])
}

// table prints pairs of a name and a value, aligned.
func table(w io.Writer, rows ...string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(rows); i += 2 {
		fmt.Fprintf(t, "%s\t%s\n", rows[i], rows[i+1])
	}
	return unwritten(t.Flush())
}
