package fields_test

import (
	"errors"
	"math"
	"testing"

	"vqspeech/internal/fields"
)

func TestCheck(t *testing.T) {
	c := fields.Of("train")
	c.That(true, "a", "true", false)
	c.Between("b", 1, 1, 3)
	c.Between("b", 3, 1, 3)
	c.Within("c", 0.5, 0.5, 1)
	c.AtLeast("d", 2, 2)
	c.Also(nil)
	if err := c.Err(); err != nil {
		t.Fatalf("fields in range: %v", err)
	}
	c.That(false, "a", `"x" or "y"`, "z")
	c.Between("b", 0, 1, 3)
	c.Between("b", 4, 1, 3)
	c.Within("c", math.NaN(), 1e-3, 1e3)
	c.Within("c", math.Inf(1), 0, 1)
	c.AtLeast("d", 1, 2)
	other := errors.New("quantizer: wrong")
	c.Also(other)
	const want = `train.a: must be "x" or "y" (got z)
train.b: must be between 1 and 3 (got 0)
train.b: must be between 1 and 3 (got 4)
train.c: must be between 0.001 and 1000 (got NaN)
train.c: must be between 0 and 1 (got +Inf)
train.d: must be at least 2 (got 1)
quantizer: wrong`
	if err := c.Err(); err.Error() != want || !errors.Is(err, other) {
		t.Errorf("got %v\nwant %s", err, want)
	}
	top := fields.Of("")
	top.AtLeast("height", 0, 1)
	if err := top.Err(); err.Error() != "height: must be at least 1 (got 0)" {
		t.Errorf("got %v", err)
	}
}
