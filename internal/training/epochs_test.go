package training_test

import (
	"fmt"
	"testing"

	"vqspeech/internal/training"
)

// TestEpochsAreShuffled checks that every epoch has each item once, in another
// order.
func TestEpochsAreShuffled(t *testing.T) {
	s := training.NewEpochs(10, 4, 7, 1)
	var orders [2][]int
	for epoch := range orders {
		seen := map[int]bool{}
		for i := range s.Steps() {
			batch := s.Items(epoch*s.Steps() + i)
			if want := []int{4, 4, 2}[i]; len(batch) != want {
				t.Errorf("batch %d has %d items, want %d", i, len(batch), want)
			}
			for _, k := range batch {
				seen[k] = true
			}
			orders[epoch] = append(orders[epoch], batch...)
		}
		if len(seen) != 10 {
			t.Errorf("epoch %d has %d of 10 items", epoch, len(seen))
		}
	}
	if fmt.Sprint(orders[0]) == fmt.Sprint(orders[1]) {
		t.Error("both epochs have the same order")
	}
}
