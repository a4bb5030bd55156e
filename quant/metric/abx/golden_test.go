package abx

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vqspeech/internal/golden"
)

// spans returns the items of a fixture's text file with their rows of features.
func spans2019(t *testing.T) (items []Item, rows [][2]int) {
	t.Helper()
	f, err := os.Open(golden.Path(t, "abx2019_items.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		w := strings.Fields(scan.Text())
		if strings.HasPrefix(w[0], "#") {
			continue
		}
		lo, _ := strconv.Atoi(w[6])
		hi, err := strconv.Atoi(w[7])
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, Item{File: w[1], Phone: w[2], Previous: w[3], Next: w[4], Speaker: w[5]})
		rows = append(rows, [2]int{lo, hi})
	}
	return items, rows
}

func spans2021(t *testing.T, f *golden.File) (items []Item, rows [][2]int) {
	t.Helper()
	file, err := os.Open(golden.Path(t, "abx2021.item"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	items, bad, err := ReadItems(file)
	if err != nil || len(bad) > 0 {
		t.Fatal(bad, err)
	}
	var flat []int32
	for _, item := range items {
		lo, hi, err := item.Frames(f.Shape("feat." + item.File)[0], f.Float("frame_step_s"))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, [2]int{lo, hi})
		flat = append(flat, int32(lo), int32(hi))
	}
	f.CheckInts("abx2021.item_frames", flat, len(items), 2)
	return items, rows
}

func segmentsOf(f *golden.File, kind string, items []Item, rows [][2]int) []Segment {
	var out []Segment
	for i, item := range items {
		s := Segment{Phone: item.Phone, Context: item.Context(), Speaker: item.Speaker}
		lo, hi := rows[i][0], rows[i][1]
		if kind == "units." {
			s.Symbols = f.I32(kind + item.File)[lo:hi]
		} else {
			s.Dim = f.Shape(kind + item.File)[1]
			s.Frames = f.F32(kind + item.File)[lo*s.Dim : hi*s.Dim]
		}
		out = append(out, s)
	}
	return out
}

// The error rates and cells of the fixtures, with the frames as they are and, the
// other way, numbered as code vectors are.
func TestGolden(t *testing.T) {
	f := golden.Open(t, "abx.safetensors")
	items2019, rows2019 := spans2019(t)
	items2021, rows2021 := spans2021(t, f)
	for _, c := range []struct {
		name, kind string
		config     Config
	}{
		{"abx2019.across.cosine", "feat.", Config{Style: Style2019, Mode: Across, Distance: Cosine}},
		{"abx2019.across.cosine_unnormalised", "feat.", Config{Style: Style2019, Mode: Across, Distance: Cosine, Unnormalised: true}},
		{"abx2019.across.levenshtein_units", "units.", Config{Style: Style2019, Mode: Across, Distance: Edit}},
		{"abx2019.within.cosine", "feat.", Config{Style: Style2019, Mode: Within, Distance: Cosine}},
		{"abx2021.across.cosine", "feat.", Config{Style: Style2021, Mode: Across, Distance: Cosine}},
		{"abx2021.within.cosine", "feat.", Config{Style: Style2021, Mode: Within, Distance: Cosine}},
		{"abx2021.across.euclidean", "feat_nonzero.", Config{Style: Style2021, Mode: Across, Distance: Euclidean}},
		{"abx2021.within.euclidean", "feat_nonzero.", Config{Style: Style2021, Mode: Within, Distance: Euclidean}},
		{"abx2021.across.hamming_units", "units.", Config{Style: Style2021, Mode: Across, Distance: Hamming}},
		{"abx2021.within.hamming_units", "units.", Config{Style: Style2021, Mode: Within, Distance: Hamming}},
		{"abx2019.across.kl_of_exp", "feat.", Config{Style: Style2019, Mode: Across, Distance: KL}},
	} {
		items, rows := items2021, rows2021
		if c.config.Style == Style2019 {
			items, rows = items2019, rows2019
		}
		segments := segmentsOf(f, c.kind, items, rows)
		if c.config.Distance == KL {
			exponentials(segments)
		}
		r, err := Evaluate(segments, c.config)
		if err != nil {
			t.Fatal(c.name, err)
		}
		f.Check(c.name+".error_percent", []float32{float32(100 * r.Error)})
		f.CheckInts(c.name+".cells", []int32{int32(r.Cells)})
		if c.config.Distance.Symbolic() {
			continue
		}
		// Every segment twice: then most frames repeat and are numbered. As
		// another context, the copy leaves all means as they are.
		for _, s := range segments {
			s.Context += " again"
			segments = append(segments, s)
		}
		if _, _, ok := codebookOf(pointers(segments)); !ok {
			t.Fatalf("%s: the frames of %d segments were not numbered", c.name, len(segments))
		}
		r, err = Evaluate(segments, c.config)
		if err != nil {
			t.Fatal(c.name, err)
		}
		f.Check(c.name+".error_percent", []float32{float32(100 * r.Error)})
	}
	checkAlignments(t, f)
	f.RequireAllUsed()
}

func pointers(segments []Segment) []*Segment {
	var out []*Segment
	for i := range segments {
		out = append(out, &segments[i])
	}
	return out
}

func checkAlignments(t *testing.T, f *golden.File) {
	t.Helper()
	one := func(v float64) []float32 { return []float32{float32(v)} }
	var a aligner
	for n := 0; f.Has(fmt.Sprintf("dtw%d.x", n)); n++ {
		pre := fmt.Sprintf("dtw%d.", n)
		var p [2]prepared
		var frames [2]int
		dim := 0
		for i, name := range []string{"x", "y"} {
			frames[i], dim = f.Shape(pre + name)[0], f.Shape(pre + name)[1]
			p[i] = prepare(&Segment{Dim: dim, Frames: f.F32(pre + name)}, Cosine)
		}
		s := &space{config: Config{Style: Style2019, Distance: Cosine}}
		var all []float32
		row := func(dst []float64, i int) {
			s.distances(dst, &p[0], i, &p[1], dim)
			for _, d := range dst {
				all = append(all, float32(d))
			}
		}
		cost, length := a.warp(frames[0], frames[1], row)
		f.Check(pre+"cosine", all, frames[0], frames[1])
		f.Check(pre+"cost", one(cost))
		f.CheckInts(pre+"path_length", []int32{length.rowsX})
		f.Check(pre+"normalised", one(cost/float64(length.rowsX)))
	}
	for n := 0; f.Has(fmt.Sprintf("dtw_symbols%d.x", n)); n++ {
		pre := fmt.Sprintf("dtw_symbols%d.", n)
		x, y := f.I32(pre+"x"), f.I32(pre+"y")
		s := &space{config: Config{Distance: Hamming, Unnormalised: true}, symbols: [][]int32{x, y}}
		s.segments = []*Segment{{Symbols: x}, {Symbols: y}}
		cost, _ := s.between(&a, 0, 1)
		s.config.Unnormalised = false
		rowsX, rowsY := s.between(&a, 0, 1)
		f.Check(pre+"cost", one(cost))
		f.CheckInts(pre+"path_length_rows_x", []int32{int32(cost/rowsX + 0.5)})
		f.CheckInts(pre+"path_length_rows_y", []int32{int32(cost/rowsY + 0.5)})
		if again, _ := s.between(&a, 1, 0); again != rowsY {
			t.Errorf("%swith y first: %v, want %v", pre, again, rowsY)
		}
	}
	for n := 0; f.Has(fmt.Sprintf("edit%d.x", n)); n++ {
		pre := fmt.Sprintf("edit%d.", n)
		x, y := f.I32(pre+"x"), f.I32(pre+"y")
		f.CheckInts(pre+"distance", []int32{int32(a.edit(x, y))})
		f.CheckInts(pre+"distance", []int32{int32(a.edit(y, slices.Clone(x)))})
	}
}

// exponentials takes exp of all frames, so that they are positive.
func exponentials(segments []Segment) {
	for i := range segments {
		frames := slices.Clone(segments[i].Frames)
		for j, v := range frames {
			frames[j] = float32(math.Exp(float64(v)))
		}
		segments[i].Frames = frames
	}
}
