package results

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"vqspeech/model"
	"vqspeech/model/train"
	"vqspeech/recipes"
)

// Score is a mean over seeds with its sample standard deviation: NaN for a single
// seed, which JSON has as null.
type Score struct{ Mean, Std float64 }

// MarshalJSON writes {"mean", "std"}.
func (s Score) MarshalJSON() ([]byte, error) {
	v := struct {
		Mean float64  `json:"mean"`
		Std  *float64 `json:"std"`
	}{Mean: s.Mean}
	if !math.IsNaN(s.Std) {
		v.Std = &s.Std
	}
	return json.Marshal(v)
}

// Published are the figures of table 3 of Takida et al. 2022: mean squared
// error (dB²).
type Published struct {
	VCTK       Score `json:"vctk"`
	ZeroSpeech Score `json:"zerospeech2019"`
}

// speechModels are the rows of table 3 in their order, and the model that the
// paper leaves out.
var speechModels = []struct {
	kind      model.QuantizerKind
	name      string
	published *Published
}{
	{model.VQEMA, "VQ-VAE with EMA", &Published{Score{29.59, 0.25}, Score{34.33, 1.57}}},
	{model.Gaussian1, "Gaussian SQ-VAE (I)", &Published{Score{25.52, 0.08}, Score{33.17, 1.11}}},
	{model.Gaussian3, "Gaussian SQ-VAE (III)", &Published{Score{25.94, 0.22}, Score{34.35, 1.07}}},
	{model.Gaussian4, "Gaussian SQ-VAE (IV)", &Published{Score{24.68, 0.21}, Score{32.32, 0.88}}},
	{model.VQ, "VQ-VAE", nil},
}

// Budget is what rows must share first to be compared.
type Budget struct {
	Steps        int `json:"steps"`
	BatchSize    int `json:"batch_size"`
	Channels     int `json:"channels"`
	CodebookSize int `json:"codebook_size"`
	CodebookDim  int `json:"codebook_dim"`
}

// SpeechRun is the final result of one run.
type SpeechRun struct {
	Run        string  `json:"run"`
	Seed       uint64  `json:"seed"`
	MSE        float64 `json:"mse_db2"`
	Perplexity float64 `json:"perplexity"`
}

// SpeechRow is a model, trained with one configuration on one partition of a
// corpus.
type SpeechRow struct {
	Model      string              `json:"model"`
	Kind       model.QuantizerKind `json:"kind"`
	Corpus     string              `json:"corpus"`
	SplitHash  string              `json:"split_hash"` // empty: not recorded
	Budget     Budget              `json:"budget"`
	Runs       []SpeechRun         `json:"runs"` // by seed
	MSE        Score               `json:"mse_db2"`
	Perplexity Score               `json:"perplexity"`
	Published  *Published          `json:"published,omitempty"`

	settings settings
}

// SpeechTable is table 3 from runs.
type SpeechTable struct {
	Rows  []SpeechRow `json:"rows"`
	Notes []string    `json:"notes"` // why figures cannot be compared, if so
}

// Speech makes the table of runs that are finished (Run.Unfinished). Only runs
// with the same configuration but for the seed, measured on the same split, are
// averaged. A run that has no split hash is measured on nobody knows what: it has
// a row of its own.
func Speech(runs []*Run) SpeechTable {
	t := SpeechTable{Rows: []SpeechRow{}}
	for _, r := range runs {
		row := rowOf(r)
		i := slices.IndexFunc(t.Rows, row.alike)
		if i < 0 {
			i = len(t.Rows)
			t.Rows = append(t.Rows, row)
		}
		_, mse, _ := r.last(validMSE)
		_, perplexity, _ := r.last(validPerplexity)
		t.Rows[i].Runs = append(t.Rows[i].Runs, SpeechRun{r.Dir, r.Speech.Train.Seed, mse, perplexity})
	}
	for i := range t.Rows {
		row := &t.Rows[i]
		slices.SortStableFunc(row.Runs, func(a, b SpeechRun) int { return cmp.Compare(a.Seed, b.Seed) })
		row.MSE = score(row.Runs, func(r SpeechRun) float64 { return r.MSE })
		row.Perplexity = score(row.Runs, func(r SpeechRun) float64 { return r.Perplexity })
	}
	slices.SortStableFunc(t.Rows, func(a, b SpeechRow) int {
		return cmp.Or(cmp.Compare(a.Corpus, b.Corpus), cmp.Compare(a.SplitHash, b.SplitHash), cmp.Compare(rank(a.Kind), rank(b.Kind)),
			cmp.Compare(a.Budget.Steps, b.Budget.Steps))
	})
	t.Notes = notes(t.Rows)
	return t
}

func rank(kind model.QuantizerKind) int {
	for i, m := range speechModels {
		if m.kind == kind {
			return i
		}
	}
	return len(speechModels)
}

func rowOf(r *Run) SpeechRow {
	c := r.Speech
	row := SpeechRow{
		Model: string(c.Model.Quantizer.Kind), Kind: c.Model.Quantizer.Kind, Corpus: c.Metadata[recipes.CorpusKey], SplitHash: c.Metadata[recipes.SplitHashKey],
		Budget: Budget{
			Steps: c.Train.MaxSteps, BatchSize: c.Train.BatchSize, Channels: c.Model.Net.Channels,
			CodebookSize: c.Model.Quantizer.CodebookSize, CodebookDim: c.Model.Quantizer.CodebookDim,
		},
		settings: speechSettings(c),
	}
	if i := rank(row.Kind); i < len(speechModels) {
		row.Model, row.Published = speechModels[i].name, speechModels[i].published
	}
	return row
}

