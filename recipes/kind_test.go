package recipes_test

import (
	"testing"

	"vqspeech/recipes"
)

func TestKindOf(t *testing.T) {
	for doc, want := range map[string]recipes.Kind{
		"model: {kind: 28}": recipes.KindImage, "model: {channels: 256}": recipes.KindSpeech, "": recipes.KindSpeech,
		"vocoder: {residual: 8}": recipes.KindVocoder, "prior: {}": recipes.KindPrior, "unit_prior: {}": recipes.KindUnitPrior,
		"[1, 2": recipes.KindSpeech, "model: [kind]": recipes.KindSpeech,
	} {
		if got := recipes.KindOf([]byte(doc)); got != want {
			t.Errorf("%q: %v, want %v", doc, got, want)
		}
	}
}
