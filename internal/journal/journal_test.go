package journal_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vqspeech/internal/journal"
)

type head struct {
	Version int `json:"version"`
}

type entry struct {
	ID string `json:"id"`
}

const maxLine = 1 << 10

func read(t *testing.T, text string) (head, []entry, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return journal.Read[head, entry](path, maxLine)
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if h, es, err := journal.Read[head, entry](path, maxLine); err != nil || h != (head{}) || es != nil {
		t.Errorf("of no file: %v, %v, %v", h, es, err)
	}
	j, err := journal.Start(path, head{3}, []entry{{"a"}, {"b"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []error{j.Add(entry{"c"}), j.Sync(), j.Add(entry{"d"}), j.Close()} {
		if step != nil {
			t.Error(step)
		}
	}
	h, es, err := journal.Read[head, entry](path, maxLine)
	if err != nil || h != (head{3}) {
		t.Errorf("head %v, %v", h, err)
	}
	if d := cmp.Diff([]entry{{"a"}, {"b"}, {"c"}, {"d"}}, es); d != "" {
		t.Error(d)
	}
}

// TestCut wants every whole entry before the first that is not, and no error.
func TestCut(t *testing.T) {
	const whole = `{"version":3}` + "\n" + `{"id":"a"}` + "\n" + `{"id":"b"}` + "\n"
	for i := range len(whole) + 1 {
		want := strings.Count(whole[:i], `"}`)
		h, es, err := read(t, whole[:i])
		if err != nil || len(es) != want || (h == head{3}) != (i >= len(`{"version":3}`)) {
			t.Errorf("first %d bytes: %v, %v, %v, want %d entries", i, h, es, err, want)
		}
	}
	zeros := strings.Repeat("\x00", 4*maxLine)
	for _, c := range []struct {
		text string
		want int
	}{{whole + zeros, 2}, {zeros + whole, 0}, {whole + "{}x\n" + `{"id":"c"}` + "\n", 2}, {"hello\n" + whole, 0}} {
		if h, es, err := read(t, c.text); err != nil || len(es) != c.want || (h == head{3}) != (c.want > 0) {
			t.Errorf("%.20q…: %v, %v, %v, want %d entries", c.text, h, es, err, c.want)
		}
	}
	if _, _, err := read(t, `{"corpus":"x"}`); err == nil {
		t.Error("a head of another kind: no error")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version":3}` + "\n" + `{"id":"a"}` + "\n"))
	f.Add([]byte(`{"version":3}` + "\n" + strings.Repeat("[", 3*maxLine)))
	f.Add([]byte("\n\n{}\n"))
	path := filepath.Join(f.TempDir(), "journal")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, es, err := journal.Read[head, entry](path, maxLine)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(64<<10+200*len(data)); got > most {
			t.Errorf("%d bytes allocated for a file of %d, want %d at most", got, len(data), most)
		}
		if err != nil {
			return
		}
		// What was read can be kept.
		j, err := journal.Start(path, h, es)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		again, kept, err := journal.Read[head, entry](path, 8*maxLine)
		if err != nil || again != h || !cmp.Equal(kept, es) {
			t.Errorf("%v, %v, %v, want %v and %v", again, kept, err, h, es)
		}
	})
}
