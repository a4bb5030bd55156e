package quant

import "testing"

func TestSample(t *testing.T) {
	p := []float32{0, 0.25, 0, 0.5, 0.25}
	for _, c := range []struct {
		u    float32
		want uint16
	}{{0, 1}, {0.2499, 1}, {0.25, 3}, {0.7499, 3}, {0.75, 4}, {0.999, 4}, {1, 4}} {
		if got := Sample(p, c.u); got != c.want {
			t.Errorf("Sample(%v) = %d, want %d", c.u, got, c.want)
		}
	}
	if got := Sample([]float32{0.5, 0.4999}, 0.99995); got != 1 {
		t.Errorf("a sum below u gives %d, want the last code", got)
	}
}
