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
//
// of which the most frequent phone is a, whose name sorts first.
func TestTable(t *testing.T) {
	var c Corpus
	add(&c, []int32{0, 0, 1, 7}, "aab-")
	add(&c, []int32{0, 0, 1, 5, 5}, "abbba")
	terms := c.Terms()
	s := Sum(terms)
	if s.Frames != 8 || c.Len() != 2 || c.Phones() != 2 {
		t.Errorf("%+v", s)
	}
	near(t, "phone purity", s.PhonePurity, (3+2+1)/8.0)
	near(t, "cluster purity", s.ClusterPurity, (3+2)/8.0)
	near(t, "majority", s.Majority, 4/8.0)
	// H(y) = 1 bit; H(y|z) = 4/8 H(1/4) + 2/8 0 + 2/8 1 bit
	h := -(0.25*math.Log2(0.25) + 0.75*math.Log2(0.75))
	near(t, "PNMI", s.PNMI, 1-(0.5*h+0.25))
	// Code 5 has as many a as b.
	want := []Mapped{{0, "a", 4, 0.75}, {1, "b", 2, 1}, {5, "a", 2, 0.5}}
	if got := c.Map(); !reflect.DeepEqual(got, want) {
		t.Errorf("map %v, want %v", got, want)
	}
	// The first file says that 0 is a and 1 is b; 5 is its most frequent, a: 0b and
	// 5b of the second are wrong. That says that 0 is a, not b, which comes as often,
	// and 1 is b: all of the first are right.
	for i, want := range []Terms{{Frames: 3, Tested: 3, Right: 3, Majority: 2, Mapped: 3, Cluster: 3}, {Frames: 5, Tested: 5, Right: 3, Majority: 2, Mapped: 3, Cluster: 2}} {
		got := terms[i]
		got.Information, got.Surprise = 0, 0
		if got != want {
			t.Errorf("file %d: %+v, want %+v", i, got, want)
		}
	}
	near(t, "accuracy", s.Accuracy, 6/8.0)
	twice := SumOf(terms, []int{1, 1})
	near(t, "accuracy of the second twice", twice.Accuracy, 3/5.0)
	near(t, "PNMI of the second twice", twice.PNMI, (math.Log2(2*3.0/4)+math.Log2(2*1.0/4)+math.Log2(2))/5)
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
	s := Sum(c.Terms())
	near(t, "phone purity", s.PhonePurity, 1)
	near(t, "PNMI", s.PNMI, 1)
	near(t, "accuracy", s.Accuracy, 1)
	if !(s.ClusterPurity > 0.45 && s.ClusterPurity < 0.6) || len(c.Map()) != 20 || c.Phones() != 10 {
		t.Errorf("%+v", s)
	}
}

// TestConstant has one code: its map is the majority.
func TestConstant(t *testing.T) {
	c := corpus(7, 500, 10, func(*rand.Rand, int) int32 { return 9 })
	s := Sum(c.Terms())
	near(t, "phone purity", s.PhonePurity, s.Majority)
	near(t, "cluster purity", s.ClusterPurity, 1)
	near(t, "PNMI", s.PNMI, 0)
	near(t, "accuracy", s.Accuracy, s.Majority)
	if math.Abs(s.Majority-0.19) > 0.02 { // 1 - (9/10)²
		t.Errorf("majority %v", s.Majority)
	}
}

// TestIndependent has codes that tell nothing, few and many: the more there are,
// the better they look on the frames that they were fitted on, not on others.
func TestIndependent(t *testing.T) {
	few := corpus(10, 2000, 10, func(rng *rand.Rand, _ int) int32 { return rng.Int32N(4) })
	many := corpus(10, 2000, 10, func(rng *rand.Rand, _ int) int32 { return rng.Int32N(4000) })
	f, m := Sum(few.Terms()), Sum(many.Terms())
	if f.PNMI > 0.002 || f.PhonePurity > f.Majority+0.01 {
		t.Errorf("few codes: %+v", f)
	}
	if m.PhonePurity < 2*m.Majority {
		t.Errorf("many codes: %+v", m)
	}
	for _, s := range []Scores{f, m} {
		if s.Accuracy > s.Majority+0.01 {
			t.Errorf("on other files: %+v", s)
		}
	}
}

// TestSpread holds how much scores of resampled files differ against how much those
// of corpora do that are really drawn anew. Some files have noisier codes than others.
func TestSpread(t *testing.T) {
	const files, corpora, resamples = 30, 150, 200
	deviation := func(x []float64) float64 {
		sum, squares := 0.0, 0.0
		for _, v := range x {
			sum += v
			squares += v * v
		}
		n := float64(len(x))
		return math.Sqrt(squares/n - sum*sum/n/n)
	}
	figures := func(s Scores) []float64 {
		return []float64{s.Accuracy, s.Majority, s.PhonePurity, s.ClusterPurity, s.PNMI}
	}
	rng := rand.New(rand.NewPCG(9, 9))
	drawn, resampled := make([][]float64, 5), make([]float64, 5)
	for range corpora {
		var c Corpus
		for range files {
			noise, favourite := rng.Float64(), rng.IntN(5)
			var codes []int32
			var labels []string
			for range 100 {
				p := min(favourite, rng.IntN(5), rng.IntN(5)) // 0 is well ahead
				code := rng.IntN(10)
				if rng.Float64() > noise {
					code = p
				}
				codes, labels = append(codes, int32(code)), append(labels, strconv.Itoa(p))
			}
			c.Add(codes, labels)
		}
		terms := c.Terms()
		for k, v := range figures(Sum(terms)) {
			drawn[k] = append(drawn[k], v)
		}
		again, sample := make([][]float64, 5), make([]int, files)
		for range resamples {
			for i := range sample {
				sample[i] = rng.IntN(files)
			}
			for k, v := range figures(SumOf(terms, sample)) {
				again[k] = append(again[k], v)
			}
		}
		for k := range again {
			resampled[k] += deviation(again[k]) / corpora
		}
	}
	for k, name := range []string{"accuracy", "majority", "phone purity", "cluster purity", "PNMI"} {
		if ratio := resampled[k] / deviation(drawn[k]); ratio < 0.8 || ratio > 1.25 {
			t.Errorf("%s: deviation %.4f of corpora, %.4f of resamples", name, deviation(drawn[k]), resampled[k])
		}
	}
}

// TestNone has nothing to measure.
func TestNone(t *testing.T) {
	var none, one Corpus
	add(&one, []int32{1, 2}, "aa")
	if s := Sum(none.Terms()); s.Frames != 0 || !math.IsNaN(s.PhonePurity) || !math.IsNaN(s.PNMI) || !math.IsNaN(s.Accuracy) || none.Map() != nil {
		t.Errorf("no files: %+v", s)
	}
	if s := Sum(one.Terms()); s.PhonePurity != 1 || !math.IsNaN(s.PNMI) || !math.IsNaN(s.Accuracy) {
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
