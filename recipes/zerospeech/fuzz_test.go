package zerospeech

import (
	"encoding/json"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// allocated is what f allocates, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// ceiling bounds the allocations of reading a list of so many bytes. The worst
// case is a list of shortest items: about 20 bytes each, 1 KB with the decoder's
// garbage.
func ceiling(bytes int) uint64 { return 1<<20 + 64*uint64(bytes) }

func FuzzList(f *testing.F) {
	for _, s := range []string{
		`[["a", 0, 1, "e/s/a"], ["b", 0.5, 1e2, "e/s/b"]]`, `[["a","b"],["a","c"]]`, `["x","y"]`, "", "[", "[[", `[["a",`, "[1,2", `[["../a",0,1,"a/b"]]`,
		`[["a", 1e308, 1e308, "e/s/a"]]`, strings.Repeat("[", 500), `[["\ud800",0,1,"a/b"]]`, "[" + strings.Repeat(`["a",0,1,"b/c"],`, 200) + "1]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := allocated(func() {
			entries, err := parseItems(data, parseEntry, func(e Entry) string { return e.Out })
			if err != nil && len(err.Error()) > 1<<16 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			for _, e := range entries {
				if !filepath.IsLocal(filepath.FromSlash(e.In)) || !filepath.IsLocal(filepath.FromSlash(e.Out)) || !(e.Segment.Start >= 0 && e.Segment.Duration > 0) {
					t.Errorf("accepted %+v", e)
				}
			}
			_, _ = parseItems(data, parseTarget, func(t target) string { return t.in })
		})
		if got > 2*ceiling(len(data)) {
			t.Errorf("%d bytes allocated for %d", got, len(data))
		}
	})
}

// TestAllocation reads lists that are made to be large in memory.
func TestAllocation(t *testing.T) {
	var b strings.Builder
	b.WriteString("[")
	for i := range 50000 {
		name, _ := json.Marshal([]any{"a", 0, 1, "b/" + string(rune('a'+i%26)) + strings.Repeat("x", i%7) + "/" + string(rune(0x4e00+i%20000))})
		b.Write(name)
		b.WriteString(",")
	}
	for name, text := range map[string]string{
		"many":   b.String(),
		"same":   "[" + strings.Repeat(`["a",0,1,"b/c"],`, 100000) + `["a",0,1,"b/c"]]`,
		"empty":  "[" + strings.Repeat(`[],`, 1000000) + `[]]`,
		"wide":   "[[" + strings.Repeat(`1,`, 4000000) + `1]]`,
		"nested": strings.Repeat("[", 4000000),
	} {
		got := allocated(func() {
			if _, err := parseItems([]byte(text), parseEntry, func(e Entry) string { return e.Out }); err == nil {
				t.Errorf("%s: no error", name)
			} else if len(err.Error()) > 2000 {
				t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
			}
		})
		if got > ceiling(len(text)) {
			t.Errorf("%s: %d bytes allocated for %d", name, got, len(text))
		}
	}
}
