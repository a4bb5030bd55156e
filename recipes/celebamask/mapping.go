package celebamask

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxLineBytes = 256
	maxFaces     = 1 << 20 // CelebAMask-HQ has 30,000
)

// face is a line of the mapping: an image of CelebA-HQ and the image of CelebA
// that it was made of.
type face struct{ index, original int }

// readMapping reads CelebA-HQ-to-CelebA-mapping.txt: a heading, then lines of
// the index of CelebA-HQ, the index of CelebA and its file name. Errors name
// the line.
func readMapping(r io.Reader) ([]face, error) {
	br := bufio.NewReaderSize(r, maxLineBytes)
	var faces []face
	seen := map[int]int{}
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("line %d: longer than %d bytes", n, maxLineBytes)
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		text := strings.TrimSpace(string(line))
		if text != "" && (n > 1 || !strings.HasPrefix(text, "idx")) {
			f, err := mappingLine(text)
			if err == nil && seen[f.index] != 0 {
				err = fmt.Errorf("index %d is in line %d too", f.index, seen[f.index])
			}
			if err == nil && len(faces) == maxFaces {
				err = fmt.Errorf("more than %d images", maxFaces)
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			seen[f.index] = n
			faces = append(faces, f)
		}
		if err == io.EOF {
			return faces, nil
		}
	}
}

func mappingLine(text string) (face, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 || len(fields) > 3 {
		return face{}, fmt.Errorf("%.60q, want two indices and a file name", text)
	}
	var n [2]int
	for i := range n {
		v, err := strconv.Atoi(fields[i])
		if err != nil || v < 0 || v >= 1<<31 {
			return face{}, fmt.Errorf("%.60q is no index", fields[i])
		}
		n[i] = v
	}
	return face{n[0], n[1]}, nil
}
