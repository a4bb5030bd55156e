package corpus

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"vqspeech/audio"
	"vqspeech/features"
	"vqspeech/internal/atomicfile"
	"vqspeech/internal/journal"
	"vqspeech/internal/strict"
)

// Options of Prepare.
type Options struct {
	Features features.Config // its front end does not matter
	Audio    bool            // keep the samples too, for recipes that train a vocoder
	Progress func(Progress)  // called after every utterance, from one goroutine; may be nil
}

// Progress counts the utterances of a running Prepare.
type Progress struct {
	Total, Done, Failed int // Done includes those found finished, but not Failed
}

// Failure is an utterance that could not be prepared, and why.
type Failure struct {
	Path string // of the audio file; of the folder or list that is at fault
	Err  error
}

// Report says what Prepare did.
type Report struct {
	Info     Info
	Computed int       // utterances
	Reused   int       // utterances found finished
	Failed   []Failure // sorted by path; the faults of the source are among them
}

// Prepare computes the log-mel of every utterance of src, several at a time,
// and writes the folder dst. Files that cannot be read are left out and listed
// in the report; they are not an error. When ctx ends Prepare stops between
// utterances; running it again goes on from there.
func Prepare(ctx context.Context, src Source, dst string, o Options) (*Report, error) {
	if err := o.Features.Validate(); err != nil {
		return nil, err
	}
	if len(src.Items) == 0 {
		return nil, fmt.Errorf("%s: no utterances found", src.Root)
	}
	if err := checkItems(src.Items); err != nil {
		return nil, err
	}
	head := journalHead{Version: version, Corpus: src.Corpus, Features: GeometryOf(o.Features)}
	p := &preparation{src: src, dst: dst, cfg: o.Features, audio: o.Audio, head: head}
	if err := os.MkdirAll(p.dst, 0o777); err != nil {
		return nil, err
	}
	release, err := atomicfile.Hold(p.dst, "prepare")
	if err != nil {
		return nil, err
	}
	defer release()
	if err := p.open(); err != nil {
		return nil, err
	}
	err = p.run(ctx, o.Progress)
	if err = errors.Join(err, p.journal.Close()); err != nil {
		return nil, err
	}
	return p.finish()
}

type preparation struct {
	src     Source
	dst     string
	cfg     features.Config
	audio   bool
	head    journalHead
	journal *journal.Journal
	done    []Utterance
	todo    []Item
	reused  int
	failed  []Failure
}

// open makes the folders, finds what an earlier run finished, and sweeps up
// what it left half-written.
func (p *preparation) open() error {
	folders := []string{filepath.Join(p.dst, melFolder)}
	if p.audio {
		folders = append(folders, filepath.Join(p.dst, audioFolder))
	}
	for _, f := range folders {
		if err := os.MkdirAll(f, 0o777); err != nil {
			return err
		}
	}
	old, err := p.earlier()
	if err != nil {
		return err
	}
	for _, f := range append(folders, p.dst) {
		if err := atomicfile.Sweep(f); err != nil {
			return err
		}
	}
	for _, it := range p.src.Items {
		if u, ok := old[it.ID]; ok && p.finished(it, u) {
			u.Path, u.Speaker, u.Sex, u.Split = it.Path, it.Speaker, it.Sex, it.Split
			p.done = append(p.done, u)
		} else {
			p.todo = append(p.todo, it)
		}
	}
	p.reused = len(p.done)
	p.journal, err = journal.Start(filepath.Join(p.dst, journalFile), p.head, p.done)
	return err
}

