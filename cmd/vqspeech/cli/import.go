package cli

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"vqspeech/model/checkpoint"
	"vqspeech/model/pytorch"
)

// importFormats are what import reads.
var importFormats = []string{"sqvae"}

// importReport is the JSON object of import.
type importReport struct {
	File         string `json:"file"`
	Output       string `json:"output"`
	Quantizer    string `json:"quantizer"`
	Channels     int    `json:"channels"`
	CodebookSize int    `json:"codebook_size"`
	CodebookDim  int    `json:"codebook_dim"`
	NMels        int    `json:"n_mels"`
	Speakers     int    `json:"speakers"`
	Step         int    `json:"step"`
}

func (a *app) importCmd() *cobra.Command {
	var out, speakers string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FORMAT CHECKPOINT [-o OUT.safetensors]",
		Short: "Turn a checkpoint of PyTorch into a model",
		Long: `Import turns a checkpoint that the published PyTorch code has trained into a model
for --model. OUT is by default CHECKPOINT with the suffix .safetensors.

Formats:
  sqvae   model.ckpt-N.pt of sony/sqvae (speech): SQ-VAE I, III and IV, and its
          networks with the codebook of bshall/ZeroSpeech (VQ-VAE EMA)

Sizes and the quantiser follow from the file. It does not hold the settings of the
spectrogram, which are taken to be the published ones, and the names of the
speakers: --speakers takes the speakers.json of the data set, without it they are
called 0, 1, 2, ... The optimiser's state is left out, all other numbers are kept
as they are, so that units and reconstructions are those of PyTorch but for
rounding.

Such a file is a pickle, a program that Python would run, and may come from anyone.
Nothing in it is executed here: tensors, numbers, text, lists and dictionaries are
read, and a file with anything else is refused by the name of what it asks for.

With --json the report is one object on standard output:
  {"file", "output", "quantizer", "channels", "codebook_size", "codebook_dim",
   "n_mels", "speakers", "step"}.`,
		Example: `  vqspeech import sqvae model.ckpt-500000.pt -o vctk.safetensors --speakers speakers.json
  vqspeech convert talk.wav --to p225 --model vctk.safetensors`,
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return importFormats, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"pt"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			return a.importCheckpoint(cmd, args[0], args[1], out, speakers, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&out, "output", "o", "", "output file (default: CHECKPOINT with the suffix .safetensors)")
	f.StringVar(&speakers, "speakers", "", "speakers.json of the data set (default: speakers are numbered)")
	f.BoolVar(&asJSON, "json", false, "report as JSON on standard output")
	_ = cmd.MarkFlagFilename("speakers", "json") // fails only for unknown flags
	return cmd
}

func (a *app) importCheckpoint(cmd *cobra.Command, format, in, out, speakers string, asJSON bool) error {
	if format != importFormats[0] {
		return usagef("unknown format %q, want %s", format, importFormats[0])
	}
	if in == "-" || out == "-" {
		return usagef("a checkpoint and its model must be files")
	}
	jobs, err := plan([]string{in}, out, ".safetensors", false)
	if err != nil {
		return err
	}
	out = jobs[0].out
	c, err := pytorch.Load(in)
	if err != nil {
		return named(in, err)
	}
	if speakers != "" {
		if err := named(speakers, nameSpeakers(c, speakers)); err != nil {
			return err
		}
	}
	meta := map[string]string{"vqspeech.step": strconv.Itoa(c.Step)}
	if err := outputNamed(out, checkpoint.SaveExact(out, c.Config, c.Weights, meta)); err != nil {
		return err
	}
	cfg := c.Config
	r := importReport{
		File: in, Output: out, Quantizer: string(cfg.Quantizer.Kind), Channels: cfg.Net.Channels, CodebookSize: cfg.Quantizer.CodebookSize,
		CodebookDim: cfg.Quantizer.CodebookDim, NMels: cfg.Features.NMels, Speakers: len(cfg.Speakers), Step: c.Step,
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %s, %d channels, %d codes of %d dimensions, %d speakers, step %d\n",
		in, r.Quantizer, r.Channels, r.CodebookSize, r.CodebookDim, r.Speakers, r.Step)
	return nil
}

// nameSpeakers takes the ids of the speakers from a file.
func nameSpeakers(c *pytorch.Checkpoint, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	ids, err := pytorch.ReadSpeakers(f)
	if err != nil {
		return err
	}
	return c.SetSpeakers(ids)
}
