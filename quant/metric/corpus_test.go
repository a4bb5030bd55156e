package metric

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestCorpus(t *testing.T) {
	var c Corpus
	c.Add([]int32{7, 9, 7, 9}, 1)
	c.Add([]int32{3, 3, 3, 3}, 3)
	all := c.Rate(nil)
	// p = 1/2, 1/4, 1/4: H = 1.5 bits; 8 symbols in 4 s
	if all.Symbols != 8 || all.Types != 3 || all.Seconds != 4 {
		t.Errorf("%+v", all)
	}
	near(t, "entropy", all.Entropy, 1.5)
	near(t, "bitrate", all.Bitrate, 3)
	if again := c.Rate([]int{1, 0}); again != all {
		t.Errorf("both files: %+v, want %+v", again, all)
	}
	near(t, "first twice", c.Rate([]int{0, 0}).Bitrate, 4)
	near(t, "second", c.Rate([]int{1}).Bitrate, 0)
	if none := (&Corpus{}).Rate(nil); !math.IsNaN(none.Bitrate) || none.Symbols != 0 {
		t.Errorf("no files: %+v", none)
	}
}

func TestTypes(t *testing.T) {
	var types Types
	negative := float32(math.Copysign(0, -1))
	if got := types.Number([]float32{1, 2, 3, 0, 1, 2, 3, negative}, 2); !slices.Equal(got, []int32{0, 1, 0, 1}) || types.Len() != 2 {
		t.Errorf("got %v of %d types", got, types.Len())
	}
	if got := types.Number([]float32{3, 0, 5, 5}, 2); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("later: %v", got)
	}
}

func TestNGrams(t *testing.T) {
	two, four := NewNGrams(2), NewNGrams(4)
	for _, codes := range [][]uint16{{1, 2, 1, 2, 1}, {65535}, {}, {0, 65535, 0, 65535}} {
		two.Add(codes)
		four.Add(codes)
	}
	// 12 21 12 21, 0- -0 0-: p = 2/7, 2/7, 2/7, 1/7
	want := -(3*2.0/7*math.Log2(2.0/7) + 1.0/7*math.Log2(1.0/7))
	near(t, "bigrams", two.Entropy(), want)
	near(t, "4-grams", four.Entropy(), math.Log2(3))
	if two.Types() != 4 || four.Types() != 3 {
		t.Errorf("%d and %d types", two.Types(), four.Types())
	}
	near(t, "none", NewNGrams(3).Entropy(), 0)
}

func TestDivergence(t *testing.T) {
	a, b := count(t, 4, 0, 0, 1, 1), count(t, 4, 2, 3)
	near(t, "none in common", Divergence(a, b), 1)
	near(t, "with itself", Divergence(a, a), 0)
	// p = (1/2, 1/2), q = (1, 0): m = (3/4, 1/4)
	c := count(t, 4, 0)
	want := 0.5*(0.5*math.Log2(0.5/0.75)+0.5*math.Log2(0.5/0.25)) + 0.5*math.Log2(1/0.75)
	near(t, "half", Divergence(a, c), want)
	near(t, "the other way", Divergence(c, a), want)
	if d := Divergence(a, NewCounter(4)); !math.IsNaN(d) {
		t.Errorf("with nothing: %v", d)
	}
	b.Merge(a)
	near(t, "merged", b.Entropy(), 2*(1.0/3)*math.Log2(3)+2*(1.0/6)*math.Log2(6))
}

func TestVariance(t *testing.T) {
	var v Variance
	if !math.IsNaN(v.Mean()) {
		t.Errorf("of none: %v", v.Mean())
	}
	v.Add([]float32{0})
	v.Add([]float32{float32(math.Log(4))})
	if math.Abs(v.Mean()-2.5) > 1e-6 || math.Abs(v.GeometricMean()-2) > 1e-6 {
		t.Errorf("mean %v, geometric %v", v.Mean(), v.GeometricMean())
	}
}

func TestReadVectors(t *testing.T) {
	v, dim, err := ReadVectors(strings.NewReader("1 2.5\n\n -3e0\t4 \r\n"))
	if err != nil || dim != 2 || !slices.Equal(v, []float32{1, 2.5, -3, 4}) {
		t.Errorf("%v, %d, %v", v, dim, err)
	}
	for text, want := range map[string]string{
		"":                                  "no vectors in the file",
		"\n\n":                              "no vectors",
		"1\n2\n":                            "line 1 has one number, want a vector",
		"1 2\n3\n":                          "line 2 has one number",
		"1 2\n3 4 5\n":                      "line 2 has 3 numbers, want 2",
		"1 NaN":                             `line 1 has "NaN", want finite numbers`,
		"1 1e39":                            `line 1 has "1e39"`,
		"1 x":                               `line 1 has "x"`,
		strings.Repeat("1 ", maxVectorLine): "line 1 is longer than",
	} {
		if _, _, err := ReadVectors(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", text, err, want)
		}
	}
}

func TestReadList(t *testing.T) {
	list, err := ReadList(strings.NewReader("a/b.c.txt 1.5\n\nd 2\ne.x 1e-3\n"))
	if err != nil || !slices.Equal(list, []Listed{{"b.c", 1.5}, {"d", 2}, {"e.x", 0.001}}) {
		t.Errorf("%v, %v", list, err)
	}
	for text, want := range map[string]string{
		"":                                      "empty list",
		"a\n":                                   "line 1 has 1 fields",
		"a 0\n":                                 `line 1 has the duration "0"`,
		"a NaN\n":                               `the duration "NaN"`,
		"a 1e300\n":                             `the duration "1e300", want seconds above 0, at most 31622400`,
		"a 1\na.txt 2":                          `line 2 has "a" again, which is in line 1`,
		"a " + strings.Repeat("1", maxListLine): "line 1 is longer than",
	} {
		if _, err := ReadList(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", text, err, want)
		}
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzReadVectors(f *testing.F) {
	for _, seed := range []string{"1 2\n3 4\n", "1\n", "", "0x1p-2 1_0\n", "1 inf", "1 2\r\n\r\n3 4", "-0 0\n0 -0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v []float32
		var dim int
		var err error
		if got, most := allocated(func() { v, dim, err = ReadVectors(strings.NewReader(text)) }), uint64(2<<20+40*len(text)); got > most {
			t.Errorf("%d bytes allocated for a text of %d", got, len(text))
		}
		if err == nil && (dim < 2 || len(v) == 0 || len(v)%dim != 0) {
			t.Fatalf("%d numbers in vectors of %d", len(v), dim)
		}
	})
}

func FuzzReadList(f *testing.F) {
	for _, seed := range []string{"a.txt 1.5\nb 2", "a 1\na 1", "", "/ 1", "a 1e999", "a -1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var list []Listed
		var err error
		if got, most := allocated(func() { list, err = ReadList(strings.NewReader(text)) }), uint64(1<<20+200*len(text)); got > most {
			t.Errorf("%d bytes allocated for a text of %d", got, len(text))
		}
		for _, l := range list {
			if err != nil || !(l.Seconds > 0) {
				t.Fatalf("%+v, %v", l, err)
			}
		}
	})
}
