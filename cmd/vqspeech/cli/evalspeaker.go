package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/features/metric"
	"vqspeech/internal/bootstrap"
	"vqspeech/internal/simd"
	"vqspeech/recipes/corpus"
)

type speakerOptions struct {
	data, split, target string
	train               []string
	json                bool
}

// voiceReport is the JSON object of eval speaker.
type voiceReport struct {
	Metric      string           `json:"metric"`
	Convention  string           `json:"convention"`
	Training    corpusPart       `json:"training"`
	Recordings  int              `json:"recordings"`
	Conversions int              `json:"conversions"`
	Failed      int              `json:"failed"`
	Seconds     float64          `json:"seconds"`
	Scores      map[string]score `json:"scores"`
	Confusions  []confusion      `json:"confusions"`
	Judgements  []judgement      `json:"judgements"`
	Failures    []failReport     `json:"failures"`
}

// corpusPart says what a classifier learned from.
type corpusPart struct {
	Splits     []string `json:"splits"`
	Utterances int      `json:"utterances"`
	Speakers   int      `json:"speakers"`
	Seconds    float64  `json:"seconds"`
}

// confusion counts the recordings that were taken for another speaker.
type confusion struct {
	Target     string `json:"target"`
	Recognised string `json:"recognised"`
	Count      int    `json:"count"`
}

// judgement is what a recording was taken for.
type judgement struct {
	File       string  `json:"file"`
	Source     string  `json:"source"` // empty: not known
	Target     string  `json:"target"`
	Recognised string  `json:"recognised"`
	Similarity float64 `json:"similarity"` // to the target (nats a frame)

	trials []float64 // similarity to every speaker
	target int       // its index
}

// conversion reports whether the recording was to change voices.
func (j *judgement) conversion() bool { return j.Source != "" && j.Source != j.Target }

