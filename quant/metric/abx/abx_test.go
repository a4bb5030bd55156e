package abx

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vqspeech/internal/simd"
)

// vectors returns a segment of one-frame vectors.
func segment(phone, speaker string, frames ...float32) Segment {
	return Segment{Phone: phone, Speaker: speaker, Dim: 2, Frames: frames}
}

func evaluate(t *testing.T, segments []Segment, c Config) *Result {
	t.Helper()
	r, err := Evaluate(segments, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Answers that can be had by hand.
func TestKnownAnswers(t *testing.T) {
	clear := []Segment{
		segment("a", "s", 1, 0.05), segment("a", "s", 1, 0.1), segment("b", "s", 0.05, 1), segment("b", "s", 0.1, 1),
		segment("a", "t", 1, 0.2), segment("b", "t", 0.2, 1),
	}
	swapped := slices.Clone(clear)
	swapped[4].Phone, swapped[5].Phone = "b", "a"
	alike := []Segment{
		segment("a", "s", 1, 0), segment("b", "s", 1, 0), segment("a", "t", 1, 0, 0, 1), segment("b", "t", 0, 1),
	}
	for _, style := range []Style{Style2019, Style2021} {
		for _, d := range []Distance{Cosine, Euclidean, KL} {
			for _, c := range []struct {
				name            string
				segments        []Segment
				mode            Mode
				want            float64
				cells, triplets int
			}{
				{"clear", clear, Within, 0, 2, 8},
				// a, b of s with X of t, 2·2·1 each; a, b of t with X of s, 1·1·2 each
				{"clear", clear, Across, 0, 4, 12},
				{"swapped", swapped, Across, 1, 4, 12},
				// s: ties; t: X = a is nearer to A (mean of 0 and a right angle), X = b is as far from B as from A
				{"alike", alike, Across, (0.5 + 0.5 + 0 + 1) / 4, 4, 4},
			} {
				r := evaluate(t, c.segments, Config{Style: style, Mode: c.mode, Distance: d})
				if math.Abs(r.Error-c.want) > 1e-12 || r.Cells != c.cells || r.Triplets != int64(c.triplets) {
					t.Errorf("%d %s %s %s: error %v in %d cells of %d triplets, want %v in %d of %d", style, d, c.name, c.mode,
						r.Error, r.Cells, r.Triplets, c.want, c.cells, c.triplets)
				}
			}
		}
	}
	for _, d := range Distances {
		none := evaluate(t, clear[:2], Config{Style: Style2021, Mode: Across, Distance: d})
		if !math.IsNaN(none.Error) || none.Cells != 0 || none.Items != 0 {
			t.Errorf("%s, no triplets: %+v", d, none)
		}
	}
}

func TestFramesOfZeros(t *testing.T) {
	zero, one, other := []float32{0, 0}, []float32{3, 4}, []float32{-3, -4}
	for _, c := range []struct {
		style Style
		d     Distance
		x, y  []float32
		want  float64
	}{
		{Style2019, Cosine, zero, zero, 0}, {Style2019, Cosine, zero, one, 1}, {Style2019, Cosine, one, other, 1},
		{Style2021, Cosine, zero, zero, 0}, {Style2021, Cosine, one, zero, 1}, {Style2021, Cosine, one, one, 0},
		{Style2021, Euclidean, zero, one, 2}, {Style2021, Euclidean, zero, zero, 0}, {Style2021, Euclidean, one, other, 2},
		{Style2019, Euclidean, zero, one, 5}, {Style2019, Euclidean, one, other, 10}, {Style2019, Euclidean, one, one, 0},
	} {
		s := &space{config: Config{Style: c.style, Distance: c.d}}
		x, y := prepare(&Segment{Dim: 2, Frames: c.x}, c.d), prepare(&Segment{Dim: 2, Frames: c.y}, c.d)
		var got [1]float64
		s.distances(got[:], &x, 0, &y, 2)
		if math.Abs(got[0]-c.want) > 1e-12 {
			t.Errorf("%d %s of %v and %v: %v, want %v", c.style, c.d, c.x, c.y, got[0], c.want)
		}
	}
}

// The result is that of one thread and of another order of the items; numbered
// frames have the distances of frames.
func TestSame(t *testing.T) {
	symbols := corpusOf(6, 0, true)
	segments := make([]Segment, len(symbols))
	rng := rand.New(rand.NewPCG(3, 3))
	codebook := make([]float32, 32*3)
	for i := range codebook {
		codebook[i] = float32(rng.NormFloat64())
	}
	for i, s := range symbols {
		s.Dim = 3
		for _, k := range s.Symbols {
			s.Frames = append(s.Frames, codebook[3*k:3*k+3]...)
		}
		s.Symbols = nil
		segments[i] = s
	}
	if _, _, ok := codebookOf(pointers(segments)); !ok {
		t.Fatal("code vectors were not numbered")
	}
	for _, c := range []Config{
		{Style: Style2021, Mode: Across, Distance: Cosine}, {Style: Style2019, Mode: Within, Distance: Euclidean},
		{Style: Style2021, Mode: Within, Distance: Edit}, {Style: Style2019, Mode: Across, Distance: Hamming},
		{Style: Style2021, Mode: Across, Distance: Edit, MaxGroup: 3, Seed: 5},
	} {
		want := evaluate(t, segments, c)
		threads := runtime.GOMAXPROCS(1)
		got := evaluate(t, segments, c)
		runtime.GOMAXPROCS(threads)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: on one thread %v, on %d %v", c, got.Error, threads, want.Error)
		}
		if c.Distance.Symbolic() {
			if got := evaluate(t, symbols, c); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: of symbols %v, of their vectors %v", c, got.Error, want.Error)
			}
			continue
		}
		var plain aligner
		numbered := newSpace(pointers(segments[:20]), c)
		direct := &space{segments: numbered.segments, config: c, prepared: make([]prepared, 20)}
		for i := range 20 {
			direct.prepared[i] = prepare(&segments[i], c.Distance)
		}
		for i := range 20 {
			for j := range 20 {
				a, b := numbered.between(&plain, i, j)
				if x, y := direct.between(&plain, i, j); numbered.table == nil || a != x || b != y {
					t.Fatalf("%s of %d and %d: by numbers %v %v, by frames %v %v", c.Distance, i, j, a, b, x, y)
				}
			}
		}
	}
}

