package training

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLatest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "run")
	for _, resume := range []bool{false, true} {
		if path, err := Latest(dir, "mnist", resume); path != "" || err != nil {
			t.Errorf("a new folder: %q, %v", path, err)
		}
	}
	want := filepath.Join(dir, LatestFile)
	if err := os.WriteFile(want, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Latest(dir, "mnist", true); err == nil || !strings.Contains(err.Error(), ConfigFile) {
		t.Errorf("no %s: %v", ConfigFile, err)
	}
	for config, fault := range map[string]string{
		`{"data": "mnist"}`: "", `{}`: "", `{"data": "faces"}`: dir + ": the run is on other data: was faces, is mnist", "{": "unexpected end of JSON input",
	} {
		if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		path, err := Latest(dir, "mnist", true)
		if fault == "" && (path != want || err != nil) || fault != "" && (path != "" || err == nil || !strings.HasSuffix(err.Error(), fault)) {
			t.Errorf("a run of %s to resume: %q, %v, want %q", config, path, err, fault)
		}
	}
	if path, err := Latest(dir, "mnist", false); path != "" || err == nil || !strings.HasPrefix(err.Error(), dir+": a run is there already") {
		t.Errorf("a run that is not to be resumed: %q, %v", path, err)
	}
	if _, err := Latest(filepath.Join(want, "run"), "mnist", false); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestReadJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), ConfigFile)
	var v struct{ Step int }
	if err := ReadJSON(path, &v); err == nil || strings.Count(err.Error(), path) != 1 {
		t.Errorf("no file: %v", err)
	}
	for text, want := range map[string]string{
		`{"step":3}`: "", "{": "unexpected end of JSON input", strings.Repeat(" ", maxJSONBytes+1): "larger than 16777216 bytes",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		err := ReadJSON(path, &v)
		if want == "" && (err != nil || v.Step != 3) || want != "" && (err == nil || err.Error() != path+": "+want) {
			t.Errorf("%.20q: %+v, %v, want %s", text, v, err, want)
		}
	}
}
