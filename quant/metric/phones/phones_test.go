package phones

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12) && !(math.IsNaN(got) && math.IsNaN(want)) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// add counts a file of codes and phones of one letter each; - is none.
func add(c *Corpus, codes []int32, phones string) {
	var labels []string
	for _, p := range phones {
		labels = append(labels, strings.TrimPrefix(string(p), "-"))
	}
	c.Add(codes, labels)
}

// TestTable has a table that was reckoned by hand:
//
//	       a  b
//	code 0 3  1
//	code 1 0  2
//	code 5 1  1
func TestTable(t *testing.T) {
	var c Corpus
	add(&c, []int32{0, 0, 1, 7}, "aab-")
	add(&c, []int32{0, 0, 1, 5, 5}, "abbba")
	s := c.Scores(nil)
	if s.Frames != 8 || s.Codes != 3 || s.Phones != 2 {
		t.Errorf("%+v", s)
	}
	near(t, "phone purity", s.PhonePurity, (3+2+1)/8.0)
	near(t, "cluster purity", s.ClusterPurity, (3+2)/8.0)
	near(t, "majority", s.Majority, 4/8.0)
	// H(y) = 1 bit; H(y|z) = 4/8 H(1/4) + 2/8 0 + 2/8 1 bit
	h := -(0.25*math.Log2(0.25) + 0.75*math.Log2(0.75))
	near(t, "PNMI", s.PNMI, 1-(0.5*h+0.25))
	// code 5 has as many a as b
	want := []Mapped{{0, "a", 4, 0.75}, {1, "b", 2, 1}, {5, "a", 2, 0.5}}
	if got := c.Map(); !reflect.DeepEqual(got, want) {
		t.Errorf("map %v, want %v", got, want)
	}
	if again := c.Scores([]int{1, 0}); again != s {
		t.Errorf("both files: %+v, want %+v", again, s)
	}
	if first := c.Scores([]int{0, 0}); first.Frames != 6 || first.Codes != 2 || first.PhonePurity != 1 || first.PNMI != 1 {
		t.Errorf("the first file twice: %+v", first)
	}
	// The first file says 0 is a, 1 is b; 5 is its most frequent, a: right but 0b and 5b.
	// The second says 0 is a, not b, which comes as often; 1 is b: all three are right.
	if got, want := c.CrossFit(), []Hits{{3, 3}, {3, 5}}; !slices.Equal(got, want) {
		t.Errorf("cross-fitted %v, want %v", got, want)
	}
	near(t, "accuracy", Accuracy(c.CrossFit(), nil), 6/8.0)
	near(t, "accuracy of the second twice", Accuracy(c.CrossFit(), []int{1, 1}), 3/5.0)
}

// corpus has files of random phones, uneven in frequency, with codes by a rule.
func corpus(files, frames, phones int, code func(rng *rand.Rand, phone int) int32) *Corpus {
	rng := rand.New(rand.NewPCG(3, 4))
	var c Corpus
	for range files {
		var codes []int32
		var labels []string
		for range frames {
			p := min(rng.IntN(phones), rng.IntN(phones))
			codes, labels = append(codes, code(rng, p)), append(labels, strconv.Itoa(p))
		}
		c.Add(codes, labels)
	}
	return &c
}

// TestPerfect has two codes of each phone.
func TestPerfect(t *testing.T) {
	c := corpus(7, 500, 10, func(rng *rand.Rand, p int) int32 { return int32(2*p + rng.IntN(2)) })
	s := c.Scores(nil)
	near(t, "phone purity", s.PhonePurity, 1)
	near(t, "PNMI", s.PNMI, 1)
	near(t, "accuracy", Accuracy(c.CrossFit(), nil), 1)
	if !(s.ClusterPurity > 0.45 && s.ClusterPurity < 0.6) || s.Codes != 20 || s.Phones != 10 {
		t.Errorf("%+v", s)
	}
}

