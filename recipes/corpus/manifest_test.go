package corpus

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

const goodLine = `{"id":"a","path":"x/a.wav","speaker":"1","split":"train","bytes":44,"samples":16000,"sample_rate":16000,` +
	`"seconds":1,"frames":101,"peak":0.5,"max_db":-3,"mel":"mel/a.npy","mel_bytes":32448}`

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(goodLine))
	f.Add([]byte(goodLine + "\n" + goodLine))
	f.Add([]byte(strings.Replace(goodLine, "101", "1e9", 1)))
	f.Add([]byte("\n\n{}\n"))
	f.Add([]byte(`{"id":"../a"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		us, err := readManifest(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, u := range us {
			if err := checkID(u.ID); err != nil || u.Mel != melPath(u.ID) {
				t.Errorf("accepted %+v", u)
			}
		}
	})
}

// TestManifestMemory wants memory in proportion to the file, whatever it says.
func TestManifestMemory(t *testing.T) {
	data := []byte(strings.Repeat(strings.Replace(goodLine, "101", "2000000000", 1)+"\n", 1) + strings.Repeat("[", 1<<19))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := readManifest(bytes.NewReader(data)); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("%d bytes allocated for a file of %d", got, len(data))
	}
}
