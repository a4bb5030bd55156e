package train

import (
	"path/filepath"
	"strings"
	"testing"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/synthetic"
	"vqspeech/model"
	"vqspeech/quant/metric/abx"
	"vqspeech/quant/metric/phones"
)

func clip(u synthetic.Spoken) *audio.Clip {
	return &audio.Clip{Samples: u.Samples, SampleRate: synthetic.SpeechRate}
}

// TestUnitsAreOfPhones trains a small model on synthetic speech, whose phones it is
// not told, and maps the units of utterances that it has not heard to phones.
func TestUnitsAreOfPhones(t *testing.T) {
	cfg := model.DefaultConfig()
	cfg.Features = features.Default(features.Stream)
	cfg.Net = model.NetConfig{Channels: 32, SpeakerDim: 4, DecoderHidden: 16}
	cfg.Quantizer.Kind, cfg.Quantizer.CodebookSize, cfg.Quantizer.CodebookDim = model.VQEMA, 64, 16
	cfg.Quantizer.EMADecay = 0.98
	tc := DefaultConfig()
	tc.MaxSteps, tc.BatchSize, tc.CropFrames, tc.Seed = 300, 8, 34, 1
	tc.LearningRate, tc.Milestones, tc.Recon, tc.Jitter = 2e-3, nil, "mse", 0
	tc.EvalEvery, tc.CheckpointEvery = tc.MaxSteps, tc.MaxSteps

	spoken := synthetic.Speech(48, 30, 1)
	heard, others := spoken[:32], spoken[32:]
	o := Options{Model: cfg, Train: tc, Dir: filepath.Join(t.TempDir(), "run")}
	for _, u := range heard {
		db, err := features.LogMelDB(clip(u), cfg.Features)
		if err != nil {
			t.Fatal(err)
		}
		o.Training = append(o.Training, Utterance{ID: u.Name, Speaker: u.Speaker, DB: db})
	}
	mustRun(t, o)
	m, err := model.Load(filepath.Join(o.Dir, ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	corpus := spokenUnits(t, m, others)
	s := phones.Sum(corpus.Terms())
	t.Logf("%+v", s)
	if n, want := corpus.Phones(), len(synthetic.SpeechPhones); n != want || s.Majority > 0.2 {
		t.Errorf("%d phones, majority %.3f, want %d and one in about eight", n, s.Majority, want)
	}
	if s.Accuracy < 0.5 || s.PNMI < 0.45 {
		t.Errorf("accuracy %.3f, PNMI %.3f, want at least 0.5 and 0.45", s.Accuracy, s.PNMI)
	}
}

// spokenUnits encodes utterances and counts the units of their phones.
func spokenUnits(t *testing.T, m *model.Model, set []synthetic.Spoken) *phones.Corpus {
	t.Helper()
	items, bad, err := abx.ReadItems(strings.NewReader(synthetic.SpeechItems(set)))
	if err != nil || len(bad) > 0 {
		t.Fatal(bad, err)
	}
	var corpus phones.Corpus
	for _, u := range set {
		var codes []int32
		if _, err := m.EncodeClip(clip(u), func(part []uint16) error {
			for _, k := range part {
				codes = append(codes, int32(k))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var spans []phones.Span
		for _, item := range items {
			if item.File != u.Name {
				continue
			}
			first, end, err := item.Centred(len(codes), 1/m.Config.CodeRate(), model.UnitCentre)
			if err != nil {
				t.Fatal(err)
			}
			spans = append(spans, phones.Span{First: first, End: end, Phone: item.Phone})
		}
		labels, ambiguous := phones.Label(spans, len(codes))
		if ambiguous > 0 || labels[0] != u.Segments[0].Phone || labels[len(labels)-1] == "" {
			t.Errorf("%s: phones %q, %d ambiguous", u.Name, labels, ambiguous)
		}
		corpus.Add(codes, labels)
	}
	return &corpus
}
