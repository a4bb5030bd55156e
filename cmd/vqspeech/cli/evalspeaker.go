package cli

import (
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"vqspeech/audio"
	"vqspeech/features/metric"
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
		Args: func(cmd *cobra.Command, args []string) error {
			if o.data == "" {
				return usagef("--data is missing, want a folder that prepare made with --audio")
			}
			if len(args) == 0 && o.target != "" {
				return usagef("--target is for recordings, a split has its own speakers")
			}
			if len(args) > 0 && cmd.Flags().Changed("split") {
				return usagef("--split is judged where there is no IN")
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
