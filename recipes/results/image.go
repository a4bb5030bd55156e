package results

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"vqspeech/model/image"
	imagetrain "vqspeech/model/image/train"
)

// Values says what the values of images are to a model.
type Values string

const (
	Levels Values = "levels"    // levels of light
	Labels Values = "labels"    // class labels
	Greys  Values = "256 greys" // levels of grey as 256 classes
)

func valuesOf(c image.Config) Values {
	switch {
	case !c.Labels():
		return Levels
	case c.Net.Channels == 256:
		return Greys
	}
	return Labels
}

// Keys of imageMeasures, as in test.json.
const (
	mseKey        = "mse_x1000"
	pixelErrorKey = "pixel_error"
	miouKey       = "miou"
	perplexityKey = "batch_perplexity"
)

// An imageMeasure is a column of a table.
type imageMeasure struct {
	key, title string
	digits     int
	of         func(image.Evaluation) float64
	applies    func(image.Config) bool
}

var imageMeasures = []imageMeasure{
	{mseKey, "MSE × 10³", 2, func(e image.Evaluation) float64 { return e.MSE }, func(c image.Config) bool { return valuesOf(c) != Labels }},
	{pixelErrorKey, "pixel error (%)", 2, func(e image.Evaluation) float64 { return e.PixelError }, func(c image.Config) bool { return valuesOf(c) == Labels }},
	{miouKey, "mIoU (%)", 1, func(e image.Evaluation) float64 { return e.MeanIoU }, func(c image.Config) bool { return valuesOf(c) == Labels }},
	{perplexityKey, "perplexity of 32 images", 1, func(e image.Evaluation) float64 { return e.BatchPerplexity }, image.Config.Codes},
}

// ImageTable are tables 2, 4 and 5 from runs, and the like for other corpora.
type ImageTable struct {
	Groups []ImageGroup `json:"groups"`
}

// ImageGroup is a table of runs on the same images.
type ImageGroup struct {
	Corpus          string         `json:"corpus"`
	Values          Values         `json:"values"`
	SplitHash       string         `json:"split_hash"` // empty: not recorded
	Images          map[string]int `json:"images"`     // by train, valid and test
	PublishedTable  int            `json:"published_table,omitempty"`
	PublishedEpochs int            `json:"published_epochs,omitempty"`
	Rows            []ImageRow     `json:"rows"`
	Notes           []string       `json:"notes"` // why figures cannot be compared, if so
}

// ImageRow is a system, trained with one configuration.
type ImageRow struct {
	System    string           `json:"system"`
	Variant   string           `json:"variant,omitempty"` // what the name leaves open
	Model     image.Config     `json:"config"`
	Epochs    float64          `json:"epochs"`
	Steps     int              `json:"steps"`
	BatchSize int              `json:"batch_size"`
	Runs      []ImageResult    `json:"runs"` // by seed
	Scores    map[string]Score `json:"scores"`
	Published map[string]Score `json:"published,omitempty"`

	settings settings
}

// ImageResult is what one run got on its test set.
type ImageResult struct {
	Run  string           `json:"run"`
	Seed uint64           `json:"seed"`
	Test image.Evaluation `json:"test"`
	FID  map[string]FID   `json:"fid,omitempty"`
}

// Image makes tables of finished runs. Only runs on the same images and with the
// same configuration but for the seed are averaged.
func Image(runs []*ImageRun) ImageTable {
	t := ImageTable{Groups: []ImageGroup{}}
	for _, r := range runs {
		g := groupOf(r)
		i := slices.IndexFunc(t.Groups, g.alike)
		if i < 0 {
			i = len(t.Groups)
			t.Groups = append(t.Groups, g)
		}
		t.Groups[i].add(r)
	}
	slices.SortStableFunc(t.Groups, func(a, b ImageGroup) int {
		return cmp.Or(cmp.Compare(a.Corpus, b.Corpus), cmp.Compare(a.Values, b.Values), cmp.Compare(a.SplitHash, b.SplitHash))
	})
	for i := range t.Groups {
		t.Groups[i].finish()
	}
	return t
}

func groupOf(r *ImageRun) ImageGroup {
	c := r.Config
	return ImageGroup{
		Corpus: r.Corpus, Values: valuesOf(c.Model), SplitHash: r.SplitHash,
		Images: map[string]int{"train": c.Training, "valid": c.Valid, "test": c.Test},
	}
}

func (g ImageGroup) alike(other ImageGroup) bool {
	same := g.Corpus == other.Corpus && g.Values == other.Values && g.SplitHash != "" && g.SplitHash == other.SplitHash
	for part, n := range g.Images {
		same = same && other.Images[part] == n
	}
	return same
}

