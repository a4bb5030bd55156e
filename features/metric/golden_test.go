package metric

import (
	"math"
	"strings"
	"testing"

	"vqspeech/audio/resample"
	"vqspeech/internal/golden"
)

func one(v float64) []float32 { return []float32{float32(v)} }

func count(n int) []int32 { return []int32{int32(n)} }

// levels turns the mel amplitudes [M, T] of a fixture into levels [T, M] (dB).
func levels(f *golden.File, name string) (db []float32, bands int) {
	amplitudes, shape := f.F32(name), f.Shape(name)
	bands, frames := shape[0], shape[1]
	db = make([]float32, bands*frames)
	for m := range bands {
		for t := range frames {
			db[t*bands+m] = float32(20 * math.Log10(float64(amplitudes[m*frames+t])))
		}
	}
	return db, bands
}

func flat(c []cepstrum) (out []float32) {
	for _, frame := range c {
		for _, v := range frame {
			out = append(out, float32(v))
		}
	}
	return out
}

func TestGolden(t *testing.T) {
	f := golden.Open(t, "metrics.safetensors")

	mse := MelMSE{TopDB: 80}
	for _, name := range f.Names() {
		if utt, ok := strings.CutSuffix(name, ".se"); ok {
			utterance := MelMSE{TopDB: 80}
			utterance.Add(f.F32(utt+".estimate"), f.F32(utt+".reference"))
			f.Check(name, one(utterance.squares))
			mse.Add(f.F32(utt+".estimate"), f.F32(utt+".reference"))
		}
	}
	f.Check("mse_db2.value", one(mse.DB2()))

	if convention := f.Meta("mcd"); !strings.HasPrefix(convention, MCDConvention+":") {
		t.Errorf("the fixture's convention is %q, want %s", convention, MCDConvention)
	}
	cepstraOf := func(name string) []cepstrum { return cepstra(levels(f, name)) }
	reference, estimate := cepstraOf("mcd.reference"), cepstraOf("mcd.estimate")
	f.Check("mcd.reference_cepstra", flat(reference), len(reference), mcdOrder)
	f.Check("mcd.estimate_cepstra", flat(estimate), len(estimate), mcdOrder)
	f.Check("mcd.value", one(cepstralDistortion(reference, estimate).Value()))
	aligned := alignedDistortion(reference, cepstraOf("mcd.estimate_stretched"))
	f.Check("mcd.dtw_value", one(aligned.Value()))
	f.CheckInts("mcd.dtw_path_length", count(int(aligned.N)))

	var bins []int32
	for _, b := range stoiBins {
		bins = append(bins, int32(b[0]), int32(b[1]))
	}
	f.CheckInts("stoi.band_bins", bins, stoiBands, 2)
	for estimate, name := range map[string]string{"noisy": "noisy_10k", "smeared": "smeared_10k", "identical": "clean_10k"} {
		got, err := STOI(f.F32("stoi.clean_10k"), f.F32("stoi."+name), stoiRate)
		if err != nil {
			t.Fatal(err)
		}
		f.Check("stoi."+estimate+"_10k.value", one(got))
		f.CheckInts("stoi."+estimate+"_10k.frames_kept", count(len(audible(f.F32("stoi.clean_10k")))))
	}
	// The fixture's resampler (as pystoi's) has a wider transition band than
	// ours; its README gives the tolerance of the score.
	got, err := STOI(f.F32("stoi.clean_16k"), f.F32("stoi.noisy_16k"), 16000)
	if err != nil {
		t.Fatal(err)
	}
	f.CheckWithin("stoi.noisy_16k.value", one(got), 2e-3, 0)
	at10k, err := resample.Resample(f.F32("stoi.clean_16k"), 16000, stoiRate)
	if err != nil {
		t.Fatal(err)
	}
	f.CheckWithin("stoi.clean_16k_resampled", at10k, 0.02, 0)

	sdr, err := SISDR(f.F32("si_sdr.reference"), f.F32("si_sdr.estimate"), 16000)
	if err != nil {
		t.Fatal(err)
	}
	f.Check("si_sdr.db", one(sdr))

	var e F0Error
	e.Add(f.F32("f0.reference_hz"), f.F32("f0.estimate_hz"))
	for name, v := range map[string]float64{
		"rmse_hz": e.RMSEHz(), "rmse_cents": e.RMSECents(), "rmse_log": e.RMSELog(), "corr_hz": e.CorrelationHz(),
		"corr_log": e.CorrelationLog(), "gpe": e.GPE(), "vde": e.VDE(), "ffe": e.FFE(),
	} {
		f.Check("f0."+name, one(v))
	}
	f.CheckInts("f0.frames_both", count(int(e.Both)))
	f.CheckInts("f0.frames", count(int(e.Frames)))

	// Bitrate and perplexity are compared in quant/metric; images have no
	// metrics yet.
	f.RequireAllUsed("bitrate.*", "perplexity.*", "fid*", "segmentation.*")
}
