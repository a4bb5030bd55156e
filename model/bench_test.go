package model_test

import (
	"testing"

	"vqspeech/features"
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
