package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/npy"
	"vqspeech/recipes"
)

// featuresReport is the JSON object of features.
type featuresReport struct {
	File       string  `json:"file"`
	Output     string  `json:"output"`
	FrontEnd   string  `json:"front_end"`
	NMels      int     `json:"n_mels"`
	Frames     int     `json:"frames"`
	SampleRate int     `json:"sample_rate"`
	Seconds    float64 `json:"seconds"`
	XRealtime  float64 `json:"x_realtime"`
}

func (a *app) featuresCmd() *cobra.Command {
	var out, config string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "features IN -o OUT.npy|OUT.png",
		Short: "Write the log-mel spectrogram of a file",
		Long: `Features writes the log-mel spectrogram that a model sees: a NumPy array
[n_mels, T] float32, or a picture if OUT ends in .png.

Without --config it is what the model (--model, else the embedded one) sees.
--config reference is the published front end (sony/sqvae), --config stream the
one with fixed levels; --config FILE.yaml takes the features of a recipe.

With --json it is one object on standard output:
  {"file", "output", "front_end", "n_mels", "frames", "sample_rate" (Hz), "seconds",
   "x_realtime"}.`,
		Example: `  vqspeech features talk.wav -o talk.npy --config reference
  vqspeech features talk.wav -o talk.png`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.features(cmd, args[0], out, config, asJSON) }),
	}
	f := cmd.Flags()
	f.StringVarP(&out, "output", "o", "", "output file, .npy or .png; - is .npy on standard output")
	f.StringVar(&config, "config", "", "reference, stream or a recipe file (default: as the model)")
	f.BoolVar(&asJSON, "json", false, "report as JSON on standard output")
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

func (a *app) features(cmd *cobra.Command, in, path, config string, asJSON bool) error {
	ext := strings.ToLower(filepath.Ext(path))
	if path == "-" {
		ext = ".npy"
	}
	if ext != ".npy" && ext != ".png" {
		return usagef("output %q must end in .npy or .png", path)
	}
	if asJSON && path == "-" {
		return usagef("--json and the features cannot both go to standard output")
	}
	if path != "-" && sameFile(in, path) {
		return usagef("%s would be overwritten by its own features", in)
	}
	cfg, err := a.featuresConfig(config)
	if err != nil {
		return err
	}
	begun := time.Now()
	mel, seconds, err := loadFeatures(in, cfg)
	if err != nil {
		return named(in, err)
	}
	out, err := a.create(cmd, path)
	if err != nil {
		return err
	}
	defer out.Abort()
	frames := len(mel) / cfg.NMels
	if ext == ".png" {
		lo, hi := features.Range(mel)
		err = features.WritePNG(out, mel, cfg.NMels, lo, hi)
	} else {
		err = npy.Write(out, []int{cfg.NMels, frames}, transpose(mel, frames, cfg.NMels))
	}
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return outputNamed(path, err)
	}
	r := featuresReport{
		File: in, Output: path, FrontEnd: string(cfg.FrontEnd), NMels: cfg.NMels, Frames: frames, SampleRate: cfg.SampleRate,
		Seconds: seconds, XRealtime: seconds / time.Since(begun).Seconds(),
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %.2f s, %d bands x %d frames, front end %s, %.0f x real time\n",
		display(in), r.Seconds, r.NMels, r.Frames, r.FrontEnd, r.XRealtime)
	return nil
}

// featuresConfig reads --config.
func (a *app) featuresConfig(config string) (features.Config, error) {
	switch config {
	case "":
		m, err := a.model()
		if err != nil {
			return features.Config{}, err
		}
		return m.Config.Features, nil
	case string(features.Reference), string(features.Stream):
		return features.Default(features.FrontEnd(config)), nil
	}
	r, err := recipes.Load(config, recipes.Parse)
	return r.Features, err
}

// loadFeatures returns the features [T, M] of an audio file and its duration (s).
func loadFeatures(path string, cfg features.Config) (mel []float32, seconds float64, err error) {
	clip, err := audio.Load(path)
	if err != nil {
		return nil, 0, err
	}
	if clip, err = clip.Resample(cfg.SampleRate); err != nil {
		return nil, 0, err
	}
	mel, err = features.LogMel(clip, cfg)
	return mel, float64(len(clip.Samples)) / float64(clip.SampleRate), err
}

// transpose returns mel [T, M] as [M, T].
func transpose(mel []float32, frames, m int) []float32 {
	out := make([]float32, len(mel))
	for t := range frames {
		for i := range m {
			out[i*frames+t] = mel[t*m+i]
		}
	}
	return out
}