// earlier returns the utterances that dst already lists, by id. A folder
// prepared from another corpus or with another geometry is an error.
func (p *preparation) earlier() (map[string]Utterance, error) {
	old := map[string]Utterance{}
	path := filepath.Join(p.dst, journalFile)
	head, us, err := readJournal(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	if head == (journalHead{}) { // none, or killed in its first line
		c, err := Open(p.dst)
		if errors.Is(err, fs.ErrNotExist) {
			return old, nil
		}
		if err != nil {
			return nil, err
		}
		head, us = journalHead{c.Info.Version, c.Info.Corpus, c.Info.Features}, c.Utterances
		path = filepath.Join(p.dst, infoFile)
	}
	if head.Corpus != p.head.Corpus {
		return nil, fmt.Errorf("%s: the folder holds the corpus %q, not %q; use another folder", path, head.Corpus, p.head.Corpus)
	}
	if d := head.Features.diff(p.head.Features); d != "" {
		return nil, fmt.Errorf("%s: the folder was prepared with other features: %s; use another folder", path, d)
	}
	for _, u := range us {
		old[u.ID] = u
	}
	return old, nil
}

// finished reports whether u is the complete result for the file of it.
func (p *preparation) finished(it Item, u Utterance) bool {
	from, err := os.Stat(filepath.Join(p.src.Root, filepath.FromSlash(it.Path)))
	if err != nil || from.Size() != u.Bytes || it.Segment != (audio.Range{Start: u.Start, Duration: u.Duration}) {
		return false
	}
	mel, err := os.Stat(filepath.Join(p.dst, filepath.FromSlash(u.Mel)))
	if err != nil || !mel.Mode().IsRegular() || mel.Size() != u.MelBytes {
		return false
	}
	if !p.audio {
		return true
	}
	kept, err := os.Stat(filepath.Join(p.dst, filepath.FromSlash(audioPath(it.ID))))
	return err == nil && kept.Mode().IsRegular() && u.Audio != ""
}

// run computes p.todo on all cores. What can go wrong with one audio file is
// collected; what goes wrong with dst ends the run.
func (p *preparation) run(ctx context.Context, progress func(Progress)) error {
	type result struct {
		u           Utterance
		item        Item
		bad, broken error // of the audio file; of dst
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	items := make(chan Item)
	results := make(chan result)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(1, len(p.todo))) {
		workers.Go(func() {
			for it := range items {
				u, mel, kept, bad := p.compute(it)
				r := result{u: u, item: it, bad: bad}
				if bad == nil {
					r.u.MelBytes, r.broken = writeMel(filepath.Join(p.dst, filepath.FromSlash(u.Mel)), mel, p.cfg.NMels)
				}
				if bad == nil && r.broken == nil && p.audio {
					r.u.Audio = audioPath(it.ID)
					clip := &audio.Clip{Samples: kept, SampleRate: p.cfg.SampleRate}
					path := filepath.Join(p.dst, filepath.FromSlash(r.u.Audio))
					if err := audio.Save(path, clip); err != nil {
						r.broken = fmt.Errorf("%s: %w", path, err)
					}
				}
				results <- r
			}
		})
	}
	go func() {
		defer close(results)
		defer workers.Wait()
		defer close(items)
		for _, it := range p.todo {
			select {
			case items <- it:
			case <-ctx.Done():
				return
			}
		}
	}()

	report := func() {
		if progress != nil {
			progress(Progress{Total: len(p.src.Items), Done: len(p.done), Failed: len(p.failed)})
		}
	}
	report()
	var broken error
	for r := range results {
		switch {
		case broken != nil:
		case r.broken != nil:
			broken = r.broken
		case r.bad != nil:
			p.failed = append(p.failed, Failure{filepath.Join(p.src.Root, filepath.FromSlash(r.item.Path)), r.bad})
		default:
			p.done = append(p.done, r.u)
			broken = p.journal.Add(r.u)
		}
		if broken != nil {
			stop()
			continue
		}
		report()
	}
	if broken != nil {
		return broken
	}
	return ctx.Err()
}

// finish writes manifest and corpus.json and removes the journal, in the order
// that leaves a resumable folder at every moment.
func (p *preparation) finish() (*Report, error) {
	slices.SortFunc(p.done, func(a, b Utterance) int { return strings.Compare(a.ID, b.ID) })
	p.failed = append(p.failed, p.src.Faults...)
	slices.SortFunc(p.failed, func(a, b Failure) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Err.Error(), b.Err.Error()))
	})
	report := &Report{
		Info:     infoFor(p.src.Corpus, p.src.Kind, p.head.Features, p.done),
		Computed: len(p.done) - p.reused, Reused: p.reused, Failed: p.failed,
	}
	var manifest bytes.Buffer
	enc := json.NewEncoder(&manifest)
	for _, u := range p.done {
		if err := enc.Encode(u); err != nil {
			return nil, err
		}
	}
	if err := atomicfile.WriteFile(filepath.Join(p.dst, manifestFile), manifest.Bytes()); err != nil {
		return nil, err
	}
	if err := atomicfile.WriteJSON(filepath.Join(p.dst, infoFile), report.Info); err != nil {
		return nil, err
	}
	return report, os.Remove(filepath.Join(p.dst, journalFile))
}
