package recipes_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/recipes"
)

// TestEveryRecipeLoads reads every YAML file below this folder.
func TestEveryRecipeLoads(t *testing.T) {
	n := 0
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		n++
		t.Run(path, func(t *testing.T) {
			data, err := recipes.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			switch recipes.KindOf(data) {
			case recipes.KindUnitPrior:
				loads(t, path, data, recipes.ParseUnitPrior)
			case recipes.KindPrior:
				loads(t, path, data, recipes.ParsePrior)
			case recipes.KindVocoder:
				loads(t, path, data, recipes.ParseVocoder)
			case recipes.KindImage:
				loads(t, path, data, recipes.ParseImage)
			default:
				loads(t, path, data, recipes.Parse)
			}
			if !strings.HasPrefix(string(data), "# ") {
				t.Errorf("%s does not begin with a comment that says what it is", path)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatal("no recipes found")
	}
}

// loads reads a recipe, and again what it writes of it.
func loads[R interface{ YAML() ([]byte, error) }](t *testing.T, path string, data []byte, parse func(string, []byte, ...string) (R, error)) {
	r, err := parse(path, data)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	back, err := parse("written.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("written and read again: %s", d)
	}
}

func TestDefaultsAreValid(t *testing.T) {
	for _, doc := range []string{"", "# only a comment\n", "---\n", "{}", "train:\n", "null"} {
		r, err := recipes.Parse("r.yaml", []byte(doc))
		if err != nil {
			t.Errorf("%q: %v", doc, err)
			continue
		}
		if d := cmp.Diff(recipes.Default(), r); d != "" {
			t.Errorf("%q differs from the defaults: %s", doc, d)
		}
	}
}

func TestParse(t *testing.T) {
	r, err := recipes.Parse("r.yaml", []byte(`
data: {train: [2019, dev-clean], valid: [], holdout: 0.25}
model:
  channels: 256
train:
  max_steps: 2e4
  learning_rate: 1
  milestones: []
  seed: 18446744073709551615
quantizer: {kind: vq-ema, ema_debias: true}
`), "model.channels=8", "train.milestones=[5, 6]", "quantizer.kind=vq", "model.channels=16")
	if err != nil {
		t.Fatal(err)
	}
	want := recipes.Default()
	want.Data.Train = []string{"2019", "dev-clean"}
	want.Data.Holdout = 0.25
	want.Model.Channels = 16
	want.Train.MaxSteps = 20000
	want.Train.LearningRate = 1
	want.Train.Milestones = []int{5, 6}
	want.Data.Valid = nil
	want.Train.Seed = 1<<64 - 1
	want.Quantizer.Kind = "vq"
	want.Quantizer.EMADebias = true
	if d := cmp.Diff(want, r); d != "" {
		t.Error(d)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, doc, set, want string }{
		{"unknown section", "trian: {}\n", "", "r.yaml:1: trian: unknown key, want one of data, features, model, quantizer, train"},
		{"unknown key", "model:\n  chanels: 3\n", "", "r.yaml:2: model.chanels: unknown key, want one of channels, "},
		{"duplicate key", "model:\n  channels: 3\n  channels: 3\n", "", "r.yaml:3: model.channels: duplicate key"},
		{"duplicate section", "model: {}\ntrain: {}\nmodel: {}\n", "", "r.yaml:3: model: duplicate key"},
		{"two documents", "model: {}\n---\nmodel: {}\n", "", "r.yaml:2: a second YAML document, want one"},
		{"syntax", "model:\n\tchannels: 3\n", "", "r.yaml:2: invalid YAML: found character that cannot start any token"},
		{"list for section", "model: [1]\n", "", "r.yaml:1: model: want a section with keys channels, "},
		{"list document", "- 1\n", "", "r.yaml:1: want a section with keys data, "},
		{"word for number", "model: {channels: many}\n", "", `r.yaml:1: model.channels: want a whole number (got "many")`},
		{"quoted number", "model: {channels: '3'}\n", "", `r.yaml:1: model.channels: want a whole number (got "3")`},
		{"fraction", "model: {channels: 1.5}\n", "", "r.yaml:1: model.channels: want a whole number (got 1.5)"},
		{"huge", "model: {channels: 1e300}\n", "", "r.yaml:1: model.channels: want a whole number (got 1e300)"},
		{"negative seed", "train: {seed: -1}\n", "", "r.yaml:1: train.seed: want a whole number from 0 (got -1)"},
		{"not a number", "train: {learning_rate: .nan}\n", "", "r.yaml:1: train.learning_rate: want a finite number (got .nan)"},
		{"infinite", "train: {clip_norm: .inf}\n", "", "r.yaml:1: train.clip_norm: want a finite number (got .inf)"},
		{"no value", "train:\n  seed:\n", "", "r.yaml:2: train.seed: want a whole number from 0 (got no value)"},
		{"word for list", "data: {train: train}\n", "", `r.yaml:1: data.train: want a list such as [a, b] (got "train")`},
		{"list in list", "data: {train: [[a]]}\n", "", "r.yaml:1: data.train: want a word (got a list)"},
		{"own anchor", "data: {train: &a [*a]}\n", "", "r.yaml:1: data.train: want a word (got a list)"},
		{"word for bool", "quantizer: {ema_debias: perhaps}\n", "", `r.yaml:1: quantizer.ema_debias: want true or false (got "perhaps")`},
		{"range", "model: {channels: 0}\n", "", "r.yaml: model.channels: must be between 1 and 4096 (got 0)"},
		{"split twice", "data: {train: [a], valid: [a]}\n", "", `r.yaml: data.valid: split "a" is also in data.train`},
		{"no split", "data: {train: []}\n", "", "r.yaml: data.train: must name at least one split"},
		{"holdout", "data: {holdout: 1}\n", "", "r.yaml: data.holdout: must be in [0, 1) (got 1)"},
		{"gain", "train: {random_gain_db: 6}\n", "", "r.yaml: train.random_gain_db: must be 0 with features.front_end reference"},
		{"set unknown", "", "train.steps=3", "--set train.steps: unknown key, want one of max_steps, "},
		{"set range", "", "train.max_steps=0", "--set train.max_steps: must be at least 1 (got 0)"},
		{"set type", "", "train.max_steps=x", `--set train.max_steps: want a whole number (got "x")`},
		{"set deeper", "", "train.max_steps.x=1", "--set train.max_steps: want a whole number (got a section)"},
		{"set without value", "", "train.max_steps=", "--set train.max_steps: no value, want section.key=value"},
		{"set without key", "", "=3", "--set =3: want section.key=value"},
		{"set without =", "", "train.max_steps", "--set train.max_steps: want section.key=value"},
		{"set bad YAML", "", "train.max_steps=[", "--set train.max_steps:1: invalid YAML: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sets []string
			if c.set != "" {
				sets = append(sets, c.set)
			}
			_, err := recipes.Parse("r.yaml", []byte(c.doc), sets...)
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A recipe of a recurrent layer does not speak of the layers that it has not.
func TestVocoderCores(t *testing.T) {
	const recipe = "vocoder: {gru: 16}"
	if _, err := recipes.ParseVocoder("r.yaml", []byte(recipe)); err != nil {
		t.Error(err)
	}
	for _, set := range []string{"cycles=2", "cycle_layers=3", "kernel=3", "gate=8", "skip=8", "scaled=true"} {
		key, _, _ := strings.Cut(set, "=")
		want := "vocoder." + key + ": belongs to the dilated layers"
		if _, err := recipes.ParseVocoder("r.yaml", []byte(recipe), "vocoder."+set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
		if _, err := recipes.ParseVocoder("r.yaml", []byte("vocoder: {}"), "vocoder."+set); err != nil {
			t.Errorf("%s without gru: %v", set, err)
		}
	}
}

// TestStridesOfAnyModel wants strides accepted whose product is for the model to
// judge, which a recipe does not name.
func TestStridesOfAnyModel(t *testing.T) {
	for _, doc := range []string{"vocoder: {prediction: false, strides: [10, 40]}", "vocoder: {prediction: false, strides: [4, 4, 20]}"} {
		if _, err := recipes.ParseVocoder("r.yaml", []byte(doc)); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if _, err := recipes.ParseVocoder("r.yaml", []byte("vocoder: {prediction: false, strides: [10, 1]}")); err == nil {
		t.Error("a stride of 1 is no error")
	}
}

// TestAllErrorsAtOnce wants one line for each of three faults.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := recipes.Parse("r.yaml", []byte("model: {channels: 0}\ntrain: {batch_size: 0}\ndata: {holdout: 2}\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three lines, got %v", err)
	}
	for line := range strings.Lines(fmt.Sprint(err)) {
		if !strings.HasPrefix(line, "r.yaml: ") {
			t.Errorf("line without the file: %q", line)
		}
	}
	_, err = recipes.Parse("r.yaml", []byte(strings.Repeat("x: 1\n", 5000)))
	if err == nil || strings.Count(err.Error(), "\n") > 30 {
		t.Errorf("a hopeless file should give a short list")
	}
}

func TestBombs(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, doc := range map[string]string{
		"aliases": bomb,
		"in list": "data: {train: &a [x,x,x], valid: *a, target_speakers_from: [*a,*a]}\n",
		"nested":  strings.Repeat("[", 20000),
		"wide":    "data: {train: [" + strings.Repeat("x,", 60000) + "x]}\nx: 1\n",
		"empty":   "data: {" + strings.Repeat("x,", 60000) + "x}\n",
		"large":   strings.Repeat("# comment\n", 200000),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := recipes.Parse("bomb.yaml", []byte(doc))
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if len(err.Error()) > 8000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

// TestEveryKeyIsSettable guards against a field of a type that the decoder
// does not know, or without a YAML name.
func TestEveryKeyIsSettable(t *testing.T) {
	everyKey(t, recipes.Default(), recipes.Parse)
	everyKey(t, recipes.DefaultVocoder(), recipes.ParseVocoder)
}

func everyKey[R any](t *testing.T, defaults R, parse func(string, []byte, ...string) (R, error)) {
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			tag := f.Tag.Get("yaml")
			key := strings.TrimPrefix(prefix+"."+tag, ".")
			if tag == "-" {
				continue
			}
			if f.Type.Kind() == reflect.Struct {
				walk(key, v.Field(i))
				continue
			}
			value := fmt.Sprint(v.Field(i).Interface())
			if f.Type.Kind() == reflect.Slice {
				value = strings.ReplaceAll(value, " ", ", ")
			}
			r, err := parse("r.yaml", nil, key+"="+value)
			if err != nil {
				t.Errorf("%s: %v", key, err)
				continue
			}
			if d := cmp.Diff(fmt.Sprint(defaults), fmt.Sprint(r)); d != "" {
				t.Errorf("%s: %s", key, d)
			}
		}
	}
	walk("", reflect.ValueOf(defaults))
}

func TestHeldOut(t *testing.T) {
	half := recipes.DataConfig{Holdout: 0.5}
	n := 0
	for i := range 1000 {
		id := fmt.Sprintf("1088-134315-%04d", i)
		if half.HeldOut(id) {
			n++
		}
		if (recipes.DataConfig{}).HeldOut(id) {
			t.Fatalf("%s is held out of nothing", id)
		}
		if (recipes.DataConfig{Holdout: 0.1}).HeldOut(id) && !half.HeldOut(id) {
			t.Fatalf("%s is held out at 0.1 but not at 0.5", id)
		}
	}
	if n < 450 || n > 550 {
		t.Errorf("%d of 1000 held out at 0.5", n)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	_, err := recipes.Load(filepath.Join(t.TempDir(), "none.yaml"), recipes.Parse)
	if err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("got %v", err)
	}
	if _, err := recipes.Load(t.TempDir(), recipes.Parse); err == nil {
		t.Error("a folder was read as a recipe")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "model: {channels: 3}\n", "train:\n  milestones: [1, 2]\n", "data: {train: &a [x], valid: *a}\n",
		"quantizer: {kind: vq, ema_decay: .nan}\n", "a: !!binary x\n", "model: !!int {}\n", "---\n---\n", "<<: {model: {}}\n", "model: {? [a] : b}\n",
	} {
		f.Add([]byte(s), "train.max_steps=3")
	}
	f.Fuzz(func(t *testing.T, doc []byte, set string) {
		r, err := recipes.Parse("f.yaml", doc, set)
		if err != nil {
			if len(err.Error()) > 1<<16 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if err := r.Validate(); err != nil {
			t.Errorf("accepted but invalid: %v", err)
		}
	})
}
