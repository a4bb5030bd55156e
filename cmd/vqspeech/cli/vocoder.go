package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"vqspeech/model"
	"vqspeech/vocoder"
	"vqspeech/vocoder/griffinlim"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/embedded"
)

// vocoderOptions say how features become a waveform.
type vocoderOptions struct {
	name string // wavenet, griffinlim, a file of train, or empty
	seed uint64 // of the samples that a network draws
}

const vocoderHelp = `The waveform comes from --vocoder: wavenet, the network inside the program, which
was trained with the embedded model and is the default for it; griffinlim, which
needs no training and is the default for other models; or a vocoder.safetensors
that train has made. A network draws its samples from --seed: the same seed gives
the same waveform, also beside other inputs: several are made at a time, up to
eight on each core with a network.
`

func (o *vocoderOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.name, "vocoder", "", "how features become a waveform: wavenet, griffinlim or a file (default: as the model)")
	cmd.Flags().Uint64Var(&o.seed, "seed", 0, "seed of the samples that a network draws")
	_ = cmd.RegisterFlagCompletionFunc("vocoder", cobra.FixedCompletions([]string{"wavenet", "griffinlim"}, cobra.ShellCompDirectiveDefault))
}

// A voicing starts the waveform of an utterance in the voice of a speaker.
type voicing func(speaker string) (vocoder.Vocoder, error)

// voices are the waveforms of a run.
type voices struct {
	start     func(speaker string, group *wavenet.Group) (vocoder.Vocoder, error)
	generator *wavenet.Generator // of all of them, which can advance together; nil: they cannot
}

// alone starts a waveform on its own.
func (v voices) alone(speaker string) (vocoder.Vocoder, error) { return v.start(speaker, nil) }

// together returns the voicing of n waveforms at a time, each on a goroutine of
// its own that calls leave when it has no more of them.
func (v voices) together(n int) (voice voicing, leave func()) {
	if v.generator == nil {
		return v.alone, func() {}
	}
	group := v.generator.NewGroup(n)
	return func(speaker string) (vocoder.Vocoder, error) { return v.start(speaker, group) }, group.Leave
}

// vocoders returns how waveforms are made of the features of m.
func vocoders(o vocoderOptions, m *model.Model) (voices, error) {
	griffin := voices{start: func(string, *wavenet.Group) (vocoder.Vocoder, error) { return griffinlim.New(m.Config.Features) }}
	if o.name == "griffinlim" {
		return griffin, nil
	}
	var voice wavenet.Voice
	var g *wavenet.Generator
	var err error
	if o.name == "" || o.name == "wavenet" {
		voice, g, err = embedded.Default()
	} else if voice, g, err = wavenet.Load(o.name); err != nil {
		err = hintError{pathFirst(err), "--vocoder takes wavenet, griffinlim or a vocoder.safetensors of train"}
	}
	if err != nil {
		return voices{}, err
	}
	fits := voice.Fits(m)
	if o.name == "" && (fits != nil || voice.Model != fmt.Sprintf("%x", m.Fingerprint())) {
		return griffin, nil
	}
	if fits != nil {
		return voices{}, hintError{fits, "--vocoder griffinlim takes any"}
	}
	return voices{generator: g, start: func(speaker string, group *wavenet.Group) (vocoder.Vocoder, error) {
		options, err := voice.Options(speaker, o.seed)
		if err != nil {
			return nil, err
		}
		options.Group = group
		if voice.Network.Prediction {
			return voice.NewVocoder(g, options)
		}
		return voice.NewUnitVocoder(g, m, options)
	}}, nil
}
