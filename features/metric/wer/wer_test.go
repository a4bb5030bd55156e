package wer

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

func couple(r, h string) Couple { return Couple{Line{Text: r}, Line{Text: h}} }

func TestCount(t *testing.T) {
	for _, c := range []struct {
		reference, hypothesis string
		characters            bool
		want                  Errors
	}{
		{"", "", false, Errors{}},
		{"a b c", "a b c", false, Errors{Reference: 3}},
		{"a b c", "", false, Errors{Reference: 3, Deletions: 3}},
		{"", "a b", false, Errors{Insertions: 2}},
		{"a b c d", "a x c d", false, Errors{4, 1, 0, 0}},
		{"the cat  sat", "the sat down\there", false, Errors{3, 1, 0, 1}}, // 2 substitutions and 1 insertion are 3 errors
		{"a b", "b a", false, Errors{2, 2, 0, 0}},                         // not a deletion and an insertion
		{"kitten", "sitting", true, Errors{6, 2, 0, 1}},
		{"so  was", "so was", true, Errors{Reference: 6}},
		{"é", "e", true, Errors{1, 1, 0, 0}},
	} {
		got, err := Count(couple(c.reference, c.hypothesis), c.characters)
		if err != nil {
			t.Fatal(err)
		}
		if c.reference == "the cat  sat" {
			if got.Total() != 3 || got.Reference != 3 {
				t.Errorf("%q, %q: %+v", c.reference, c.hypothesis, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%q, %q: %+v, want %+v", c.reference, c.hypothesis, got, c.want)
		}
	}
	long := strings.Repeat("a ", 1<<16)
	if _, err := Count(couple(long, long), false); err == nil || !strings.Contains(err.Error(), "too many to compare") {
		t.Errorf("long lines: %v", err)
	}
}

// Errors are those of the textbook's distance, swapping sides swaps deletions
// and insertions, and lengths add up.
func TestLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := func() []string {
		w := make([]string, rng.IntN(9))
		for i := range w {
			w[i] = string(rune('a' + rng.IntN(3)))
		}
		return w
	}
	var distance func(a, b []string) int
	distance = func(a, b []string) int {
		if len(a) == 0 || len(b) == 0 {
			return len(a) + len(b)
		}
		if a[0] == b[0] {
			return distance(a[1:], b[1:])
		}
		return 1 + min(distance(a[1:], b[1:]), distance(a, b[1:]), distance(a[1:], b))
	}
	for range 200 {
		a, b := words(), words()
		e, back := align(a, b), align(b, a)
		if int(e.Total()) != distance(a, b) {
			t.Fatalf("%v, %v: %+v, want %d errors", a, b, e, distance(a, b))
		}
		if e.Deletions != back.Insertions || e.Insertions != back.Deletions || e.Substitutions != back.Substitutions {
			t.Fatalf("%v, %v: %+v, the other way %+v", a, b, e, back)
		}
		if int(e.Reference-e.Deletions+e.Insertions) != len(b) {
			t.Fatalf("%v, %v: %+v does not fit the lengths", a, b, e)
		}
	}
}

func TestReadAndPair(t *testing.T) {
	read := func(s string) []Line {
		t.Helper()
		lines, err := ReadTranscript(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	couples, bad, err := Pair(read("u1\tone\nu2\ttwo\nu3\tthree\nu4\tx\nu4\ty\nu5\t\n"), read("u5\tfive\r\nu1\twon\nu2\ta\nu2\tb\nu6\tsix\n"))
	if err != nil || len(couples) != 2 || couples[0].Hypothesis.Text != "won" || couples[1].Hypothesis.Text != "five" {
		t.Errorf("couples %v, %v", couples, err)
	}
	var text []string
	for _, e := range bad {
		text = append(text, e.Error())
	}
	want := `wer: "u2" comes 2 times in the hypothesis; wer: "u3" has no hypothesis; wer: "u4" comes 2 times in the reference; wer: "u6" has no reference`
	if got := strings.Join(text, "; "); got != want {
		t.Errorf("bad: %s\nwant %s", got, want)
	}
	if couples, _, err = Pair(read("a\n\nb"), read("a\nc\nb\n")); err != nil || len(couples) != 3 {
		t.Errorf("by number: %v, %v", couples, err)
	}
	if lines := read("\ufeffone two\n"); lines[0].Text != "one two" {
		t.Errorf("after a byte order mark: %q", lines[0].Text)
	}
	for _, c := range []struct{ reference, hypothesis, want string }{
		{"a\nb\n", "a\n", "reference of 2 lines and hypothesis of 1, want as many"},
		{"u\ta\n", "a\n", "one transcript has ids and the other none"},
	} {
		if _, _, err := Pair(read(c.reference), read(c.hypothesis)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	for text, want := range map[string]string{
		"":                             "empty transcript",
		"u1\ta\nb\n":                   "line 2: want either an id and a tab in all lines or in none",
		"a\nu1\tb\n":                   "line 2: want either",
		"\ta\n":                        "line 1 has no id",
		"a\n\xff\n":                    "line 2 is not UTF-8 text",
		strings.Repeat("a", maxLine+1): "line 1 is longer than",
	} {
		if _, err := ReadTranscript(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzReadTranscript(f *testing.F) {
	for _, seed := range []string{"u1\tone two\nu2\t\n", "one\n\ntwo three", "\t", "a\r\n", "\xff", strings.Repeat("\n", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		lines, err := ReadTranscript(strings.NewReader(text))
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+200*len(text)); got > most {
			t.Errorf("%d bytes allocated for a text of %d", got, len(text))
		}
		if err != nil {
			return
		}
		couples, bad, err := Pair(lines, lines)
		if err != nil || len(couples)+len(bad) > len(lines) {
			t.Fatalf("%d lines with themselves: %d couples, %d bad, %v", len(lines), len(couples), len(bad), err)
		}
		for _, c := range couples[:min(len(couples), 10)] {
			if e, err := Count(c, true); err == nil && e.Total() != 0 {
				t.Fatalf("%+v with itself: %+v", c, e)
			}
		}
	})
}