// speechSettings adds to the sections of the recipe what they leave open: who
// speaks, and how much. The speakers are rows of the model and, with the splits,
// say what it was trained on. Metadata are compared by corpus and split hash alone
// (alike): the rest describes the run, or repeats its configuration. So is
// data.target_speakers_from left out, which drops speakers after the last step.
func speechSettings(c *train.RunConfig) settings {
	s := settingsOf(map[string]any{"features": c.Model.Features, "model": c.Model.Net, "quantizer": c.Model.Quantizer, "train": c.Train})
	s.forgetUnread(c.Model.Quantizer, true, c.Model.Quantizer.Kind.Gaussian())
	names := sha256.Sum256([]byte(strings.Join(c.Model.Speakers, "\n")))
	s["speakers"] = fmt.Sprintf("%d (hash %x)", len(c.Model.Speakers), names[:4])
	s["training_utterances"], s["holdout_utterances"], s["valid_utterances"] = fmt.Sprint(c.Training), fmt.Sprint(c.Holdout), fmt.Sprint(c.Valid)
	// The split hash is that of the whole corpus, whichever split plays which part.
	if text, ok := c.Metadata[recipes.RecipeKey]; ok {
		if r, err := recipes.Parse(recipes.RecipeKey, []byte(text)); err == nil {
			s["data.train"], s["data.valid"], s["data.holdout"] = fmt.Sprint(r.Data.Train), fmt.Sprint(r.Data.Valid), fmt.Sprint(r.Data.Holdout)
		}
	}
	return s
}

func (r SpeechRow) alike(other SpeechRow) bool {
	return r.Corpus == other.Corpus && r.SplitHash != "" && r.SplitHash == other.SplitHash && maps.Equal(r.settings, other.settings)
}

func (r SpeechRow) given() settings { return r.settings }

// kin: the quantiser and its loss make the model, and another corpus has other
// splits and speakers.
func (r SpeechRow) kin(key string) string {
	section, _, inside := strings.Cut(key, ".")
	switch {
	case section == "quantizer", key == "train.recon":
		return fmt.Sprint(r.Kind.Gaussian())
	case section == "data", !inside:
		return r.Corpus + " " + r.SplitHash
	}
	return ""
}

// score is the mean and the sample standard deviation.
func score[R any](runs []R, of func(R) float64) Score {
	n := float64(len(runs))
	var s Score
	for _, r := range runs {
		s.Mean += of(r) / n
	}
	for _, r := range runs {
		d := of(r) - s.Mean
		s.Std += d * d
	}
	s.Std = math.Sqrt(s.Std / (n - 1))
	return s
}

// notes says in which respects rows are not alike, and where a seed counts twice.
func notes(rows []SpeechRow) []string {
	notes := []string{}
	differ := func(what string, of func(SpeechRow) string) { notes = append(notes, differences(rows, what, of)...) }
	differ("the corpus", func(r SpeechRow) string { return cmp.Or(r.Corpus, "not recorded") })
	differ("the split hash", func(r SpeechRow) string { return cmp.Or(r.SplitHash, "not recorded") })
	if len(rows) > 1 && !slices.ContainsFunc(rows, func(r SpeechRow) bool { return r.SplitHash != "" }) {
		notes = append(notes, "rows cannot be compared: the split hash is not recorded")
	}
	differ("the number of steps", func(r SpeechRow) string { return fmt.Sprint(r.Budget.Steps) })
	differ("the batch size", func(r SpeechRow) string { return fmt.Sprint(r.Budget.BatchSize) })
	differ("the width", func(r SpeechRow) string { return fmt.Sprint(r.Budget.Channels) })
	differ("the codebook", func(r SpeechRow) string { return r.codebook() })
	notes = append(notes, unlike(rows, "train.max_steps", "train.batch_size", "model.channels",
		"quantizer.kind", "quantizer.codebook_size", "quantizer.codebook_dim")...)
	differ("the number of seeds", func(r SpeechRow) string { return fmt.Sprint(len(r.Runs)) })
	for _, row := range rows {
		for i, r := range row.Runs {
			if i > 0 && r.Seed == row.Runs[i-1].Seed {
				notes = append(notes, countsTwice(row.Model, r.Seed, row.Runs[i-1].Run, r.Run))
			}
		}
	}
	return notes
}

func countsTwice(row string, seed uint64, first, second string) string {
	return fmt.Sprintf("%s: seed %d counts twice: %s and %s", row, seed, first, second)
}

func (r SpeechRow) codebook() string {
	return fmt.Sprintf("%d × %d", r.Budget.CodebookSize, r.Budget.CodebookDim)
}

// WriteMarkdown writes the table with its notes.
func (t SpeechTable) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| model | MSE (dB²) | perplexity | seeds | steps | batch | width | codebook | corpus | split hash | paper: VCTK | paper: ZeroSpeech 2019 |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range t.Rows {
		seeds := make([]string, len(r.Runs))
		for i, run := range r.Runs {
			seeds[i] = fmt.Sprint(run.Seed)
		}
		vctk, zero := "–", "–"
		if r.Published != nil {
			vctk, zero = r.Published.VCTK.text(2), r.Published.ZeroSpeech.text(2)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d | %d | %s | %s | %s | %s | %s |\n", r.Model, r.MSE.text(len(r.Runs)),
			r.Perplexity.text(len(r.Runs)), strings.Join(seeds, ", "), r.Budget.Steps, r.Budget.BatchSize, r.Budget.Channels, r.codebook(),
			cmp.Or(r.Corpus, "?"), cmp.Or(r.SplitHash, "?"), vctk, zero)
	}
	if len(t.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// text leaves the deviation of a single seed out.
func (s Score) text(seeds int) string {
	if seeds < 2 {
		return fmt.Sprintf("%.2f", s.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", s.Mean, s.Std)
}
