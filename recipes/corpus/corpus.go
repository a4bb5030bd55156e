package corpus

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/strict"
)

// Corpus is a prepared folder. Its methods may be called from several
// goroutines.
type Corpus struct {
	Dir        string
	Info       Info
	Utterances []Utterance // sorted by id
}

// Open reads the manifest of a folder that Prepare finished.
func Open(dir string) (*Corpus, error) {
	path := filepath.Join(dir, infoFile)
	data, err := strict.ReadFile(path, 64<<20)
	if err != nil {
		return nil, err
	}
	c := &Corpus{Dir: dir}
	if err := strict.JSON(data, &c.Info); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Info.Version != version {
		return nil, fmt.Errorf("%s: version is %d, want %d", path, c.Info.Version, version)
	}
	if m := c.Info.Features.NMels; m < 1 || m > 512 {
		return nil, fmt.Errorf("%s: n_mels is %d, want between 1 and 512", path, m)
	}
	path = filepath.Join(dir, manifestFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if c.Utterances, err = readManifest(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	slices.SortFunc(c.Utterances, func(a, b Utterance) int { return strings.Compare(a.ID, b.ID) })
	hash := SplitHash(c.Utterances)
	if c.Info.SplitHash == "" {
		c.Info.SplitHash = hash
	}
	if c.Info.SplitHash != hash {
		return nil, fmt.Errorf("%s: split hash is %s, want %s as in %s", path, hash, c.Info.SplitHash, infoFile)
	}
	return c, nil
}

// Splits returns the names of the splits, sorted.
func (c *Corpus) Splits() []string { return slices.Sorted(maps.Keys(c.Info.Splits)) }

// Select returns the indices of the utterances of the named splits, in order.
// A split that the corpus has not is an error that lists those it has.
func (c *Corpus) Select(splits ...string) ([]int, error) {
	for _, s := range splits {
		if _, ok := c.Info.Splits[s]; !ok {
			return nil, fmt.Errorf("%s: no split %q, the corpus has %s", c.Dir, s, strings.Join(c.Splits(), ", "))
		}
	}
	var idx []int
	for i, u := range c.Utterances {
		if slices.Contains(splits, u.Split) {
			idx = append(idx, i)
		}
	}
	return idx, nil
}

// Speakers returns the speakers of the named splits, sorted lexicographically,
// which is the order of the rows of a decoder (bshall/ZeroSpeech).
func (c *Corpus) Speakers(splits ...string) ([]string, error) {
	idx, err := c.Select(splits...)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range idx {
		ids = append(ids, c.Utterances[i].Speaker)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// CheckFeatures reports whether the corpus was prepared for the features of a
// model or recipe, whatever the front end.
func (c *Corpus) CheckFeatures(cfg features.Config) error {
	if d := c.Info.Features.diff(GeometryOf(cfg)); d != "" {
		return fmt.Errorf("%s: the corpus was prepared with other features: %s", c.Dir, d)
	}
	return nil
}

// diff names the fields in which g differs from what is wanted.
func (g Geometry) diff(want Geometry) string {
	var d []string
	a, b := reflect.ValueOf(g), reflect.ValueOf(want)
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); x != y {
			d = append(d, fmt.Sprintf("%s %v (want %v)", a.Type().Field(i).Tag.Get("json"), x, y))
		}
	}
	return strings.Join(d, ", ")
}

// Mel returns the raw-level log-mel (dB re 1.0) of utterance i, time-major:
// mel [T, M] float32.
func (c *Corpus) Mel(i int) ([]float32, error) {
	u := c.Utterances[i]
	path := filepath.Join(c.Dir, filepath.FromSlash(u.Mel))
	mel, err := readMel(path, u.Frames, c.Info.Features.NMels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	return mel, nil
}

// Samples returns the audio of utterance i, at the rate of the features: [S]
// float32. It fails if the corpus was prepared without audio.
func (c *Corpus) Samples(i int) ([]float32, error) {
	u := c.Utterances[i]
	if u.Audio == "" {
		return nil, fmt.Errorf("%s: prepared without audio, want it prepared with --audio", c.Dir)
	}
	path := filepath.Join(c.Dir, filepath.FromSlash(u.Audio))
	clip, err := audio.Load(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	if clip.SampleRate != u.SampleRate || int64(len(clip.Samples)) != u.Samples {
		return nil, fmt.Errorf("%s: %d samples at %d Hz, want %d at %d Hz", path, len(clip.Samples), clip.SampleRate, u.Samples, u.SampleRate)
	}
	return clip.Samples, nil
}

// Level returns what makes features of the raw level of utterance i under the
// front end of cfg.
func (c *Corpus) Level(i int, cfg features.Config) features.Level {
	if cfg.FrontEnd == features.Stream {
		return cfg.StreamLevel()
	}
	return cfg.ReferenceLevel(c.Utterances[i].Peak, c.Utterances[i].MaxDB)
}