func (a *app) evalSpeakerCmd() *cobra.Command {
	var o speakerOptions
	cmd := &cobra.Command{
		Use:   "speaker --data DIR [IN...]",
		Short: "Whose voice recordings are taken for",
		Long: `Speaker trains a classifier on the recordings of a corpus (prepared with --audio)
and prints whose voice each recording IN is taken for, and in how many cases that
is the target and the source. IN is a WAV or FLAC file, or a folder of them and of
folders; without IN it is a split of the corpus.

Source and target come from the name, as convert gives it: UTTERANCE-to-ID.wav is
an utterance of the corpus, whose speaker is the source, as speaker ID; with
--target all are to be that speaker. UTTERANCE.wav alone is to be the speaker of
the utterance.

The classifier (` + metric.SpeakerConvention + `) has a Gaussian mixture for every speaker, over cepstra
and pitch of loud frames. A trial is a recording and a speaker; its score, the
similarity, is the log-likelihood of the speaker less that of all others together
(nats a frame). The equal error rate is over all trials of the recordings: the
targets are those with the target, the others those with each other speaker.

Every figure comes with its 95 % bootstrap interval over the recordings (1000
resamples, always the same). A recording that cannot be judged (it has no target,
or one that the classifier does not know; it is broken, empty or has less than
0.1 s of speech) is reported, counted and makes the exit status 1; it never enters
a score. So does a recording that cannot be learned from.

With --json it is {"metric": "speaker", "convention", "training": {"splits",
"utterances", "speakers", "seconds"}, "recordings", "conversions" (of them, to
another than the source), "failed", "seconds", "scores", "confusions": [{"target",
"recognised", "count"}, ...], "judgements": [{"file", "source", "target",
"recognised", "similarity"}, ...], "failures": [{"file", "error"}, ...]}, where
scores has {"value", "low", "high"}, each a number or null, under
"target_recognised", "source_recognised" (of the conversions), "similarity" and
"eer".`,
		Example: `  vqspeech convert talks/*.flac --to 1088 -o out/
  vqspeech eval speaker --data data/libri out/
  vqspeech eval speaker --data data/libri --split valid`,
		Args: func(_ *cobra.Command, args []string) error {
			if o.data == "" {
				return usagef("--data is missing, want a folder that prepare made with --audio")
			}
			if len(args) == 0 && o.target != "" {
				return usagef("--target is for recordings, a split has its own speakers")
			}
			return nil
		},
		RunE: a.verb(func(cmd *cobra.Command, args []string) error { return a.evalSpeaker(cmd, args, o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder that prepare made with --audio")
	f.StringSliceVar(&o.train, "train", []string{"train"}, "splits to train the classifier on")
	f.StringVar(&o.split, "split", "valid", "split to judge, where there is no IN")
	f.StringVar(&o.target, "target", "", "speaker that all recordings are to be")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (a *app) evalSpeaker(cmd *cobra.Command, args []string, o speakerOptions) error {
	c, err := openCorpus(o.data)
	if err != nil {
		return err
	}
	known, err := c.Speakers(o.train...)
	if err != nil {
		return err
	}
	claims := claimant{target: o.target, known: known, sources: map[string]string{}}
	if o.target != "" && !slices.Contains(known, o.target) {
		return claims.unknown(o.target)
	}
	for _, u := range c.Utterances {
		claims.sources[u.ID] = u.Speaker
	}
	jobs, err := claims.jobs(c, args, o.split)
	if err != nil {
		return err
	}
	failed := failures{w: a.stderr}
	r := voiceReport{
		Metric: "speaker", Convention: metric.SpeakerConvention, Scores: map[string]score{},
		Confusions: []confusion{}, Judgements: []judgement{}, Failures: []failReport{},
	}
	fail := func(file string, err error) {
		failed.add(err)
		r.Failures = append(r.Failures, failReport{File: file, Error: err.Error()})
	}
	classifier, total, err := a.trainSpeakers(cmd, c, o.train, &r.Training, fail)
	if err != nil {
		return err
	}
	if err := a.judge(cmd, classifier, jobs, &r, fail); err != nil {
		return err
	}
	r.Failed = failed.count
	rows := r.score()
	if o.json {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else if r.Recordings > 0 {
		for _, j := range r.Judgements {
			line := j.File + " → " + j.Recognised
			if j.Recognised != j.Target {
				line += ", want " + j.Target
			}
			fmt.Fprintln(cmd.OutOrStdout(), line)
		}
		err = table(cmd.OutOrStdout(), rows...)
	}
	if err != nil {
		return err
	}
	return failed.result(total + len(jobs))
}

// A claim is a recording and whose voice it is to have; err says why it is none.
type claim struct {
	judgement
	load func() (*audio.Clip, error)
	err  error
}

// A claimant tells source and target by the name of a recording.
type claimant struct {
	target  string            // of all, if not empty
	known   []string          // speakers of the classifier
	sources map[string]string // the speaker of an utterance, by its id
}

func (c *claimant) unknown(id string) error {
	return fmt.Errorf("speaker %q is not one of those to train on: %s", id, strings.Join(c.known, ", "))
}

// jobs returns the recordings to judge: files, those in folders, or a split.
func (c *claimant) jobs(from *corpus.Corpus, inputs []string, split string) ([]claim, error) {
	var jobs []claim
	if len(inputs) == 0 {
		idx, err := from.Select(split)
		if err != nil {
			return nil, err
		}
		for _, i := range idx {
			jobs = append(jobs, c.claim(audioOf(from, i), func() (*audio.Clip, error) { return clipOf(from, i) }))
		}
		return jobs, nil
	}
	for _, in := range inputs {
		if in == "" || in == "-" {
			return nil, usagef("want the name of a file or a folder")
		}
		files := []string{in}
		if isFolder(in) {
			found, err := recordings(in)
			if err != nil {
				return nil, err
			}
			files = nil
			for _, same := range found {
				files = append(files, same...)
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("%s: no recordings (.wav, .flac) in the folder", in)
			}
			slices.Sort(files)
		}
		for _, file := range files {
			jobs = append(jobs, c.claim(file, func() (*audio.Clip, error) { return audio.Load(file) }))
		}
	}
	return jobs, nil
}

func (c *claimant) claim(file string, load func() (*audio.Clip, error)) claim {
	name := filepath.Base(file)
	if _, ok := c.sources[name]; !ok { // an id may have a point in it
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	j := claim{load: load, judgement: judgement{File: file, Source: c.sources[name]}}
	j.Target = cmp.Or(c.target, j.Source)
	if j.Source == "" { // then it is no utterance itself
		for at := range name {
			to, ok := strings.CutPrefix(name[at:], "-to-")
			if ok && c.sources[name[:at]] != "" {
				j.Source = c.sources[name[:at]]
				j.Target = cmp.Or(c.target, c.speaker(to), to)
				break
			}
		}
	}
	switch {
	case j.Target == "":
		j.err = errors.New("the name has no target, want UTTERANCE-to-ID or UTTERANCE of the corpus, or --target")
	case !slices.Contains(c.known, j.Target):
		j.err = c.unknown(j.Target)
	}
	return j
}

// speaker returns the id that convert writes so into a name, or "".
func (c *claimant) speaker(name string) string {
	for _, id := range c.known {
		if fileName(id) == name {
			return id
		}
	}
	return ""
}

// audioOf names the recording of an utterance of a corpus; clipOf loads it.
func audioOf(c *corpus.Corpus, i int) string {
	return filepath.Join(c.Dir, filepath.FromSlash(c.Utterances[i].Audio))
}

func clipOf(c *corpus.Corpus, i int) (*audio.Clip, error) {
	samples, err := c.Samples(i)
	return &audio.Clip{Samples: samples, SampleRate: c.Utterances[i].SampleRate}, err
}

// trainSpeakers trains a classifier on splits of a corpus, says in part on what,
// and returns the number of utterances that it should have been trained on.
func (a *app) trainSpeakers(cmd *cobra.Command, c *corpus.Corpus, splits []string, part *corpusPart,
	fail func(string, error),
) (*metric.SpeakerClassifier, int, error) {
	idx, err := c.Select(splits...)
	if err != nil {
		return nil, 0, err
	}
	for _, i := range idx {
		if c.Utterances[i].Audio == "" {
			_, err := c.Samples(i)
			return nil, 0, err // one for all that were prepared without audio
		}
	}
	voices, errs, err := a.voices(cmd, "train classifier", len(idx), func(i int) (*audio.Clip, error) { return clipOf(c, idx[i]) })
	if err != nil {
		return nil, 0, err
	}
	bySpeaker := map[string][]metric.Voice{}
	for k, i := range idx {
		u := c.Utterances[i]
		all := bySpeaker[u.Speaker]
		if errs[k] != nil {
			file := audioOf(c, i)
			fail(file, named(file, errs[k]))
		} else {
			all = append(all, voices[k])
			part.Utterances++
			part.Seconds += u.Seconds
		}
		bySpeaker[u.Speaker] = all // even if there are none: then the speaker is missed
	}
	part.Splits, part.Speakers = splits, len(bySpeaker)
	classifier, err := metric.TrainSpeakers(bySpeaker)
	return classifier, len(idx), named(c.Dir, err)
}

// judge fills in what the recordings are taken for.
func (a *app) judge(cmd *cobra.Command, classifier *metric.SpeakerClassifier, jobs []claim, r *voiceReport, fail func(string, error)) error {
	speakers := classifier.Speakers()
	seconds := make([]float64, len(jobs))
	voices, errs, err := a.voices(cmd, "eval speaker", len(jobs), func(i int) (*audio.Clip, error) {
		if jobs[i].err != nil {
			return nil, jobs[i].err
		}
		clip, err := jobs[i].load()
		if err == nil {
			seconds[i] = clip.Seconds()
		}
		return clip, err
	})
	if err != nil {
		return err
	}
	judged := make([]judgement, len(jobs))
	simd.Parallel(len(jobs), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if errs[i] != nil {
				continue
			}
			j := jobs[i].judgement
			l := classifier.LogLikelihoods(voices[i])
			best := 0
			for p := range l {
				if l[p] > l[best] {
					best = p
				}
			}
			j.target, _ = slices.BinarySearch(speakers, j.Target)
			j.trials = metric.Similarities(l)
			j.Recognised, j.Similarity = speakers[best], j.trials[j.target]
			judged[i] = j
		}
	})
	for i, j := range judged {
		if errs[i] != nil {
			fail(jobs[i].File, named(jobs[i].File, errs[i]))
			continue
		}
		r.Judgements = append(r.Judgements, j)
		r.Recordings++
		r.Seconds += seconds[i]
		if j.conversion() {
			r.Conversions++
		}
	}
	return nil
}

// voices loads n recordings and takes what tells their speakers apart, several
// at a time; errs has what is wrong with each.
func (a *app) voices(cmd *cobra.Command, what string, n int, load func(i int) (*audio.Clip, error)) (voices []metric.Voice, errs []error, err error) {
	voices, errs = make([]metric.Voice, n), make([]error, n)
	bar := newMeter(a.stderr, what, n)
	defer bar.finish()
	var mu sync.Mutex
	done := 0
	simd.Parallel(n, 1, func(lo, hi int) {
		for i := lo; i < hi && cmd.Context().Err() == nil; i++ {
			var clip *audio.Clip
			if clip, errs[i] = load(i); errs[i] == nil {
				voices[i], errs[i] = metric.NewVoice(clip.Samples, clip.SampleRate)
			}
			mu.Lock()
			done++
			bar.set(done, n)
			mu.Unlock()
		}
	})
	return voices, errs, cmd.Context().Err()
}

// speakerFigures are what speakerStatistics returns.
var speakerFigures = []pairFigure{
	{key: "target_recognised", label: "target recognised", format: "%.1f", unit: "%", scale: 100},
	{key: "source_recognised", label: "source recognised", format: "%.1f", unit: "%", scale: 100},
	{key: "similarity", label: "similarity", format: "%.2f", unit: "nats a frame"},
	{key: "eer", label: "equal error rate", format: "%.1f", unit: "%", scale: 100},
}

func speakerStatistics(sample []*judgement) []float64 {
	var target, source, similarity, conversions float64
	var targets, others []float64
	for _, j := range sample {
		if j.Recognised == j.Target {
			target++
		}
		if j.conversion() {
			conversions++
			if j.Recognised == j.Source {
				source++
			}
		}
		similarity += j.Similarity
		for p, s := range j.trials {
			if p == j.target {
				targets = append(targets, s)
			} else {
				others = append(others, s)
			}
		}
	}
	n := float64(len(sample))
	return []float64{target / n, source / conversions, similarity / n, metric.EqualErrorRate(targets, others)}
}

// score fills in the figures and returns the rows of their table.
func (r *voiceReport) score() (rows []string) {
	all := make([]*judgement, len(r.Judgements))
	trials := 0
	counts := map[confusion]int{}
	for i := range all {
		j := &r.Judgements[i]
		all[i] = j
		trials += len(j.trials)
		if j.Recognised != j.Target {
			counts[confusion{Target: j.Target, Recognised: j.Recognised}]++
		}
	}
	for c, n := range counts {
		c.Count = n
		r.Confusions = append(r.Confusions, c)
	}
	slices.SortFunc(r.Confusions, func(a, b confusion) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Recognised, b.Recognised))
	})
	value := speakerStatistics(all)
	sampled := make([]*judgement, len(all))
	low, high := bootstrap.Intervals(len(all), func(sample []int) []float64 {
		for i, k := range sample {
			sampled[i] = all[k]
		}
		return speakerStatistics(sampled)
	})
	for i, f := range speakerFigures {
		r.Scores[f.key] = score{Value: number(value[i]), Low: number(low[i]), High: number(high[i])}
		if !math.IsNaN(value[i]) {
			rows = append(rows, f.label, f.row(value[i], low[i], high[i]))
		}
	}
	var confused []string
	for _, c := range r.Confusions {
		confused = append(confused, fmt.Sprintf("%d × %s as %s", c.Count, c.Target, c.Recognised))
	}
	if len(confused) > 0 {
		rows = append(rows, "confused", strings.Join(confused, ", "))
	}
	return append(rows,
		"trials", fmt.Sprintf("%d with the target, %d with each other speaker", len(all), trials-len(all)),
		"convention", r.Convention,
		"trained on", fmt.Sprintf("%d utterances, %d speakers, %.1f min, split %s",
			r.Training.Utterances, r.Training.Speakers, r.Training.Seconds/60, strings.Join(r.Training.Splits, ", ")),
		"measured on", fmt.Sprintf("%d recordings, %d conversions, %.1f min", r.Recordings, r.Conversions, r.Seconds/60))
}