func (g *ImageGroup) add(r *ImageRun) {
	c := r.Config
	given := imageSettings(c)
	i := slices.IndexFunc(g.Rows, func(row ImageRow) bool { return maps.Equal(row.settings, given) })
	if i < 0 {
		i = len(g.Rows)
		row := ImageRow{
			Model: c.Model, Steps: c.MaxSteps(), Epochs: float64(c.MaxSteps()) / float64(c.StepsPerEpoch()), BatchSize: c.Train.BatchSize, settings: given,
		}
		row.System, row.Variant = systemOf(c.Model)
		g.Rows = append(g.Rows, row)
	}
	g.Rows[i].Runs = append(g.Rows[i].Runs, ImageResult{r.Dir, c.Train.Seed, r.Test, r.FID})
}

// imageSettings has the number of steps in place of what it is counted from, and
// only what the system reads.
func imageSettings(c imagetrain.RunConfig) settings {
	s := settingsOf(map[string]any{"model": c.Model.Net, "quantizer": c.Model.Quantizer, "decoder": c.Model.Decoder, "train": c.Train})
	delete(s, "train.epochs")
	s["train.max_steps"] = fmt.Sprint(c.MaxSteps())
	s.forgetUnread(c.Model.Quantizer.QuantizerConfig, c.Model.Codes(), c.Model.Gaussian() || c.Model.Quantizer.Kind == image.VMF)
	if c.Model.Decoder.Kind != image.VMFDecoder {
		s.forget("decoder.initial_spread")
	}
	return s
}

func (r ImageRow) given() settings { return r.settings }

// kin: the quantiser and the decoder make the system.
func (r ImageRow) kin(key string) string {
	if section, _, _ := strings.Cut(key, "."); section == "quantizer" || section == "decoder" {
		return r.name()
	}
	return ""
}

// finish averages, sorts and notes.
func (g *ImageGroup) finish() {
	g.Notes = []string{}
	published := publishedFor(g.Corpus, g.Values)
	if published != nil {
		g.PublishedTable, g.PublishedEpochs = published.table, published.epochs
	}
	for i := range g.Rows {
		row := &g.Rows[i]
		slices.SortStableFunc(row.Runs, func(a, b ImageResult) int { return cmp.Compare(a.Seed, b.Seed) })
		row.Scores = map[string]Score{}
		for _, m := range imageMeasures {
			if m.applies(row.Model) {
				row.Scores[m.key] = score(row.Runs, func(r ImageResult) float64 { return m.of(r.Test) })
			}
		}
		g.Notes = append(g.Notes, row.fids()...)
		if published != nil {
			row.Published = published.rows[row.System]
		}
	}
	place := func(r ImageRow) int {
		if i := slices.Index(systems, r.System); i >= 0 {
			return i
		}
		return len(systems)
	}
	slices.SortStableFunc(g.Rows, func(a, b ImageRow) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Model.Quantizer.InitialScale, b.Model.Quantizer.InitialScale),
			cmp.Compare(a.Model.Quantizer.CodebookSize, b.Model.Quantizer.CodebookSize), cmp.Compare(a.Model.Dim(), b.Model.Dim()), cmp.Compare(a.Steps, b.Steps))
	})
	g.note()
}

// note says in which respects rows are unlike each other and the paper.
func (g *ImageGroup) note() {
	differ := func(what string, of func(ImageRow) string) {
		g.Notes = append(g.Notes, differences(g.Rows, what, of)...)
	}
	differ("the number of steps", func(r ImageRow) string { return fmt.Sprint(r.Steps) })
	differ("the batch size", func(r ImageRow) string { return fmt.Sprint(r.BatchSize) })
	differ("the net", func(r ImageRow) string {
		return fmt.Sprintf("%s with %d blocks", r.Model.Net.Kind, r.Model.Net.ResBlocks)
	})
	differ("the learning rate", func(r ImageRow) string { return r.settings["train.learning_rate"] })
	var withCodes, without []ImageRow
	for _, r := range g.Rows {
		if r.Model.Codes() {
			withCodes = append(withCodes, r)
		} else {
			without = append(without, r)
		}
	}
	// By the dimension in the recipe: that vmf has one more makes it no other budget.
	g.Notes = append(g.Notes, differences(withCodes, "the codebook", func(r ImageRow) string {
		return fmt.Sprintf("%d × %d", r.Model.Quantizer.CodebookSize, r.Model.Quantizer.CodebookDim)
	})...)
	g.Notes = append(g.Notes, differences(without, "the latent dimension", func(r ImageRow) string { return fmt.Sprint(r.Model.Dim()) })...)
	g.Notes = append(g.Notes, unlike(g.Rows, "train.max_steps", "train.batch_size", "train.learning_rate", "model.kind", "model.res_blocks",
		"quantizer.kind", "quantizer.codebook_size", "quantizer.codebook_dim")...)
	differ("the number of seeds", func(r ImageRow) string { return fmt.Sprint(len(r.Runs)) })
	g.Notes = append(g.Notes, g.fidSizes()...)
	for _, row := range g.Rows {
		if g.PublishedEpochs > 0 && row.Epochs < float64(g.PublishedEpochs) {
			g.Notes = append(g.Notes, fmt.Sprintf("%s: %.4g of the %d epochs of the paper", row.name(), row.Epochs, g.PublishedEpochs))
		}
		if row.System == fixedVariance && row.Published != nil {
			g.Notes = append(g.Notes, fmt.Sprintf("%s: the variance of the paper is not known", row.name()))
		}
		for i, r := range row.Runs {
			if i > 0 && r.Seed == row.Runs[i-1].Seed {
				g.Notes = append(g.Notes, countsTwice(row.name(), r.Seed, row.Runs[i-1].Run, r.Run))
			}
		}
	}
}

