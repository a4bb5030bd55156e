package results

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/safetensors"
	"vqspeech/model"
	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
	"vqspeech/model/train"
)

// faces is the folder of a finished run on CelebA, at the published schedule.
func faces(t *testing.T, kind model.QuantizerKind, seed uint64) string {
	t.Helper()
	c := imagetrain.RunConfig{Model: image.DefaultConfig(image.Net64), Train: imagetrain.DefaultConfig(), Training: 64, Valid: 5, Test: 7}
	c.Model.Quantizer.Kind, c.Train.Seed, c.Train.Epochs = kind, seed, 70
	return imageRun(t, "celeba", c, image.Evaluation{MSE: 1, BatchPerplexity: 50})
}

func record(t *testing.T, dir, kind string, fid FID) {
	t.Helper()
	if err := RecordFID(dir, kind, fid); err != nil {
		t.Fatal(err)
	}
}

// TestFID sets recorded figures beside those of table 2.
func TestFID(t *testing.T) {
	one, two, alone := faces(t, model.Gaussian1, 0), faces(t, model.Gaussian1, 1), faces(t, image.VAE, 0)
	record(t, one, "reconstruction", FID{99, 7, 7})
	record(t, one, "reconstruction", FID{14, 7, 7}) // the later one counts
	record(t, two, "reconstruction", FID{16, 7, 7})
	record(t, one, "samples", FID{30, 7, 7})
	record(t, one, "interp", FID{20, 7, 7})
	record(t, two, "interp", FID{20, 7, 5})
	record(t, alone, "reconstruction", FID{40, 7, 6})
	record(t, alone, "neighbor-10", FID{50, 7, 7})
	table := Image(finished(t, one, two, alone))
	var b bytes.Buffer
	if err := table.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	want := `
| system | MSE × 10³ | paper | perplexity of 32 images | seeds | epochs | steps | batch | codebook |
|---|---|---|---|---|---|---|---|---|
| VAE | 1.00 | 4.79 ± 0.01 | – | 0 | 70 | 140 | 32 | – |
| SQ-VAE I | 1.00 ± 0.00 | 0.96 ± 0.01 | 50.0 ± 0.0 | 0, 1 | 70 | 140 | 32 | 512 × 64 |

| FID of | reconstruction | paper | samples | paper | neighbor-3 | paper | neighbor-5 | paper | neighbor-10 | paper | interp | paper |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
| VAE | 40.0 | 40.3 ± 0.3 | – | – | – | – | – | – | 50.0 | – | – | – |
| SQ-VAE I | 15.0 ± 1.4 | 14.8 ± 0.3 | – | 28.2 ± 0.9 | – | 17.8 ± 0.1 | – | 21.9 ± 0.1 | – | 33.1 ± 0.3 | – | 17.6 ± 0.6 |

- SQ-VAE I: FID (samples) of 1 of 2 runs, none is shown
- SQ-VAE I: FID (interp) of 7 and 7, of 7 and 5 images, none is shown
- rows cannot be compared: the number of seeds is 1 and 2
- rows cannot be compared: the number of images of FID (reconstruction) is 6 against 7 and 7 against 7
`
	if _, got, _ := strings.Cut(b.String(), "paper: table 2\n"); got != want {
		t.Errorf("table\n%swant\n%s", got, want)
	}
	if got := table.Groups[0].Rows[1].Runs[1].FID["reconstruction"]; got != (FID{16, 7, 7}) {
		t.Errorf("the second run has %+v", got)
	}
}

// TestStaleFID holds that figures of an earlier model neither enter a table nor
// stay beside those of a later one.
func TestStaleFID(t *testing.T) {
	dir := faces(t, model.Gaussian1, 0)
	record(t, dir, "interp", FID{20, 7, 7})
	if err := safetensors.Save(filepath.Join(dir, train.ModelFile), map[string]string{"of": "another model"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir)[0].FinishedImage(); err == nil || !strings.HasSuffix(err.Error(), "fid.json: the figures are of another model than model.safetensors, record them again or remove the file") {
		t.Errorf("got %v", err)
	}
	record(t, dir, "samples", FID{30, 7, 7})
	if got := finished(t, dir)[0].FID; len(got) != 1 || got["samples"].FID != 30 {
		t.Errorf("recorded are %v", got)
	}
}

func TestFIDErrors(t *testing.T) {
	dir := faces(t, model.Gaussian1, 0)
	if err := RecordFID(dir, "faces", FID{1, 7, 7}); err == nil || !strings.HasPrefix(err.Error(), `no FID of "faces", want one of reconstruction, `) {
		t.Errorf("unknown images: %v", err)
	}
	if err := RecordFID(t.TempDir(), "interp", FID{1, 7, 7}); err == nil || !strings.Contains(err.Error(), "config.json: no such file") {
		t.Errorf("no run: %v", err)
	}
	for _, c := range []struct{ text, want string }{
		{"", "fid.json: invalid JSON: EOF"},
		{`{"fid": 3}`, `fid.json: invalid JSON: json: unknown field "fid"`},
		{`{"fids": {"faces": {"fid": 3}}}`, `fid.json: no FID of "faces", want one of `},
		{`{"fids": {"interp": {"fid": -3, "rows_a": 7, "rows_b": 7}}}`, "fid.json: interp: -3 of 7 and 7 rows, want "},
		{`{"fids": {"interp": {"fid": 3, "rows_a": 7}}}`, "fid.json: interp: 3 of 7 and 0 rows, want "},
		{strings.Repeat(" ", 2<<20), "fid.json: larger than 1048576 bytes"},
	} {
		write(t, dir, FIDFile, c.text)
		_, err := open(t, dir)[0].FinishedImage()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: got %v, want %s", c.text, err, c.want)
		}
	}
	write(t, dir, FIDFile, "{}")
	record(t, dir, "interp", FID{1, 7, 7})
	for _, p := range publishedFor("celeba", Levels).rows {
		for key := range p {
			if kind := slices.IndexFunc(FIDKinds, func(k string) bool { return fidKey(k) == key }); kind < 0 && key != mseKey {
				t.Errorf("table 2 has the unknown measure %s", key)
			}
		}
	}
}

// FuzzParseFIDs wants an error of one line, or figures that a table can show.
func FuzzParseFIDs(f *testing.F) {
	for _, text := range []string{"", "{}", `{"model_sha256":"00","fids":{"interp":{"fid":3,"rows_a":7,"rows_b":7}}}`, `{"fids":{"x":{}}}`, `{"fids":{"interp":{"fid":1e999}}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseFIDs(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		for kind, v := range got.FIDs {
			if !slices.Contains(FIDKinds, kind) || !(v.FID >= 0) || math.IsInf(v.FID, 1) || v.RowsA < 2 || v.RowsB < 2 {
				t.Errorf("%s: %+v", kind, v)
			}
		}
	})
}
