package recipes

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"go.yaml.in/yaml/v3"

	"vqspeech/features/metric"
	"vqspeech/model"
	"vqspeech/recipes/corpus"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/train"
)

// Vocoder is a recipe with the sections data, vocoder and train: it trains the
// vocoder of a model that exists already, on what that model makes of the
// recordings.
type Vocoder struct {
	Data    DataConfig     `yaml:"data"`
	Vocoder wavenet.Config `yaml:"vocoder"`
	Train   train.Config   `yaml:"train"`
}

// DefaultVocoder returns a network for one core: ten layers on the residual of
// linear prediction.
func DefaultVocoder() Vocoder {
	return Vocoder{
		Data: DataConfig{Train: []string{"train"}, Valid: []string{"valid"}},
		Vocoder: wavenet.Config{
			CondChannels: 64, CondReLU: true, SpeakerDim: 32, Cycles: 1, CycleLayers: 10, Kernel: 2,
			Residual: 64, Gate: 64, Skip: 64, Post: 128, Prediction: true,
		},
		Train: train.DefaultConfig(),
	}
}

// ParseVocoder is Parse for a vocoder's recipe.
func ParseVocoder(name string, data []byte, overrides ...string) (Vocoder, error) {
	return parse(name, data, overrides, DefaultVocoder())
}

// YAML returns the whole recipe, defaults included; ParseVocoder reads it back.
func (r Vocoder) YAML() ([]byte, error) { return yaml.Marshal(r) }

// Validate reports every field that is out of range, one error each. Whether the
// network fits a model is for Options to say.
func (r Vocoder) Validate() error {
	n := r.Network(model.DefaultConfig())
	if len(n.Strides) > 0 && !n.Prediction {
		n.Upsampling = 1
		for _, s := range n.Strides {
			n.Upsampling = min(n.Upsampling*max(s, 1), 1<<16)
		}
	}
	errs := []error{r.Data.Validate(), r.Train.Validate(), n.Validate()}
	if r.Data.Holdout != 0 || len(r.Data.TargetSpeakersFrom) > 0 {
		errs = append(errs, errors.New("data: holdout and target_speakers_from have no use for a vocoder"))
	}
	if r.Vocoder.GRU > 0 {
		errs = append(errs, r.checkDilated())
	}
	return errors.Join(errs...)
}

// checkDilated reports every key of the dilated layers that has been set although
// a recurrent layer takes their place.
func (r Vocoder) checkDilated() error {
	var errs []error
	v, d := r.Vocoder, DefaultVocoder().Vocoder
	for _, key := range []struct {
		name string
		set  bool
	}{
		{"cycles", v.Cycles != d.Cycles}, {"cycle_layers", v.CycleLayers != d.CycleLayers}, {"kernel", v.Kernel != d.Kernel},
		{"gate", v.Gate != d.Gate}, {"skip", v.Skip != d.Skip}, {"scaled", v.Scaled != d.Scaled},
	} {
		if key.set {
			errs = append(errs, fmt.Errorf("vocoder.%s: belongs to the dilated layers, which vocoder.gru takes the place of: leave it out", key.name))
		}
	}
	return errors.Join(errs...)
}

// Network returns the network that r trains for a model: with prediction
// conditioned on the features that its decoder makes, without on its units.
func (r Vocoder) Network(cfg model.Config) wavenet.Config {
	n := r.Vocoder
	n.Speakers = max(len(cfg.Speakers), 1)
	if n.Prediction {
		n.Dim, n.Upsampling, n.Features = cfg.Features.NMels+wavenet.PitchDims, cfg.Features.HopLength, cfg.Features
	} else {
		n.Dim, n.Upsampling = cfg.Quantizer.CodebookDim, cfg.Features.HopLength*model.Downsampling
	}
	return n
}

