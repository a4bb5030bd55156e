//go:build unix

package wavenet_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"vqspeech/features"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// BenchmarkGenerate times generation at 16 kHz on one core, of several
// utterances at a time. The time of the processor is beside that of the clock,
// because other work on the machine disturbs it less.
func BenchmarkGenerate(b *testing.B) {
	const sampleRate = 16000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, name := range append([]string{"residual", "gru"}, wavenet.Presets...) {
		for _, format := range []struct {
			name string
			pack func(wavenet.Config, model.Weights) (*wavenet.Generator, error)
		}{{"float32", wavenet.New}, {"int8", wavenet.NewInt8}} {
			for _, n := range []int{1, 2, 8} {
				b.Run(fmt.Sprint(name, "/", format.name, "/", n), func(b *testing.B) {
					cfg := residual()
					if name == "gru" {
						cfg.GRU = 272
					} else if name != "residual" {
						var err error
						if cfg, err = wavenet.Preset(name); err != nil {
							b.Fatal(err)
						}
					}
					g, err := format.pack(cfg, wavenettest.Random(cfg, 1))
					if err != nil {
						b.Fatal(err)
					}
					var streams []*wavenet.Stream
					var latents [][]float32
					for i := range n {
						o := wavenet.DefaultOptions()
						o.Seed = uint64(i)
						streams = append(streams, stream(b, g, o))
						latents = append(latents, wavenettest.Latents(cfg, 1, uint64(i)))
					}
					push := func() {
						if _, err := wavenet.PushAll(streams, latents); err != nil {
							b.Fatal(err)
						}
					}
					for range 6 { // the lookahead
						push()
					}
					b.ReportAllocs()
					cpu := processorTime(b)
					for b.Loop() {
						push()
					}
					cpu = processorTime(b) - cpu
					samples := float64(b.N * n * cfg.Upsampling)
					seconds := b.Elapsed().Seconds()
					b.ReportMetric(samples/sampleRate/seconds, "x_realtime")
					b.ReportMetric(seconds/samples*1e6, "µs/sample")
					b.ReportMetric(cpu.Seconds()/samples*1e6, "cpu-µs/sample")
					b.ReportMetric(cfg.Work().PerSample()/1e6, "MMAC/sample")
					b.ReportMetric(cfg.Work().PerSample()*samples/seconds/1e9, "GMAC/s")
				})
			}
		}
	}
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// residual returns a network of the size of the recipes' default, for the
// residual of linear prediction.
func residual() wavenet.Config {
	f := features.Default(features.Stream)
	return wavenet.Config{
		Dim: f.NMels + wavenet.PitchDims, Upsampling: f.HopLength, Speakers: 3, Features: f,
		CondChannels: 64, CondReLU: true, SpeakerDim: 32, Cycles: 1, CycleLayers: 10, Kernel: 2,
		Residual: 64, Gate: 64, Skip: 64, Post: 128, Prediction: true,
	}
}
