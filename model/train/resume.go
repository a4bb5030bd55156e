package train

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vqspeech/model"
	"vqspeech/model/checkpoint"
)

// open returns the state to start from: a fresh one or the latest checkpoint.
func open(o Options) (*checkpoint.State, error) {
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, err
	}
	train, err := json.Marshal(o.Train)
	if err != nil {
		return nil, err
	}
	latest := filepath.Join(o.Dir, LatestFile)
	if _, err := os.Stat(latest); err == nil {
		if !o.Resume {
			return nil, fmt.Errorf("%s: a run is there already: resume it or choose another folder", o.Dir)
		}
		s, err := checkpoint.Load(latest)
		if err != nil {
			return nil, err
		}
		if err := sameRun(o, s); err != nil {
			return nil, fmt.Errorf("%s: %w", latest, err)
		}
		s.Train = train
		return s, nil
	}
	s := &checkpoint.State{
		Model: o.Model, Train: train, Best: math.Inf(1),
		Weights: model.Weights{}, M: model.Weights{}, V: model.Weights{}, Extra: map[string][]float32{},
	}
	rng := random(o.Train.Seed, streamInit, 0)
	for _, p := range append(o.Model.Params(), o.Model.Buffers()...) {
		s.Weights[p.Name] = p.Init(rng)
	}
	for _, p := range o.Model.Params() {
		s.M[p.Name], s.V[p.Name] = make([]float32, p.Size()), make([]float32, p.Size())
	}
	return s, nil
}

// sameRun reports whether the options may go on from a checkpoint: everything
// but the length of the run and the intervals of its reports must agree.
func sameRun(o Options, s *checkpoint.State) error {
	var was Config
	if err := json.Unmarshal(s.Train, &was); err != nil {
		return err
	}
	was.MaxSteps, was.LogEvery, was.CheckpointEvery = o.Train.MaxSteps, o.Train.LogEvery, o.Train.CheckpointEvery
	var changed []string
	for _, c := range []struct {
		section  string
		was, now any
	}{{"", s.Model, o.Model}, {"train.", was, o.Train}} {
		a, err := flatten(c.was)
		if err != nil {
			return err
		}
		b, err := flatten(c.now)
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(b)) {
			if a[key] != b[key] {
				changed = append(changed, fmt.Sprintf("%s%s was %s, is %s", c.section, key, a[key], b[key]))
			}
		}
	}
	if changed != nil {
		return fmt.Errorf("cannot resume with another configuration: %s", strings.Join(changed, "; "))
	}
	return nil
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
