package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/model"
	"vqspeech/quant/units"
)

// synthOptions are those of the verbs that make speech.
type synthOptions struct {
	out, speaker string
	vocoder      vocoderOptions
	json         bool
	mel          bool // of spectrograms, which have a voice already
}

// synthFlags adds their flags; the one for the speaker has its own name.
func (a *app) synthFlags(cmd *cobra.Command, o *synthOptions, speaker string) {
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "output file, or folder (made if it ends in a slash); - is standard output")
	f.StringVar(&o.speaker, speaker, "", "speaker to speak as (see: vqspeech speakers)")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	o.vocoder.flags(cmd)
	a.completeSpeaker(cmd, speaker)
}

// synthReport is the JSON object of decode, convert and vocode.
type synthReport struct {
	File       string  `json:"file"`
	Output     string  `json:"output"`
	Speaker    string  `json:"speaker"`
	Samples    int64   `json:"samples"`
	SampleRate int     `json:"sample_rate"`
	Seconds    float64 `json:"seconds"`
	Units      int64   `json:"units,omitempty"`  // of decode and convert
	Frames     int     `json:"frames,omitempty"` // of vocode
	XRealtime  float64 `json:"x_realtime"`
}

const synthReportHelp = `  {"file", "output", "speaker", "samples", "sample_rate" (Hz), "seconds", "units",
   "x_realtime"}
or {"file", "error"}, in the order of the inputs. The speed of a file is its own,
beside the others that were made at the same time.`

func (a *app) decodeCmd() *cobra.Command {
	var o synthOptions
	cmd := &cobra.Command{
		Use:   "decode IN.vqs... [-o OUT.wav|OUT.npy]",
		Short: "Turn units into speech",
		Long: `Decode turns units (.vqs files of encode) into 16-bit WAV files of exactly the
length of the original. The units must have been made by the same model.

The voice is --speaker, else the speaker that the file records if the model
knows it, else the model's first. OUT is by default IN with the suffix .wav; with
several IN it is a folder.

If OUT ends in .npy it is the log-mel spectrogram that the vocoder would get, an
array [n_mels, T] float32 with the frames of vqspeech features. The first frame
and what is left after the last unit repeat their neighbours.

` + vocoderHelp + `
With --json the report is an object a line on standard output:
` + synthReportHelp,
		Example: `  vqspeech decode talk.vqs                      # talk.wav
  vqspeech decode talk.vqs --speaker 1088 -o - | aplay
  vqspeech decode talk.vqs -o talk.npy`,
		Args: cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.decode(cmd, args, o) }),
	}
	a.synthFlags(cmd, &o, "speaker")
	return cmd
}

func (a *app) decode(cmd *cobra.Command, args []string, o synthOptions) error {
	jobs, err := plan(args, o.out, ".wav", false)
	if err != nil {
		return err
	}
	if f := cmd.Flags(); isMel(jobs[0].out) && (f.Changed("vocoder") || f.Changed("seed")) {
		return usagef("%s is a spectrogram, for which there is no vocoder", jobs[0].out)
	}
	return a.synthesise(cmd, jobs, o, func(ctx context.Context, m *model.Model, voice voicing, j job) (synthReport, error) {
		return a.decodeFile(ctx, cmd, m, voice, j, o.speaker)
	})
}

// synthesise runs the jobs of decode, convert or vocode and reports each.
func (a *app) synthesise(cmd *cobra.Command, jobs []job, o synthOptions,
	one func(context.Context, *model.Model, voicing, job) (synthReport, error),
) error {
	if o.json && slices.ContainsFunc(jobs, job.toStdout) {
		return usagef("--json and the audio cannot both go to standard output")
	}
	m, err := a.model()
	if err != nil {
		return err
	}
	if o.speaker != "" {
		if _, err := m.SpeakerIndex(o.speaker); err != nil {
			return err
		}
	}
	voices, err := vocoders(o.vocoder, m)
	if err != nil {
		return err
	}
	if o.mel && o.speaker != "" && voices.generator == nil {
		return usagef("--speaker: Griffin-Lim leaves the voice as it is, want another --vocoder")
	}
	failed := failures{w: a.stderr}
	begun, seconds := time.Now(), 0.0
	rate := float64(m.Config.Features.SampleRate)
	err = inLanes(cmd.Context(), voices, jobs, func(ctx context.Context, voice voicing, j job) (synthReport, error) {
		begun := time.Now()
		r, err := one(ctx, m, voice, j)
		r.File, r.Output = j.in, j.out
		r.SampleRate = m.Config.Features.SampleRate
		r.Seconds = float64(r.Samples) / rate
		r.XRealtime = r.Seconds / time.Since(begun).Seconds()
		return r, err
	}, func(j job, r synthReport, err error) error {
		if err != nil {
			return a.failed(cmd, &failed, j.in, err, o.json)
		}
		seconds += r.Seconds
		if o.json {
			return writeJSON(cmd.OutOrStdout(), r)
		}
		fmt.Fprintf(a.stderr, "%s: %.2f s as speaker %s, %.1f x real time\n", display(j.in), r.Seconds, r.Speaker, r.XRealtime)
		return nil
	})
	if err != nil {
		return err
	}
	if done := len(jobs) - failed.count; done > 1 && !o.json {
		fmt.Fprintf(a.stderr, "%d files: %.2f s, %.1f x real time in total\n", done, seconds, seconds/time.Since(begun).Seconds())
	}
	return failed.result(len(jobs))
}

// decodeFile turns one .vqs into one WAV or spectrogram.
func (a *app) decodeFile(ctx context.Context, cmd *cobra.Command, m *model.Model, voice voicing, j job, speaker string) (r synthReport, err error) {
	in := io.Reader(os.Stdin)
	if j.in != "-" {
		f, err := os.Open(j.in)
		if err != nil {
			return r, err
		}
		defer f.Close()
		in = f
	}
	reader, err := units.NewReader(in)
	if err != nil {
		return r, err
	}
	h := reader.Header()
	if err := checkUnits(h, m); err != nil {
		return r, err
	}
	if speaker == "" {
		speaker = h.Speaker
	}
	if _, err := m.SpeakerIndex(speaker); err != nil { // only possible for the recorded speaker
		speaker = m.DefaultSpeaker()
	}
	if isMel(j.out) {
		n, err := a.decodeMel(ctx, cmd, m, reader, speaker, j.out)
		return synthReport{Speaker: speaker, Samples: reader.Samples(), Units: n}, err
	}
	s, err := a.newSynth(m, voice, speaker, j.out)
	if err != nil {
		return r, err
	}
	defer s.abort()
	if err := s.play(ctx, reader); err != nil {
		return r, err
	}
	return synthReport{Speaker: speaker, Samples: reader.Samples(), Units: s.units}, nil
}

// checkUnits reports whether units with this header are for model m.
func checkUnits(h units.Header, m *model.Model) error {
	if fp := m.Fingerprint(); h.Fingerprint != fp {
		return hintError{
			fmt.Errorf("made by model %x, want model %x", h.Fingerprint, fp),
			"--model FILE chooses another model",
		}
	}
	c := m.Config
	if h.SampleRate != c.Features.SampleRate || h.Hop != c.HopSamples() || h.CodebookSize != m.Codebook.Size {
		return fmt.Errorf("units are %d Hz, hop %d, codebook size %d; the model has %d Hz, hop %d, codebook size %d",
			h.SampleRate, h.Hop, h.CodebookSize, c.Features.SampleRate, c.HopSamples(), m.Codebook.Size)
	}
	return nil
}
