package pytorch

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/npy"
	"vqspeech/model"
)

// load reads testdata/NAME.WHAT.npy.
func load[T npy.Element](t *testing.T, name, what string) (shape []int, x []T) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+"."+what+".npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if shape, x, err = npy.Read[T](f); err != nil {
		t.Fatal(err)
	}
	return shape, x
}

// Imported, a checkpoint gives the units and the reconstruction of PyTorch.
func TestAsPyTorch(t *testing.T) {
	for name, kind := range map[string]model.QuantizerKind{
		"type1": model.Gaussian1, "type3": model.Gaussian3, "type4": model.Gaussian4, "ema": model.VQEMA,
	} {
		c, err := Load(filepath.Join("testdata", name+".pt"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Config.Quantizer.Kind != kind || c.Step != 20000 || !slices.Equal(c.Config.Speakers, []string{"0", "1", "2"}) {
			t.Errorf("%s: kind %s, step %d, speakers %v", name, c.Config.Quantizer.Kind, c.Step, c.Config.Speakers)
		}
		m, err := model.New(c.Config, c.Weights)
		if err != nil {
			t.Fatal(err)
		}
		shape, mel := load[float32](t, name, "mel") // [M, T]
		frames := make([]float32, len(mel))         // [T, M]
		for i, v := range mel {
			frames[i%shape[1]*shape[0]+i/shape[1]] = v
		}
		codes := m.EncodeMel(frames)
		_, want := load[int32](t, name, "units")
		for i, k := range want {
			if i >= len(codes) || codes[i] != uint16(k) {
				t.Fatalf("%s: units %v, want %v", name, codes, want)
			}
		}
		_, recon := load[float32](t, name, "recon")
		got := m.DecodeAll(codes, 1)
		if len(got) != len(recon) {
			t.Fatalf("%s: %d elements, want %d", name, len(got), len(recon))
		}
		for i, v := range recon {
			if d := math.Abs(float64(got[i] - v)); !(d <= 2e-6) {
				t.Fatalf("%s: element %d is %g, want %g", name, i, got[i], v)
			}
		}
	}
}

// text is a string in a pickle.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func float(x float32) string {
	return string(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
}

func TestOtherCheckpoints(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// Files of the old format have no checksums and may grow.
	gaussian, ema := read("type3.pt"), read("ema.pt")
	good, err := Load("testdata/type3.pt")
	if err != nil {
		t.Fatal(err)
	}
	bias, variance := good.Weights["decoder.fc.bias"][0], good.Weights["encoder.bn2.running_var"][0]
	rename := func(file string, names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if !strings.Contains(file, text(names[i])) {
				t.Fatalf("no %s to rename", names[i])
			}
			file = strings.Replace(file, text(names[i]), text(names[i+1]), 1)
		}
		return file
	}
	swap := func(file, a, b string) string { return rename(file, a, "\x00", b, a, "\x00", b) }
	for _, c := range []struct{ name, file, want string }{
		{"no encoder", rename(gaussian, "encoder", "model"), "key encoder is missing, want encoder, decoder and step (it has model, decoder, optimizer, amp, scheduler, step)"},
		{"no state", swap(gaussian, "encoder", "step"), "encoder is not a state_dict"},
		{"no step", rename(gaussian, "step", "steps"), "step is missing"},
		{"missing", rename(gaussian, "encoder.12.weight", "encoder.12.w"), "encoder.encoder.12.weight is missing: another kind of model (it has log_var_q_scalar, encoder.0.weight"},
		{"decoder", rename(gaussian, "rnn.weight_hh_l0", "x"), "decoder.rnn.weight_hh_l0 is missing"},
		{"more", rename(gaussian, "jitter.prob", "jitter.more"), "encoder.jitter.more is unknown"},
		{"waveform", rename(ema, "rnn.weight_ih_l0", "rnn1.weight_ih_l0"), "waveform network of bshall/ZeroSpeech"},
		{"no quantizer", rename(gaussian, "log_var_q_scalar", "log_var"), "neither log_var_q_scalar (SQ-VAE) nor codebook.ema_count"},
		{"both", rename(gaussian, "jitter.prob", "codebook.ema_count"), "want one of them"},
		{"channels", swap(gaussian, "encoder.15.weight", "encoder.0.weight"), "channels, want 4 (SQ-VAE I), 5 (III) or 8 (IV)"},
		{"ema channels", swap(ema, "encoder.15.weight", "encoder.0.weight"), "channels, want 4 as codebook.embedding"},
		{"axes", swap(gaussian, "codebook.embedding", "encoder.1.weight"), "encoder.codebook.embedding has shape [6], want 2 axes"},
		{"shape", swap(gaussian, "encoder.1.weight", "encoder.15.bias"), "encoder.encoder.1.weight has shape [5], want [6]"},
		{"speakers", swap(gaussian, "speaker_embedding.weight", "fc.weight"), "decoder.rnn.weight_ih_l0 has shape [9 6], want [9 10]"},
		{"whole numbers", swap(gaussian, "log_var_q_scalar", "encoder.1.num_batches_tracked"), "log_var_q_scalar has shape [], want [1]"},
		{"no number", strings.Replace(gaussian, float(bias), float(float32(math.NaN())), 1), "decoder.fc.bias: element 0 is NaN"},
		{"variance", strings.Replace(gaussian, float(variance), float(-1), 1), "running_var holds the variance -1"},
		{"bytes", "GIF89a", "begins with \"GIF8\", want a file of torch.save"},
		{"empty", "", "empty file"},
	} {
		_, err := Read(strings.NewReader(c.file), int64(len(c.file)))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestSpeakers(t *testing.T) {
	ids, err := ReadSpeakers(strings.NewReader(`["p226", "p225", "S015"]`))
	if err != nil || !slices.Equal(ids, []string{"S015", "p225", "p226"}) {
		t.Errorf("ids %q, %v", ids, err)
	}
	c, err := Load("testdata/type4.pt")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetSpeakers(ids); err != nil || !slices.Equal(c.Config.Speakers, ids) {
		t.Errorf("speakers %v, %v", c.Config.Speakers, err)
	}
	if err := c.SetSpeakers(ids[:2]); err == nil || err.Error() != "2 speakers, want 3, as the checkpoint has rows" {
		t.Errorf("two speakers: %v", err)
	}
	for text, want := range map[string]string{
		"": "list of speaker ids", "{}": "list of speaker ids", `[1]`: "list of speaker ids", `["a"] x`: "list of speaker ids",
		`["a", null]`: "speaker 1 has no id", `[""]`: "speaker 0 has no id", `["a", "b", "a"]`: `"a" occurs twice`,
		strings.Repeat(" ", maxSpeakers) + "[]": "more than 1048576 bytes",
	} {
		if _, err := ReadSpeakers(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"type3.pt", "ema.pt"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if _, err := model.New(c.Config, c.Weights); err != nil {
			t.Errorf("accepted, but %v", err)
		}
	})
}
