package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/internal/npy"
	"vqspeech/model"
	"vqspeech/vocoder"
)

func (a *app) vocodeCmd() *cobra.Command {
	o := synthOptions{mel: true}
	cmd := &cobra.Command{
		Use:   "vocode MEL.npy... [-o OUT.wav]",
		Short: "Turn a log-mel spectrogram into speech",
		Long: `Vocode turns the features that vqspeech features writes (a NumPy array [n_mels, T]
float32, for the model in use) into a 16-bit WAV file, by default MEL.wav: what a
vocoder makes of the spectrogram of a recording, without units between. With
several MEL.npy, OUT is a folder. The voice is --speaker, else the model's first.

` + vocoderHelp + `
With --json the report is an object a line on standard output:
  {"file", "output", "speaker", "samples", "sample_rate" (Hz), "seconds", "frames",
   "x_realtime"}
or {"file", "error"}.`,
		Example: `  vqspeech features talk.wav -o talk.npy
  vqspeech vocode talk.npy --speaker 1088 -o copy.wav`,
		Args: cobra.MinimumNArgs(1),
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.vocode(cmd, args, o) }),
	}
	a.synthFlags(cmd, &o, "speaker")
	return cmd
}

func (a *app) vocode(cmd *cobra.Command, args []string, o synthOptions) error {
	jobs, err := plan(args, o.out, ".wav", false)
	if err != nil {
		return err
	}
	return a.synthesise(cmd, jobs, o, func(ctx context.Context, m *model.Model, voice voicing, j job) (synthReport, error) {
		return a.vocodeFile(ctx, m, voice, j, o.speaker)
	})
}

// vocodeFile turns one spectrogram into one WAV.
func (a *app) vocodeFile(ctx context.Context, m *model.Model, voice voicing, j job, speaker string) (r synthReport, err error) {
	if speaker == "" {
		speaker = m.DefaultSpeaker()
	}
	bands := m.Config.Features.NMels
	mel, err := readMel(j.in, m)
	if err != nil {
		return r, err
	}
	v, err := voice(speaker)
	if err != nil {
		return r, err
	}
	wav, err := audio.Create(j.out, m.Config.Features.SampleRate)
	if err != nil {
		return r, outputNamed(j.out, err)
	}
	forget := a.track(wav)
	defer func() {
		forget()
		wav.Abort()
	}()
	samples, err := vocodeAll(ctx, v, mel, bands, wav, j.out)
	if err != nil {
		return r, err
	}
	return synthReport{Speaker: speaker, Samples: int64(samples), Frames: len(mel) / bands}, outputNamed(j.out, wav.Close())
}

// maxFeature bounds features to be vocoded: beyond it are decibels that have not
// been divided, samples, or nothing that was ever heard.
const maxFeature = 10

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
	for i, x := range data {
		if !(x >= -maxFeature && x <= maxFeature) {
			return nil, fmt.Errorf("band %d of frame %d is %v, want features: decibels divided by %g, between %d and %d",
				i/shape[1], i%shape[1], x, m.Config.Features.TopDB, -maxFeature, maxFeature)
		}
	}
	return transpose(data, bands, shape[1]), nil
}

// vocodeAll writes the waveform of mel [T, M] to the file of that name and
// returns its length.
func vocodeAll(ctx context.Context, v vocoder.Vocoder, mel []float32, bands int, out recording, name string) (samples int, err error) {
	const block = 100 // frames between two looks at ctx
	for len(mel) > 0 {
		if err := ctx.Err(); err != nil {
			return samples, err
		}
		n := min(len(mel), block*bands)
		x, err := v.Push(vocoder.Conditioning{Mel: mel[:n]})
		if err == nil {
			err = outputNamed(name, out.Write(x))
		}
		if err != nil {
			return samples, err
		}
		samples, mel = samples+len(x), mel[n:]
	}
	x, err := v.Flush()
	if err == nil {
		err = outputNamed(name, out.Write(x))
	}
	return samples + len(x), err
}
