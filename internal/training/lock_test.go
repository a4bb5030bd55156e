package training

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestHold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "new")
	release, err := Hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hold(dir); err == nil || !strings.HasPrefix(err.Error(), dir+": another training run is at work there") {
		t.Errorf("a second run: error %v", err)
	}
	release()
	again, err := Hold(dir)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again()
}
