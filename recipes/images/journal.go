package images

import "vqspeech/internal/journal"

// journalHead is the first line of what an unfinished Prepare leaves behind. A
// line follows for every finished block or split, in order: the last one of a
// split tells how far it is, and one that has tried no image begins it anew.
type journalHead struct {
	Version     int    `json:"version"`
	Corpus      string `json:"corpus"`
	Fingerprint string `json:"fingerprint"`
}

// journalEntry is the state of a split after a block.
type journalEntry struct {
	Split  string     `json:"split"`
	Tried  int        `json:"tried"`  // images of the source, from the first
	Failed []badImage `json:"failed"` // of this block
	Done   *SplitInfo `json:"done,omitempty"`
	past   []badImage // of all blocks
}

// badImage is an image that could not be read.
type badImage struct {
	Index int    `json:"index"` // in its split
	Error string `json:"error"`
}

// maxLine bounds a line; the longest has about 100 bytes for every image of a
// split that cannot be read.
const maxLine = 256 << 20

// readJournal returns the head and the last state of every split; both are
// empty if there is none.
func readJournal(path string) (head journalHead, splits map[string]journalEntry, err error) {
	head, entries, err := journal.Read[journalHead, journalEntry](path, maxLine)
	splits = map[string]journalEntry{}
	for _, e := range entries {
		e.past = e.Failed
		if e.Tried > 0 {
			e.past = append(splits[e.Split].past, e.Failed...)
		}
		splits[e.Split] = e
	}
	return head, splits, err
}

// startJournal begins a journal with what is kept of an earlier one.
func startJournal(path string, head journalHead, kept []journalEntry) (*journal.Journal, error) {
	for i := range kept {
		kept[i].Failed = kept[i].past
	}
	return journal.Start(path, head, kept)
}
