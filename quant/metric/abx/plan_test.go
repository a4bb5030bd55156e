package abx

import (
	"strings"
	"testing"
)

// TestTooManyPairs asks for more distances of two speakers than are kept.
func TestTooManyPairs(t *testing.T) {
	v := voice{groups: []group{{0, make([]int, 1<<13)}, {1, make([]int, 1<<13)}}}
	p := plan{tasks: []task{{0, v, v}}}
	if err := p.check(); err == nil || !strings.Contains(err.Error(), "16384 items of one context and speaker against 16384") {
		t.Errorf("error %v", err)
	}
	v.groups = v.groups[:1]
	p.tasks[0].s = v
	if err := p.check(); err != nil {
		t.Error(err)
	}
}
