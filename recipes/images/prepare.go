package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"vqspeech/internal/atomicfile"
	"vqspeech/internal/journal"
	"vqspeech/internal/npy"
	"vqspeech/internal/strict"
)

// Options of Prepare.
type Options struct {
	Progress func(Progress) // called after every block of images, from one goroutine; may be nil
}

// Progress counts the images of a running Prepare.
type Progress struct {
	Total, Done, Failed int // Done includes those found finished, but not Failed
}

// Failure is an image that could not be read, and why.
type Failure struct {
	Path string
	Err  error
}

// Report says what Prepare did.
type Report struct {
	Info     Info
	Computed int       // images
	Reused   int       // images found finished
	Failed   []Failure // in the order of the corpus
}

// blockBytes is how much is made between two entries of the journal: about a
// second of JPEG files.
const blockBytes = 4 << 20

// Prepare reads every image of src, several at a time, and writes the folder
// dst. Images that cannot be read are left out and listed in the report; they
// are not an error, and a later Prepare tries them again. When ctx ends Prepare
// stops between blocks of images; running it again goes on from there. A folder
// that was prepared from other files of the same corpus is made anew.
func Prepare(ctx context.Context, src Source, dst string, o Options) (*Report, error) {
	if err := src.validate(); err != nil {
		return nil, err
	}
	mark, err := sum(strings.NewReader(fmt.Sprintln(src.Fingerprint, src.Height, src.Width, src.Channels, src.Classes)))
	if err != nil {
		return nil, err
	}
	p := &preparation{
		src: src, dst: dst, progress: o.Progress, head: journalHead{version, src.Corpus, mark},
		size: src.Height * src.Width * src.Channels,
		report: &Report{Info: Info{
			Version: version, Corpus: src.Corpus, Source: src.Kind, Fingerprint: mark,
			Height: src.Height, Width: src.Width, Channels: src.Channels, Classes: src.Classes, Splits: map[string]SplitInfo{},
		}},
	}
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
	err = p.run(ctx)
	if err = errors.Join(err, p.journal.Close()); err != nil {
		return nil, err
	}
	return p.report, p.finish()
}

type preparation struct {
	src      Source
	dst      string
	progress func(Progress)
	head     journalHead
	size     int // bytes of an image
	journal  *journal.Journal
	states   map[string]journalEntry // of the splits that an earlier run began
	report   *Report
}

func (p *preparation) path(file string) string { return filepath.Join(p.dst, file) }

// open finds what an earlier run finished.
func (p *preparation) open() error {
	if err := p.earlier(); err != nil {
		return err
	}
	if err := atomicfile.Sweep(p.dst); err != nil {
		return err
	}
	var kept []journalEntry
	for _, split := range p.src.Splits {
		e, ok := p.states[split.Name]
		if ok && e.Done != nil {
			if same, err := p.finished(split, *e.Done); err != nil {
				return err
			} else if !same {
				ok = false
			}
		}
		if !ok {
			delete(p.states, split.Name)
			continue
		}
		kept = append(kept, e)
	}
	var err error
	p.journal, err = startJournal(p.path(journalFile), p.head, kept)
	return err
}

// earlier sets p.states from the journal or from a finished folder. What was
// made from other files is forgotten; another corpus is an error.
func (p *preparation) earlier() error {
	path := p.path(journalFile)
	head, states, err := readJournal(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	if head == (journalHead{}) { // none, or killed before its first line
		states = map[string]journalEntry{}
		c, err := Open(p.dst)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			head = p.head
		case err != nil:
			return fmt.Errorf("%w: remove the file to prepare the folder anew", err)
		default:
			path = p.path(infoFile)
			head = journalHead{c.Info.Version, c.Info.Corpus, c.Info.Fingerprint}
			for name, s := range c.Info.Splits {
				if s.Failed == 0 {
					states[name] = journalEntry{Split: name, Tried: s.Images, Done: &s}
				}
			}
		}
	}
	if head.Corpus != p.head.Corpus {
		return fmt.Errorf("%s: the folder holds the corpus %q, not %q; use another folder", path, head.Corpus, p.head.Corpus)
	}
	p.states = states
	if head != p.head {
		p.states = map[string]journalEntry{}
	}
	return nil
}

// finished reports whether the files of a split are whole.
func (p *preparation) finished(split Split, s SplitInfo) (bool, error) {
	type file struct {
		name, hash string
		shape      []int
	}
	files := []file{{arrayFile(split.Name), s.SHA256, p.shape(s.Images)}}
	if split.Labels != nil {
		files = append(files, file{labelsFile(split.Name), s.LabelsSHA256, []int{s.Images}})
	}
	for _, f := range files {
		r, err := openArray(p.path(f.name), f.shape)
		if err != nil {
			return false, nil // it is made again
		}
		hash, err := sum(r)
		r.Close()
		if err != nil || hash != f.hash {
			return false, err
		}
	}
	return true, nil
}

func (p *preparation) shape(images int) []int {
	return []int{images, p.src.Height, p.src.Width, p.src.Channels}
}

