package pytorch

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// maxSpeakers bounds a list of speakers (bytes).
const maxSpeakers = 1 << 20

// ReadSpeakers reads the speakers.json of a data set, a list of ids, and
// returns the ids in the order of the decoder's rows: the published code
// numbers them as they sort.
func ReadSpeakers(r io.Reader) ([]string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSpeakers+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSpeakers {
		return nil, fmt.Errorf("more than %d bytes, want a list of speaker ids", maxSpeakers)
	}
	var ids []*string
	if err := json.Unmarshal(b, &ids); err != nil {
		return nil, fmt.Errorf(`want a list of speaker ids such as ["p225", "p226"]: %w`, err)
	}
	var list []string
	for _, id := range ids {
		if id == nil || *id == "" {
			return nil, fmt.Errorf("speaker %d has no id", len(list))
		}
		list = append(list, *id)
	}
	slices.Sort(list)
	for i := range list[min(1, len(list)):] {
		if list[i] == list[i+1] {
			return nil, fmt.Errorf("speaker %q occurs twice", list[i])
		}
	}
	return list, nil
}

// SetSpeakers names the decoder's rows.
func (c *Checkpoint) SetSpeakers(ids []string) error {
	if len(ids) != len(c.Config.Speakers) {
		return fmt.Errorf("%d speakers, want %d, as the checkpoint has rows", len(ids), len(c.Config.Speakers))
	}
	c.Config.Speakers = ids
	return nil
}
