package training

import (
	"strings"
	"testing"
)

// TestOneAtATime begins a run where another one is at work.
func TestOneAtATime(t *testing.T) {
	dir, tried := t.TempDir(), false
	o := everySecond
	o.Progress = func(bool) {
		tried = true
		other := &journal{}
		err := loop(t, t.Context(), other, dir, everySecond)
		if err == nil || !strings.HasPrefix(err.Error(), dir+": another training run is at work there") || other.calls != nil {
			t.Errorf("a second run: error %v after %q", err, other.calls)
		}
	}
	if err := loop(t, t.Context(), &journal{}, dir, o); err != nil || !tried {
		t.Fatalf("error %v, a second run was tried: %v", err, tried)
	}
	if err := loop(t, t.Context(), &journal{steps: 5}, dir, everySecond); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
}