func (p *preparation) run(ctx context.Context) error {
	for _, split := range p.src.Splits {
		e, begun := p.states[split.Name]
		if !begun {
			e = journalEntry{Split: split.Name}
		}
		if e.Done == nil {
			// A finished folder is one no more.
			if err := os.Remove(p.path(infoFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err := p.make(ctx, split, &e); err != nil {
				return err
			}
		} else {
			p.report.Reused += e.Done.Images
		}
		p.report.Info.Splits[split.Name] = *e.Done
		for _, b := range e.past {
			p.report.Failed = append(p.report.Failed, Failure{split.Path(b.Index), errors.New(b.Error)})
		}
		p.tell(0)
	}
	return nil
}

// make finishes a split from the state e on.
func (p *preparation) make(ctx context.Context, split Split, e *journalEntry) error {
	path := p.path(unfinishedFile(split.Name))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	room := int64(len(npy.Header[uint8](p.shape(split.N)))) // the same for any count, see below
	end := func() int64 { return room + int64(e.Tried-len(e.past))*int64(p.size) }
	if info, err := f.Stat(); err != nil {
		return err
	} else if e.Tried > 0 && (e.Tried > split.N || info.Size() < end()) {
		*e = journalEntry{Split: split.Name}
		if err := p.note(*e); err != nil {
			return err
		}
	}
	p.report.Reused += e.Tried - len(e.past)
	if err := f.Truncate(end()); err != nil {
		return err
	}
	for e.Tried < split.N {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(max(1, blockBytes/p.size), split.N-e.Tried)
		block, bad := p.read(split, e.Tried, n)
		if _, err := f.WriteAt(block, end()); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		e.Tried += n
		e.Failed, e.past = bad, append(e.past, bad...)
		if err := p.note(*e); err != nil {
			return err
		}
		p.report.Computed += n - len(bad)
		p.tell(len(e.past))
	}
	return p.complete(split, f, e, room)
}

// read returns the images [first, first+n) that can be read, in order, and
// what is wrong with the others.
func (p *preparation) read(split Split, first, n int) ([]uint8, []badImage) {
	block := make([]uint8, n*p.size)
	errs := make([]error, n)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				image := block[i*p.size : (i+1)*p.size]
				if errs[i] = split.Read(first+i, image); errs[i] == nil {
					errs[i] = checkLabels(image, p.src.Classes)
				}
			}
		})
	}
	workers.Wait()
	var bad []badImage
	kept := block[:0]
	for i, err := range errs {
		if err != nil {
			bad = append(bad, badImage{first + i, strict.Cause(err).Error()})
			continue
		}
		kept = append(kept, block[i*p.size:(i+1)*p.size]...)
	}
	return kept, bad
}

// complete gives the finished array its header and its name.
func (p *preparation) complete(split Split, f *os.File, e *journalEntry, room int64) error {
	s := SplitInfo{Images: e.Tried - len(e.past), Failed: len(e.past)}
	head := npy.Header[uint8](p.shape(s.Images))
	if int64(len(head)) != room {
		// Headers end at a multiple of 64, and four axes always take the second.
		return fmt.Errorf("%s: a header of %d bytes, want %d", f.Name(), len(head), room)
	}
	_, err := f.WriteAt(head, 0)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		s.SHA256, err = sum(f)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if split.Labels != nil {
		if s.LabelsSHA256, err = p.writeLabels(split, e.past); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), p.path(arrayFile(split.Name))); err != nil {
		return err
	}
	e.Failed, e.Done = nil, &s
	return p.note(*e)
}

// writeLabels writes the labels of the images that were kept.
func (p *preparation) writeLabels(split Split, bad []badImage) (hash string, err error) {
	out := map[int]bool{}
	for _, b := range bad {
		out[b.Index] = true
	}
	labels := make([]uint8, 0, len(split.Labels))
	for i, l := range split.Labels {
		if !out[i] {
			labels = append(labels, l)
		}
	}
	var file bytes.Buffer
	if err := npy.Write(&file, []int{len(labels)}, labels); err != nil {
		return "", err
	}
	if hash, err = sum(bytes.NewReader(file.Bytes())); err != nil {
		return "", err
	}
	return hash, atomicfile.WriteFile(p.path(labelsFile(split.Name)), file.Bytes())
}

// note makes an entry durable before what it tells of is built upon.
func (p *preparation) note(e journalEntry) error {
	if err := p.journal.Add(e); err != nil {
		return err
	}
	return p.journal.Sync()
}

// tell reports the progress; failed are those of a split that is not finished.
func (p *preparation) tell(failed int) {
	if p.progress == nil {
		return
	}
	total := 0
	for _, s := range p.src.Splits {
		total += s.N
	}
	p.progress(Progress{Total: total, Done: p.report.Computed + p.report.Reused, Failed: len(p.report.Failed) + failed})
}

// finish writes images.json and removes the journal, in this order: the folder
// is finished or resumable at every moment.
func (p *preparation) finish() error {
	if err := atomicfile.WriteJSON(p.path(infoFile), p.report.Info); err != nil {
		return err
	}
	return os.Remove(p.path(journalFile))
}