// TestConstant has one code: its map is the majority.
func TestConstant(t *testing.T) {
	c := corpus(7, 500, 10, func(*rand.Rand, int) int32 { return 9 })
	s := c.Scores(nil)
	near(t, "phone purity", s.PhonePurity, s.Majority)
	near(t, "cluster purity", s.ClusterPurity, 1)
	near(t, "PNMI", s.PNMI, 0)
	near(t, "accuracy", Accuracy(c.CrossFit(), nil), s.Majority)
	if math.Abs(s.Majority-0.19) > 0.02 { // 1 - (9/10)²
		t.Errorf("majority %v", s.Majority)
	}
}

// TestIndependent has codes that tell nothing, few and many: the more there are,
// the better they look on the frames that they were fitted on, not on others.
func TestIndependent(t *testing.T) {
	few := corpus(10, 2000, 10, func(rng *rand.Rand, _ int) int32 { return rng.Int32N(4) })
	many := corpus(10, 2000, 10, func(rng *rand.Rand, _ int) int32 { return rng.Int32N(4000) })
	f, m := few.Scores(nil), many.Scores(nil)
	if f.PNMI > 0.002 || f.PhonePurity > f.Majority+0.01 {
		t.Errorf("few codes: %+v", f)
	}
	if m.PhonePurity < 2*m.Majority {
		t.Errorf("many codes: %+v", m)
	}
	for _, c := range []*Corpus{few, many} {
		if a, s := Accuracy(c.CrossFit(), nil), c.Scores(nil); a > s.Majority+0.01 {
			t.Errorf("accuracy %v on other files, majority %v", a, s.Majority)
		}
	}
}

// TestNone has nothing to measure.
func TestNone(t *testing.T) {
	var none, one Corpus
	add(&one, []int32{1, 2}, "aa")
	if s := none.Scores(nil); s.Frames != 0 || !math.IsNaN(s.PhonePurity) || !math.IsNaN(s.PNMI) || len(none.CrossFit()) > 0 || none.Map() != nil {
		t.Errorf("no files: %+v", s)
	}
	if s := one.Scores(nil); s.PhonePurity != 1 || !math.IsNaN(s.PNMI) || !math.IsNaN(Accuracy(one.CrossFit(), nil)) || !math.IsNaN(Accuracy(one.CrossFit(), []int{0})) {
		t.Errorf("one file of one phone: %+v", s)
	}
}

func TestLabel(t *testing.T) {
	labels, ambiguous := Label([]Span{
		{2, 4, "a"}, {4, 6, "b"}, // one after the other
		{7, 10, "a"}, {8, 12, "b"}, {11, 13, "b"}, // 8, 9: a or b; 11: b, twice
		{3, 3, "c"}, {-1, 2, "c"}, {12, 15, "c"},
	}, 14)
	want := []string{"", "", "a", "a", "b", "b", "", "a", "", "", "b", "b", "b", ""}
	if !slices.Equal(labels, want) || ambiguous != 2 {
		t.Errorf("%q with %d ambiguous, want %q with 2", labels, ambiguous, want)
	}
	if labels, ambiguous := Label(nil, 2); len(labels) != 2 || ambiguous != 0 {
		t.Errorf("no spans: %q, %d", labels, ambiguous)
	}
}

// TestLabelIsNaive compares Label with one that looks at every frame of every
// span.
func TestLabelIsNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		const n = 30
		var spans []Span
		for range rng.IntN(8) {
			spans = append(spans, Span{rng.IntN(n), rng.IntN(n + 1), string(rune('a' + rng.IntN(3)))})
		}
		want, wantAmbiguous := make([]string, n), 0
		for i := range want {
			said := map[string]bool{}
			for _, s := range spans {
				if s.First <= i && i < s.End {
					said[s.Phone] = true
					want[i] = s.Phone
				}
			}
			if len(said) > 1 {
				want[i] = ""
				wantAmbiguous++
			}
		}
		if got, ambiguous := Label(spans, n); !slices.Equal(got, want) || ambiguous != wantAmbiguous {
			t.Fatalf("%v: %q with %d ambiguous, want %q with %d", spans, got, ambiguous, want, wantAmbiguous)
		}
	}
}