// Options returns the training run of r for a model on a prepared corpus,
// without a folder and without callbacks. All recordings are encoded and, with
// prediction, decoded by the model, each in its own speaker's voice, and kept in
// memory; progress is told how many are begun, of r.Data.Utterances.
func (r Vocoder) Options(c *corpus.Corpus, m *model.Model, progress func(recordings int)) (train.Options, error) {
	o := train.Options{
		Network: r.Network(m.Config), Train: r.Train, Speakers: m.Config.Speakers, Model: fmt.Sprintf("%x", m.Fingerprint()),
	}
	if err := errors.Join(c.CheckFeatures(m.Config.Features), o.Network.Validate()); err != nil {
		return o, err
	}
	text, err := r.YAML()
	if err != nil {
		return o, err
	}
	o.Metadata = metadata(c.Info.Corpus, c.Info.SplitHash, text)
	if o.Data, err = dataName(c.Info.Corpus, c.Info.SplitHash, r.Data); err != nil {
		return o, err
	}
	begun := 0
	for _, set := range []struct {
		dst    *[]train.Utterance
		key    string
		splits []string
	}{{&o.Training, "data.train", r.Data.Train}, {&o.Valid, "data.valid", r.Data.Valid}} {
		idx, err := c.Select(set.splits...)
		if err != nil {
			return o, fmt.Errorf("%s: %w", set.key, err)
		}
		us, errs := make([]train.Utterance, len(idx)), make([]error, len(idx))
		var wait sync.WaitGroup
		turn := make(chan struct{}, runtime.GOMAXPROCS(0))
		for k, i := range idx {
			turn <- struct{}{}
			begun++
			progress(begun)
			wait.Go(func() {
				us[k], errs[k] = r.conditioned(c, i, m)
				<-turn
			})
		}
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			return o, err
		}
		*set.dst = us
	}
	return o, nil
}

// conditioned returns utterance i with what the network is told of it: the
// features that the model gives back and the pitch of the recording, or the
// code vectors of its units.
func (r Vocoder) conditioned(c *corpus.Corpus, i int, m *model.Model) (train.Utterance, error) {
	u := c.Utterances[i]
	row, err := m.SpeakerIndex(u.Speaker)
	if err != nil {
		return train.Utterance{}, err
	}
	samples, err := c.Samples(i)
	if err != nil {
		return train.Utterance{}, err
	}
	db, err := c.Mel(i)
	if err != nil {
		return train.Utterance{}, err
	}
	mel := make([]float32, len(db))
	level := c.Level(i, m.Config.Features)
	level.Apply(mel, db)
	level.Scale(samples)
	codes := m.EncodeMel(mel)
	out := train.Utterance{ID: u.ID, Samples: samples, Speaker: row}
	if r.Vocoder.Prediction {
		out.Latents, err = decoded(m, row, codes, samples, u.SampleRate)
	} else {
		out.Latents = codeVectors(m, codes, len(samples))
	}
	if err != nil {
		return train.Utterance{}, fmt.Errorf("%s: %w", u.ID, err)
	}
	return out, nil
}

// decoded returns the features [T, M+PitchDims] that m makes of codes, with the
// pitch of the recording.
func decoded(m *model.Model, row int, codes []uint16, samples []float32, rate int) ([]float32, error) {
	d := m.NewDecoder(row)
	out := append([]float32(nil), d.Push(codes)...)
	out = append(out, d.Flush(int64(len(samples)))...)
	f0, err := metric.TrackF0(samples, rate, metric.DefaultF0())
	if err != nil {
		return nil, err
	}
	bands := m.Config.Features.NMels
	latents := make([]float32, 0, len(out)/bands*(bands+wavenet.PitchDims))
	perFrame := metric.F0FrameRate * float64(m.Config.Features.HopLength) / float64(rate)
	for t := range len(out) / bands {
		pitch := wavenet.Pitch(f0[min(int(math.Round(float64(t)*perFrame)), len(f0)-1)])
		latents = append(append(latents, out[t*bands:(t+1)*bands]...), pitch[:]...)
	}
	return latents, nil
}

// codeVectors returns the vectors [samples/U, D] of codes; the last goes on
// where the recording does.
func codeVectors(m *model.Model, codes []uint16, samples int) []float32 {
	if len(codes) == 0 {
		return nil
	}
	d := m.Codebook.Dim
	n := samples / (m.Config.Features.HopLength * model.Downsampling)
	latents := make([]float32, 0, n*d)
	for i := range n {
		k := int(codes[min(i, len(codes)-1)])
		latents = append(latents, m.Codebook.Vectors[k*d:(k+1)*d]...)
	}
	return latents
}
