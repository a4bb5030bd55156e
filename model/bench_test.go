package model_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/model"
)

// BenchmarkNetworks times the networks of the default model on 10 s of features.
func BenchmarkNetworks(b *testing.B) {
	const seconds = 10
	m := defaultModel(b)
	clip := speech(b)
	for len(clip.Samples) < seconds*clip.SampleRate {
		clip.Samples = append(clip.Samples, clip.Samples...)
	}
	clip.Samples = clip.Samples[:seconds*clip.SampleRate]
	mel, err := features.LogMel(clip, m.Config.Features)
	if err != nil {
		b.Fatal(err)
	}
	codes := m.EncodeMel(mel)
	work := m.Work(len(mel) / m.Config.Features.NMels)
	for _, stage := range []struct {
		name         string
		multiplyAdds int64
		run          func()
	}{
		{"encoder", work.Encoder, func() { m.Latents(mel) }},
		{"decoder", work.Decoder, func() {
			d := m.NewDecoder(0)
			d.Push(codes)
			d.Flush(-1)
		}},
	} {
		b.Run(stage.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stage.run()
			}
			perSecond := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(seconds*perSecond, "x_realtime")
			b.ReportMetric(2*float64(stage.multiplyAdds)*perSecond/1e9, "GFLOP/s")
		})
	}
}

// randomModel returns a model of the published size with random weights.
func randomModel(b *testing.B) *model.Model {
	cfg := model.DefaultConfig()
	cfg.Features = features.Default(features.Stream)
	cfg.Speakers = []string{"a"}
	w, rng := model.Weights{}, rand.New(rand.NewPCG(1, 2))
	for _, p := range append(cfg.Params(), cfg.Buffers()...) {
		w[p.Name] = p.Init(rng)
	}
	m, err := model.New(cfg, w)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkEncode takes a minute of samples to units.
func BenchmarkEncode(b *testing.B) {
	const seconds = 60
	clip := &audio.Clip{SampleRate: 16000}
	for part := speech(b).Samples; len(clip.Samples) < seconds*clip.SampleRate; {
		clip.Samples = append(clip.Samples, part...)
	}
	clip.Samples = clip.Samples[:seconds*clip.SampleRate]
	for _, m := range []struct {
		name  string
		model *model.Model
	}{{"default", defaultModel(b)}, {"reference-size", randomModel(b)}} {
		for _, procs := range []int{1, runtime.NumCPU()} {
			b.Run(fmt.Sprintf("%s/cores-%d", m.name, procs), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				for b.Loop() {
					if _, err := m.model.EncodeClip(clip, func([]uint16) error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x_realtime")
			})
		}
	}
}