func (r ImageRow) name() string {
	if r.Variant == "" {
		return r.System
	}
	return fmt.Sprintf("%s (%s)", r.System, r.Variant)
}

func (r ImageRow) codebook() string {
	if !r.Model.Codes() {
		return "–"
	}
	return fmt.Sprintf("%d × %d", r.Model.Quantizer.CodebookSize, r.Model.Dim())
}

// WriteMarkdown writes a table for each corpus, with its notes.
func (t ImageTable) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	for i, g := range t.Groups {
		if i > 0 {
			b.WriteString("\n")
		}
		g.markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g ImageGroup) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "%s, %s: %d images to train, %d to choose, %d to test; split hash %s", cmp.Or(g.Corpus, "corpus not recorded"), g.Values,
		g.Images["train"], g.Images["valid"], g.Images["test"], cmp.Or(g.SplitHash, "not recorded"))
	if g.PublishedTable > 0 {
		fmt.Fprintf(b, "; paper: table %d", g.PublishedTable)
	}
	b.WriteString("\n\n")
	var shown, fids []column
	for _, m := range imageMeasures {
		if slices.ContainsFunc(g.Rows, func(r ImageRow) bool { return m.applies(r.Model) }) {
			shown = append(shown, column{m.key, m.title, m.digits})
		}
	}
	for _, kind := range FIDKinds {
		if g.has(fidKey(kind)) {
			fids = append(fids, column{fidKey(kind), kind, 1})
		}
	}
	g.table(b, "system", shown, []string{"seeds", "epochs", "steps", "batch", "codebook"}, func(r ImageRow) string {
		seeds := make([]string, len(r.Runs))
		for i, run := range r.Runs {
			seeds[i] = fmt.Sprint(run.Seed)
		}
		return fmt.Sprintf(" %s | %.4g | %d | %d | %s |", strings.Join(seeds, ", "), r.Epochs, r.Steps, r.BatchSize, r.codebook())
	})
	if fids != nil {
		b.WriteString("\n")
		g.table(b, "FID of", fids, nil, func(ImageRow) string { return "" })
	}
	if len(g.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range g.Notes {
		fmt.Fprintf(b, "- %s\n", n)
	}
}

// A column shows a score.
type column struct {
	key, title string
	digits     int
}

// table writes a row for each system: scores, beside them what the paper reports,
// and further cells.
func (g ImageGroup) table(b *strings.Builder, first string, shown []column, further []string, cells func(ImageRow) string) {
	titles := []string{first}
	for _, c := range shown {
		titles = append(titles, c.title)
		if g.published(c.key) {
			titles = append(titles, "paper")
		}
	}
	titles = append(titles, further...)
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(titles, " | "), strings.Repeat("---|", len(titles)))
	for _, r := range g.Rows {
		fmt.Fprintf(b, "| %s |", r.name())
		for _, c := range shown {
			fmt.Fprintf(b, " %s |", c.text(r.Scores, len(r.Runs) > 1))
			if g.published(c.key) {
				fmt.Fprintf(b, " %s |", c.text(r.Published, true))
			}
		}
		fmt.Fprintf(b, "%s\n", cells(r))
	}
}

// text is the cell of a score, with its deviation if it is of several runs.
func (c column) text(scores map[string]Score, several bool) string {
	s, ok := scores[c.key]
	if !ok {
		return "–"
	}
	if !several {
		return fmt.Sprintf("%.*f", c.digits, s.Mean)
	}
	return fmt.Sprintf("%.*f ± %.*f", c.digits, s.Mean, c.digits, s.Std)
}

// has says whether a run or the paper has a measure of one of the rows.
func (g ImageGroup) has(key string) bool {
	return g.published(key) || slices.ContainsFunc(g.Rows, func(r ImageRow) bool {
		_, ok := r.Scores[key]
		return ok
	})
}

// published says whether the paper reports a measure of one of the rows.
func (g ImageGroup) published(key string) bool {
	return slices.ContainsFunc(g.Rows, func(r ImageRow) bool {
		_, ok := r.Published[key]
		return ok
	})
}
