package recipes

import "go.yaml.in/yaml/v3"

// Kind is what a recipe trains.
type Kind int

// The kinds. Each has a Parse function.
const (
	KindSpeech    Kind = iota
	KindImage          // ParseImage
	KindVocoder        // ParseVocoder
	KindPrior          // ParsePrior
	KindUnitPrior      // ParseUnitPrior
)

// KindOf returns the kind of a recipe: a section "vocoder", "prior" or "unit_prior"
// or the key model.kind tells it, and without them it is of speech.
func KindOf(data []byte) Kind {
	var sections map[string]yaml.Node
	if len(data) > maxFileBytes || yaml.Unmarshal(data, &sections) != nil {
		return KindSpeech // parse says what is wrong with it
	}
	for _, k := range []struct {
		section string
		kind    Kind
	}{{"vocoder", KindVocoder}, {"prior", KindPrior}, {"unit_prior", KindUnitPrior}} {
		if sections[k.section].Kind != 0 {
			return k.kind
		}
	}
	if netOf(data) != "" {
		return KindImage
	}
	return KindSpeech
}
