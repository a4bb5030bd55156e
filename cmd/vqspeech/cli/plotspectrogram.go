package cli

import (
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/chart"
)

func (a *app) plotSpectrogramCmd() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "spectrogram FILE... -o OUT.png",
		Short: "Log-mel spectrograms of recordings, below each other",
		Long: `Spectrogram draws the log-mel spectrograms of recordings on one scale of time and
one of levels, such as a source, its reconstruction and its conversions. Each is
titled with its file's name. The levels reach from the loudest one down to 80 dB
below it.

With --json it is one object on standard output:
  {"plot": "spectrogram", "inputs", "output"}.`,
		Example: `  vqspeech plot spectrogram talk.wav copy.wav talk-to-1088.wav -o talk.png`,
		Args:    cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error {
			if len(args) > maxPlotted {
				return usagef("%d recordings, want at most %d in one picture", len(args), maxPlotted)
			}
			var ss []logMel
			for _, file := range args {
				s, err := loadLogMel(file)
				if err != nil {
					return named(file, err)
				}
				ss = append(ss, s)
			}
			return a.plot(cmd, plotReport{Plot: "spectrogram", Inputs: args, Output: out}, asJSON, func(w io.Writer, _ *plotReport) error {
				return writeSpectrograms(w, ss)
			})
		}),
	}
	plotFlags(cmd, &out, &asJSON)
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

// plottedDB is the range of levels in a picture (dB).
const plottedDB = 80

// maxColumns bounds the frames of a picture: those of a longer recording are
// averaged.
const maxColumns = 1500

// logMel is the log-mel of a file, [T, M] (dB).
type logMel struct {
	name    string
	db      []float32
	seconds float64
}

func loadLogMel(path string) (logMel, error) {
	cfg := features.Default(features.Reference)
	clip, err := audio.Load(path)
	if err != nil {
		return logMel{}, err
	}
	if clip, err = clip.Resample(cfg.SampleRate); err != nil {
		return logMel{}, err
	}
	db, err := features.LogMelDB(clip, cfg)
	if err != nil {
		return logMel{}, err
	}
	if len(db) == 0 {
		return logMel{}, errors.New("no samples to draw")
	}
	name := display(path)
	if path != "-" {
		name = filepath.Base(path)
	}
	return logMel{name, features.Pool(db, cfg.NMels, maxColumns), float64(len(clip.Samples)) / float64(clip.SampleRate)}, nil
}

func writeSpectrograms(w io.Writer, rs []logMel) error {
	cfg := features.Default(features.Reference)
	var hi float32
	for i, r := range rs {
		if _, top := features.Range(r.db); i == 0 || top > hi {
			hi = top
		}
	}
	lo := hi - plottedDB
	var ss []chart.Spectrogram
	for _, r := range rs {
		p, err := features.Picture(r.db, cfg.NMels, lo, hi)
		if err != nil {
			return err
		}
		ss = append(ss, chart.Spectrogram{Title: r.name, Image: p, Seconds: r.seconds})
	}
	scale := make([]float32, plottedDB)
	for i := range scale {
		scale[i] = lo + float32(i)
	}
	bar, err := features.Picture(scale, len(scale), lo, hi)
	if err != nil {
		return err
	}
	return chart.WriteSpectrograms(w, ss, features.BandCentres(cfg), bar, float64(lo), float64(hi))
}