func TestSampling(t *testing.T) {
	segments := corpusOf(12, 0, true)
	for _, name := range []string{"u", "v", "w"} {
		for _, s := range segments[:120] {
			s.Speaker = name
			segments = append(segments, s)
		}
	}
	c := Config{Style: Style2021, Mode: Across, Distance: Edit}
	all := evaluate(t, segments, c)
	// Ten phones, nine others, five speakers A, four X.
	if all.Cells != 10*9*5*4 || all.Triplets != int64(all.Cells)*12*12*12 {
		t.Errorf("%d cells of %d triplets", all.Cells, all.Triplets)
	}
	c.MaxGroup, c.MaxX = 4, 2
	some := evaluate(t, segments, c)
	if some.Cells != 10*9*5*2 || some.Triplets != int64(some.Cells)*4*4*4 {
		t.Errorf("sampled: %d cells of %d triplets", some.Cells, some.Triplets)
	}
	if again := evaluate(t, segments, c); !reflect.DeepEqual(again, some) {
		t.Error("one seed gave two results")
	}
	c.Seed = 1
	if other := evaluate(t, segments, c); other.Error == some.Error {
		t.Errorf("two seeds both gave %v", other.Error)
	}
	c.MaxGroup, c.MaxX = 12, 4
	if got := evaluate(t, segments, c); !reflect.DeepEqual(got, all) {
		t.Error("bounds that are not reached change the result")
	}
}

func TestErrors(t *testing.T) {
	nan := float32(math.NaN())
	good := segment("a", "s", 1, 2)
	for _, c := range []struct {
		segments []Segment
		config   Config
		want     string
	}{
		{[]Segment{good, segment("b", "s", 1, nan)}, Config{Distance: Cosine}, "segment 1: abx: frame 0 has the value NaN"},
		{[]Segment{good, segment("b", "s")}, Config{Distance: Cosine}, "segment 1: abx: no frames"},
		{[]Segment{good, segment("b", "s", 1, 2, 3)}, Config{Distance: Cosine}, "3 values in frames of 2"},
		{[]Segment{good, {Dim: 1, Frames: []float32{1}}}, Config{Distance: Cosine}, "frames of 1 values, want 2"},
		{[]Segment{good, segment("b", "s", 1, -2)}, Config{Distance: KL}, "wants none below 0"},
		{[]Segment{good, segment("b", "s", 0, 0)}, Config{Distance: KL}, "frame 0 is all zeros"},
		{[]Segment{{Symbols: []int32{1}}}, Config{Distance: Cosine}, "symbols have no distance cosine"},
		{[]Segment{good, good, segment("b", "s", 1, 2)}, Config{Distance: Cosine}, "all frames of all items are equal"},
		{nil, Config{Distance: "dtw"}, "distance must be one of"},
		{nil, Config{Distance: Edit, Style: 2020}, "style must be 2019 or 2021"},
		{nil, Config{Distance: Edit, Mode: "any"}, "mode must be within or across"},
		{nil, Config{Distance: Edit, MaxX: -1}, "must not be negative"},
	} {
		if c.config.Style == 0 {
			c.config.Style = Style2021
		}
		if c.config.Mode == "" {
			c.config.Mode = Within
		}
		if _, err := Evaluate(c.segments, c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestReadItems(t *testing.T) {
	items, bad, err := ReadItems(strings.NewReader("#file onset offset #phone prev-phone next-phone speaker\n" +
		"u1 0.1 0.25 a b c s\n\nu1 0.1 0.25 a b c s\nu2 0 1 a b c\nu2 1 0 a b c s\nu2 0 NaN a b c s\nu2 0 1e999 a b c s\nu2\t0  1 a b c s\r\n"))
	want := []Item{{"u1", 0.1, 0.25, "a", "b", "c", "s", 2}, {"u2", 0, 1, "a", "b", "c", "s", 9}}
	if err != nil || !slices.Equal(items, want) {
		t.Errorf("%v, %v", items, err)
	}
	var text []string
	for _, e := range bad {
		text = append(text, e.Error())
	}
	for i, w := range []string{"line 4: abx: the item of line 2 again", "line 5: abx: 6 fields, want 7", "line 6: abx: times", "line 7: abx: times", "line 8: abx: times"} {
		if i >= len(text) || !strings.HasPrefix(text[i], w) {
			t.Errorf("bad line %d: %q, want %q", i, text, w)
		}
	}
	for text, want := range map[string]string{
		"":               "empty item file",
		"u1 0 1 a b c s": "line 1 is \"u1 0 1 a b c s\", want the header",
		"#file\n":        "no items after the header",
		"#\n" + strings.Repeat("x\n", maxBadLines+1): "more than 1000 lines are no items, the first is line 2: abx: 1 fields",
		"#\n" + strings.Repeat("x", maxItemLine):     "line 2 is longer than",
	} {
		if _, _, err := ReadItems(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: error %v, want %q", text, err, want)
		}
	}
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		onset, offset float64
		first, end    int
		want          string
	}{
		{0, 1, 0, 49, ""}, {0.02, 0.09, 1, 4, ""}, {0.98, 1, 49, 49, ""}, {0, 0.01, 0, 0, ""}, {0.9, 1.05, 45, 50, ""},
		{0, 2, 0, 0, "is not in its file of 50 frames"}, {3, 4, 0, 0, "is not in its file"}, {1e300, 1e301, 0, 0, "is not in its file"},
	} {
		i := Item{Onset: c.onset, Offset: c.offset}
		first, end, err := i.Frames(50, 0.02)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v to %v: error %v, want %q", c.onset, c.offset, err, c.want)
			}
		} else if err != nil || first != c.first || end != c.end {
			t.Errorf("%v to %v: frames %d to %d, %v; want %d to %d", c.onset, c.offset, first, end, err, c.first, c.end)
		}
	}
}

