package corpus

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// SplitHash returns 16 hexadecimal digits that tell which utterance of which
// speaker is in which split: the start of the SHA-256 of the lines "split TAB
// speaker TAB id NEWLINE", sorted bytewise. Figures can be compared only where it
// is the same; it belongs beside every one.
func SplitHash(us []Utterance) string {
	lines := make([]string, len(us))
	for i, u := range us {
		lines[i] = fmt.Sprintf("%s\t%s\t%s\n", u.Split, u.Speaker, u.ID)
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
