package cli

import (
	"context"

	"github.com/spf13/cobra"

	"vqspeech/model"
)

func (a *app) convertCmd() *cobra.Command {
	var o synthOptions
	cmd := &cobra.Command{
		Use:   "convert IN... --to ID [-o OUT.wav]",
		Short: "Say the same in another voice",
		Long: `Convert encodes audio files and decodes the units in the voice of speaker ID,
without a file in between. OUT is by default IN-to-ID.wav; with several IN it is
a folder.

` + vocoderHelp + `
With --json the report is an object a line on standard output:
` + synthReportHelp,
		Example: `  vqspeech convert talk.wav --to 1088           # talk-to-1088.wav
  vqspeech convert *.flac --to 1088 -o out/`,
		Args: cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.convert(cmd, args, o) }),
	}
	a.synthFlags(cmd, &o, "to")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

func (a *app) convert(cmd *cobra.Command, args []string, o synthOptions) error {
	if o.speaker == "" {
		return usagef("--to is empty, want a speaker id")
	}
	jobs, err := plan(args, o.out, "-to-"+fileName(o.speaker)+".wav", false)
	if err != nil {
		return err
	}
	return a.synthesise(cmd, jobs, o, func(ctx context.Context, m *model.Model, voice voicing, j job) (r synthReport, err error) {
		s, err := a.newSynth(m, voice, o.speaker, j.out)
		if err != nil {
			return r, err
		}
		defer s.abort()
		samples, err := m.EncodeFile(j.in, func(codes []uint16) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return s.push(codes)
		})
		if err != nil {
			return r, err
		}
		return synthReport{Speaker: o.speaker, Samples: samples, Units: s.units}, s.finish(samples)
	})
}

// fileName makes a speaker id usable as a part of a file name.
func fileName(id string) string {
	b := []rune(id)
	for i, r := range b {
		if r < ' ' || r == '/' || r == '\\' || r == ':' {
			b[i] = '_'
		}
	}
	return string(b)
}