// TestCentred has a frame in every item with its centre, and items that follow
// each other, wherever, share none and leave none out.
func TestCentred(t *testing.T) {
	for _, c := range []struct {
		onset, offset, centre float64
		first, end            int
	}{
		{0, 1, 0.5, 0, 50}, {0.02, 0.09, 0.5, 1, 4}, {0.029, 0.031, 0.5, 1, 2}, {0.031, 0.049, 0.5, 2, 2}, {0.9, 1.05, 0.5, 45, 50}, {1.02, 1.05, 0.5, 50, 50},
		{0, 0.016, 0.75, 0, 1}, {0.016, 0.034, 0.75, 1, 1}, {0.034, 0.036, 0.75, 1, 2},
	} {
		i := Item{Onset: c.onset, Offset: c.offset}
		if first, end, err := i.Centred(50, 0.02, c.centre); err != nil || first != c.first || end != c.end {
			t.Errorf("%v to %v: frames %d to %d, %v; want %d to %d", c.onset, c.offset, first, end, err, c.first, c.end)
		}
	}
	if _, _, err := (&Item{Onset: 0, Offset: 2}).Centred(50, 0.02, 0.5); err == nil || !strings.Contains(err.Error(), "is not in its file of 50 frames") {
		t.Errorf("an item of 2 s in a file of 1 s: %v", err)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	at, last := 0.0, 0
	for at < 20 {
		i := Item{Onset: at, Offset: at + 0.06*rng.Float64()}
		first, end, err := i.Centred(1000, 0.02, 0.5)
		if err != nil || first != last || end < first {
			t.Fatalf("%v to %v: frames %d to %d, %v; want them from %d on", i.Onset, i.Offset, first, end, err, last)
		}
		at, last = i.Offset, end
	}
}

func FuzzReadItems(f *testing.F) {
	for _, seed := range []string{
		"#\nu 0 1 a b c s\n", "#\nu 0 1 a b c s\nu 0 1 a b c s\n", "#\nx\ny", "", "#", "#\nu -0 1e-320 \xff b c s", "#\nu 1e300 1e308 a b c s",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		items, _, err := ReadItems(strings.NewReader(text))
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(2<<20+100*len(text)); got > most {
			t.Errorf("%d bytes allocated for a text of %d", got, len(text))
		}
		if err != nil && (len(items) > 0 || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("%d items with the error %q", len(items), err)
		}
		for _, i := range items {
			if first, end, err := i.Frames(100, 0.01); err == nil && (first < 0 || first > end || end > max(first, 100)) {
				t.Fatalf("%+v: frames %d to %d", i, first, end)
			}
			if first, end, err := i.Centred(100, 0.01, 0.75); err == nil && (first < 0 || first > end || end > 100) {
				t.Fatalf("%+v: frames with their centres in it %d to %d", i, first, end)
			}
		}
	})
}

func TestDotIsSymmetric(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for n := range 40 {
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
		}
		if simd.Dot(x, y) != simd.Dot(y, x) || cosine(simd.Dot(x, x), simd.SumSquares(x), simd.SumSquares(x)) != 1 {
			t.Errorf("%d values: not symmetric, or a vector is at an angle to itself", n)
		}
	}
}
