package checkpoint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"vqspeech/internal/training"
	"vqspeech/model"
)

// Start returns the state that a run in dir begins with: that of its latest
// checkpoint if resume is set and one is there, else a fresh one with weights
// from rng. A checkpoint that is there without resume is an error, and so is one
// of other data (training.Latest) or another configuration: cfg and train must agree
// with it but for the keys of train in free. Start makes the folder.
func Start[C Config, T any](dir, data string, resume bool, cfg C, train T, free []string, rng *rand.Rand) (*Run[C], error) {
	path, err := training.Latest(dir, data, resume)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(train)
	if err != nil {
		return nil, err
	}
	if path != "" {
		s, err := LoadRun[C](path)
		if err != nil {
			return nil, err
		}
		if err := Agree(s.Model, cfg, s.Train, train, free); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.Train = text
		return s, nil
	}
	s := &Run[C]{
		Model: cfg, Train: text, Best: math.Inf(1),
		Weights: model.Weights{}, M: model.Weights{}, V: model.Weights{}, Extra: map[string][]float32{},
	}
	for _, p := range append(cfg.Params(), cfg.Buffers()...) {
		s.Weights[p.Name] = p.Init(rng)
	}
	for _, p := range cfg.Params() {
		s.M[p.Name], s.V[p.Name] = make([]float32, p.Size()), make([]float32, p.Size())
	}
	return s, nil
}

// Agree fails, with the keys, where a run that goes on has another configuration
// than its checkpoint, whose own are was and, as JSON, trained. Keys of train that
// are in free may differ.
func Agree[C, T any](was, cfg C, trained json.RawMessage, train T, free []string) error {
	var before T
	if err := json.Unmarshal(trained, &before); err != nil {
		return err
	}
	changed, err := differences("", was, cfg, nil)
	if err != nil {
		return err
	}
	more, err := differences("train.", before, train, free)
	if err != nil {
		return err
	}
	if changed = append(changed, more...); changed != nil {
		return fmt.Errorf("cannot resume with another configuration: %s", strings.Join(changed, "; "))
	}
	return nil
}

// differences lists the keys in which two configurations differ.
func differences(section string, was, is any, free []string) (changed []string, err error) {
	a, err := flatten(was)
	if err != nil {
		return nil, err
	}
	b, err := flatten(is)
	if err != nil {
		return nil, err
	}
	keys := maps.Clone(a)
	maps.Copy(keys, b) // a key that is left out where it has no value may be in one alone
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if a[key] != b[key] && !slices.Contains(free, key) {
			changed = append(changed, fmt.Sprintf("%s%s was %s, is %s", section, key, cmp.Or(a[key], "not set"), cmp.Or(b[key], "not set")))
		}
	}
	return changed, nil
}

// flatten returns the JSON of a configuration by key, sections joined by dots.
func flatten(config any) (map[string]string, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	flat := map[string]string{}
	var walk func(prefix string, text json.RawMessage)
	walk = func(prefix string, text json.RawMessage) {
		var section map[string]json.RawMessage
		if json.Unmarshal(text, &section) != nil {
			flat[prefix] = string(text)
			return
		}
		for key, value := range section {
			walk(strings.TrimPrefix(prefix+"."+key, "."), value)
		}
	}
	walk("", text)
	return flat, nil
}
