package celeba

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// splits are the parts of list_eval_partition.txt, by their number.
var splits = [3]string{"train", "valid", "test"}

const (
	maxLineBytes = 256
	maxListed    = 1 << 20 // files; CelebA has 202,599
)

// readPartition reads the lines "000001.jpg 0" of list_eval_partition.txt: a
// file name and the number of its split. It returns the names of each split in
// the order of the list. Errors name the line.
func readPartition(r io.Reader) (parts [len(splits)][]string, err error) {
	br := bufio.NewReaderSize(r, maxLineBytes)
	seen := map[string]int{}
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return parts, fmt.Errorf("line %d: longer than %d bytes", n, maxLineBytes)
		}
		if err != nil && err != io.EOF {
			return parts, err
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			name, part, err := partitionLine(text)
			if err == nil && seen[name] != 0 {
				err = fmt.Errorf("%s is in line %d too", name, seen[name])
			}
			if err == nil && len(seen) == maxListed {
				err = fmt.Errorf("more than %d files", maxListed)
			}
			if err != nil {
				return parts, fmt.Errorf("line %d: %w", n, err)
			}
			seen[name] = n
			parts[part] = append(parts[part], name)
		}
		if err == io.EOF {
			return parts, nil
		}
	}
}

func partitionLine(text string) (name string, part int, err error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return "", 0, fmt.Errorf("%.60q, want a file name and 0, 1 or 2", text)
	}
	name = fields[0]
	if strings.ContainsAny(name, "/\\:\x00") || strings.HasPrefix(name, ".") {
		return "", 0, fmt.Errorf("%.60q is no plain file name", name)
	}
	part = strings.Index("012", fields[1])
	if len(fields[1]) != 1 || part < 0 {
		return "", 0, fmt.Errorf("split %.60q, want 0, 1 or 2", fields[1])
	}
	return name, part, nil
}
