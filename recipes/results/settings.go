package results

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"vqspeech/model"
)

// settings are what decides the result of a run, by the keys that recipes set:
// "section.key". Runs with equal settings are seeds of one another.
type settings map[string]string

// noMatter are the keys in which seeds may differ: their own, and those that decide
// how often a run reports.
var noMatter = []string{"train.seed", "train.log_every", "train.eval_every", "train.checkpoint_every"}

// settingsOf returns the settings of sections, which are structs of recipes.
func settingsOf(sections map[string]any) settings {
	s := settings{}
	for section, v := range sections {
		s.add(section, reflect.ValueOf(v))
	}
	for _, key := range noMatter {
		delete(s, key)
	}
	return s
}

func (s settings) add(section string, v reflect.Value) {
	for i := range v.NumField() {
		key, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if option == "inline" {
			s.add(section, v.Field(i))
			continue
		}
		s[section+"."+key] = fmt.Sprint(v.Field(i).Interface())
	}
}

// unread is the value of a setting that a run has and does not read: its recipe may
// leave it at any other.
const unread = "–"

// forgetUnread marks what a bottleneck does not read. codes says that there is a
// codebook, drawn that codes are drawn from a posterior in training.
func (s settings) forgetUnread(q model.QuantizerConfig, codes, drawn bool) {
	forget := func(unless bool, keys ...string) {
		for _, key := range keys {
			if !unless {
				s.forget("quantizer." + key)
			}
		}
	}
	rule := q.DeadCodeThreshold > 0 || q.DeadCodeFraction > 0
	forget(codes, "codebook_size", "dead_code_threshold", "dead_code_fraction")
	forget(codes && rule, "dead_code_interval")
	forget(drawn, "temperature", "temperature_decay", "initial_scale")
	forget(q.Kind == model.Gaussian1, "variance")
	forget(codes && !drawn, "commitment_weight")
	forget(q.Kind == model.VQEMA, "ema_decay", "ema_epsilon", "ema_debias")
}

func (s settings) forget(key string) {
	if _, ok := s[key]; ok {
		s[key] = unread
	}
}

// A configured row of a table has settings.
type configured interface {
	given() settings

	// kin tells of which rows it is worth saying that they differ in a key: of
	// those with equal kin. Others differ in it by what they are.
	kin(key string) string
}

// unlike says in which settings rows differ, those aside that are told elsewhere.
func unlike[R configured](rows []R, told ...string) (notes []string) {
	all := settings{}
	for _, r := range rows {
		maps.Copy(all, r.given())
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(told, key) {
			continue
		}
		kin := map[string][]R{}
		for _, r := range rows {
			if v, ok := r.given()[key]; !ok || v != unread {
				kin[r.kin(key)] = append(kin[r.kin(key)], r)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(kin)) {
			notes = append(notes, differences(kin[name], key, func(r R) string {
				if v, ok := r.given()[key]; ok {
					return v
				}
				return "not recorded"
			})...)
		}
	}
	return notes
}

// differences says in which values rows differ, if they do.
func differences[R any](rows []R, what string, of func(R) string) []string {
	var values []string
	for _, r := range rows {
		if v := of(r); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	if len(values) < 2 {
		return nil
	}
	return []string{fmt.Sprintf("rows cannot be compared: %s is %s", what, strings.Join(values, " and "))}
}
