package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/internal/npy"
	"vqspeech/model"
	"vqspeech/vocoder"
)

type vocodeOptions struct {
	out, speaker string
	vocoder      vocoderOptions
	json         bool
}

// vocodeReport is the JSON object of vocode.
type vocodeReport struct {
	File       string  `json:"file"`
	Output     string  `json:"output"`
	Speaker    string  `json:"speaker"`
	Frames     int     `json:"frames"`
	SampleRate int     `json:"sample_rate"`
	Seconds    float64 `json:"seconds"`
	XRealtime  float64 `json:"x_realtime"`
}

func (a *app) vocodeCmd() *cobra.Command {
	var o vocodeOptions
	cmd := &cobra.Command{
		Use:   "vocode MEL.npy [-o OUT.wav]",
		Short: "Turn a log-mel spectrogram into speech",
		Long: `Vocode turns the features that vqspeech features writes (a NumPy array [n_mels, T]
float32, for the model in use) into a 16-bit WAV file, by default MEL.wav: what a
vocoder makes of the spectrogram of a recording, without units between. The voice
is --speaker, else the model's first.

` + vocoderHelp + `
With --json the report is one object on standard output:
  {"file", "output", "speaker", "frames", "sample_rate" (Hz), "seconds",
   "x_realtime"}.`,
		Example: `  vqspeech features talk.wav -o talk.npy
  vqspeech vocode talk.npy --speaker 1088 -o copy.wav`,
		Args: cobra.ExactArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.vocode(cmd, args[0], o) }),
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "output file, - for standard output")
	f.StringVar(&o.speaker, "speaker", "", "speaker to speak as (see: vqspeech speakers)")
	f.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	o.vocoder.flags(cmd)
	a.completeSpeaker(cmd, "speaker")
	return cmd
}

func (a *app) vocode(cmd *cobra.Command, in string, o vocodeOptions) error {
	jobs, err := plan([]string{in}, o.out, ".wav", false)
	if err != nil {
		return err
	}
	out := jobs[0].out
	if o.json && out == "-" {
		return usagef("--json and the audio cannot both go to standard output")
	}
	m, err := a.model()
	if err != nil {
		return err
	}
	if o.speaker == "" {
		o.speaker = m.DefaultSpeaker()
	}
	if _, err := m.SpeakerIndex(o.speaker); err != nil {
		return err
	}
	voice, err := vocoders(o.vocoder, m)
	if err != nil {
		return err
	}
	mel, err := readMel(in, m)
	if err != nil {
		return named(in, err)
	}
	v, err := voice(o.speaker)
	if err != nil {
		return err
	}
	wav, err := audio.Create(out, m.Config.Features.SampleRate)
	if err != nil {
		return outputNamed(out, err)
	}
	forget := a.track(wav)
	defer func() {
		forget()
		wav.Abort()
	}()
	begun := time.Now()
	samples, err := vocodeAll(cmd.Context(), v, mel, m.Config.Features.NMels, wav)
	if err != nil {
		return named(in, err)
	}
	if err := outputNamed(out, wav.Close()); err != nil {
		return err
	}
	r := vocodeReport{
		File: in, Output: out, Speaker: o.speaker, Frames: len(mel) / m.Config.Features.NMels, SampleRate: m.Config.Features.SampleRate,
		Seconds: float64(samples) / float64(m.Config.Features.SampleRate),
	}
	r.XRealtime = r.Seconds / time.Since(begun).Seconds()
	if o.json {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	fmt.Fprintf(a.stderr, "%s: %.2f s as speaker %s, %.1f x real time\n", display(in), r.Seconds, r.Speaker, r.XRealtime)
	return nil
}

// readMel reads features [n_mels, T] for m and returns them time-major [T, M].
func readMel(path string, m *model.Model) ([]float32, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	shape, data, err := npy.Read[float32](in)
	if err != nil {
		return nil, err
	}
	bands := m.Config.Features.NMels
	if len(shape) != 2 || shape[0] != bands || shape[1] == 0 {
		return nil, fmt.Errorf("an array of shape %s, want [%d, T], T at least 1", strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), bands)
	}
	return transpose(data, bands, shape[1]), nil
}

// vocodeAll writes the waveform of mel [T, M] and returns its length.
func vocodeAll(ctx context.Context, v vocoder.Vocoder, mel []float32, bands int, out recording) (samples int, err error) {
	const block = 100 // frames between two looks at ctx
	for len(mel) > 0 {
		if err := ctx.Err(); err != nil {
			return samples, err
		}
		n := min(len(mel), block*bands)
		x, err := v.Push(vocoder.Conditioning{Mel: mel[:n]})
		if err == nil {
			err = out.Write(x)
		}
		if err != nil {
			return samples, err
		}
		samples, mel = samples+len(x), mel[n:]
	}
	x, err := v.Flush()
	if err == nil {
		err = out.Write(x)
	}
	return samples + len(x), err
}
