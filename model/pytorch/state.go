package pytorch

import (
	"slices"
	"strings"

	"vqspeech/internal/torchfile"
)

// state is the state_dict of one of the two networks.
type state struct {
	name string // encoder or decoder
	dict *torchfile.Dict
	used map[string]bool // keys that were read
}

func stateOf(top *torchfile.Dict, name string) (*state, error) {
	v, ok := top.Get(name)
	if !ok {
		return nil, errorf("key %s is missing, want encoder, decoder and step (it has %s)", name, keys(top))
	}
	d, ok := v.(*torchfile.Dict)
	if !ok {
		return nil, errorf("%s is not a state_dict", name)
	}
	return &state{name: name, dict: d, used: map[string]bool{}}, nil
}

// keys lists the keys of a dictionary for an error.
func keys(d *torchfile.Dict) string {
	const most = 8
	var list []string
	for _, e := range d.Entries {
		s, ok := e.Key.(string)
		if !ok || len(s) > 40 {
			s = "…"
		}
		if list = append(list, printable(s)); len(list) == most {
			list = append(list, "…")
			break
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// printable replaces what would break a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '�'
		}
		return r
	}, s)
}

func (s *state) has(key string) bool {
	_, ok := s.dict.Get(key)
	return ok
}

func (s *state) tensor(key string) (*torchfile.Tensor, error) {
	v, ok := s.dict.Get(key)
	if !ok {
		return nil, errorf("%s.%s is missing: another kind of model (it has %s)", s.name, key, keys(s.dict))
	}
	t, ok := v.(*torchfile.Tensor)
	if !ok {
		return nil, errorf("%s.%s is not a tensor", s.name, key)
	}
	return t, nil
}

// rest reports a key that was not read, unless evaluation does without it: a
// network with more layers is another one.
func (s *state) rest() error {
	for _, e := range s.dict.Entries {
		key, ok := e.Key.(string)
		training := strings.HasSuffix(key, ".num_batches_tracked") ||
			slices.Contains([]string{"codebook.ema_count", "codebook.ema_weight", "jitter.prob"}, key)
		if !ok || !s.used[key] && !training {
			return errorf("%s.%.60s is unknown: another kind of model", s.name, printable(key))
		}
	}
	return nil
}
