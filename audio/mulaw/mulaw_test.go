package mulaw

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"vqspeech/audio"
	"vqspeech/internal/golden"
)

func TestGoldenTable(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	codes := f.I32("mulaw.code")
	for i, x := range f.F32("mulaw.x") {
		if got := Encode(x); int32(got) != codes[i] {
			t.Errorf("Encode(%g) = %d, want %d", x, got, codes[i])
		}
	}
	table := make([]float32, Levels)
	for i := range table {
		table[i] = Decode(uint8(i))
	}
	f.Check("mulaw.decode_table", table)
}

func TestGoldenFiles(t *testing.T) {
	f := golden.Open(t, "features.safetensors")
	var files map[string]string
	f.JSON("files_16k", &files)
	compared := 0
	for _, name := range f.Names() {
		id, ok := strings.CutSuffix(name, ".mulaw_2000_6000")
		if !ok {
			continue
		}
		clip, err := audio.Load(golden.Path(t, files[id]))
		if err != nil {
			t.Fatal(err)
		}
		peak := 0.0
		for _, x := range clip.Samples {
			peak = max(peak, math.Abs(float64(x)))
		}
		want, exact := f.I32(name), f.I32(id+".mulaw_exact")
		for i, w := range want {
			got := int32(Encode(float32(0.999 * float64(clip.Samples[2000+i]) / peak)))
			if d := got - w; d != 0 && (exact[i] != 0 || d*d > 1) {
				t.Errorf("%s: sample %d: code %d, want %d", id, 2000+i, got, w)
			}
		}
		compared++
	}
	if compared == 0 {
		t.Fatal("no file was compared")
	}
}

func TestRoundTrip(t *testing.T) {
	for code := range Levels {
		if got := Encode(Decode(uint8(code))); int(got) != code {
			t.Errorf("code %d comes back as %d", code, got)
		}
	}
	for _, x := range []float32{-2, 2, float32(math.Inf(1)), float32(math.Inf(-1))} {
		if got := Encode(x); got != 0 && got != Levels-1 {
			t.Errorf("Encode(%g) = %d, want the end of the scale", x, got)
		}
	}
}

// The search gives the code of the formula, on either side of every boundary and
// between them.
func TestEncodeIsTheFormula(t *testing.T) {
	check := func(x float32) {
		if got, want := Encode(x), compress(x); got != want {
			t.Fatalf("Encode(%g) = %d, want %d", x, got, want)
		}
	}
	for _, b := range least[1:] {
		check(b)
		check(math.Nextafter32(b, -2))
		for _, d := range []float32{-1e-5, -1e-6, -1e-7, 1e-7, 1e-6, 1e-5} {
			check(b + d)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1 << 20 {
		x := 2.2*r.Float32() - 1.1
		check(x)
		check(x * x * x * x)
	}
	for _, x := range []float32{0, float32(math.Copysign(0, -1)), 1e-30, -1e-30, 1, -1} {
		check(x)
	}
}

func BenchmarkEncode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 1024)
	for i := range x {
		x[i] = 2*r.Float32() - 1
	}
	i := 0
	for b.Loop() {
		Encode(x[i%len(x)])
		i++
	}
}
