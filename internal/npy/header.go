package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// fileHeader is what the dictionary of a file says.
type fileHeader struct {
	descr string
	shape []int
}

// readHeader reads everything in front of the data.
func readHeader(r io.Reader) (fileHeader, error) {
	var fixed [10]byte
	if err := readFull(r, fixed[:], "first %d bytes", len(fixed)); err != nil {
		return fileHeader{}, err
	}
	if string(fixed[:6]) != magic {
		return fileHeader{}, formatErrorf("file begins with %q, want %q", fixed[:6], magic)
	}
	if fixed[6] != 1 || fixed[7] != 0 {
		return fileHeader{}, UnsupportedError(fmt.Sprintf("version %d.%d, want 1.0", fixed[6], fixed[7]))
	}
	text := make([]byte, binary.LittleEndian.Uint16(fixed[8:]))
	if err := readFull(r, text, "header of %d bytes", len(text)); err != nil {
		return fileHeader{}, err
	}
	return parseDict(string(text))
}

// parseDict reads the dictionary: exactly the keys descr, fortran_order and
// shape, in any order.
func parseDict(text string) (fileHeader, error) {
	var h fileHeader
	s := scanner{text: text}
	seen := map[string]bool{}
	s.want("{")
	for s.ok() && !s.accept("}") {
		key := s.str()
		if seen[key] {
			s.fail("key %q occurs twice", key)
		}
		seen[key] = true
		s.want(":")
		switch key {
		case "descr":
			h.descr = s.str()
		case "fortran_order":
			if s.accept("True") {
				return h, UnsupportedError("Fortran order")
			}
			s.want("False")
		case "shape":
			h.shape = s.tuple()
		default:
			s.fail("unknown key %q", key)
		}
		if !s.accept(",") {
			s.want("}")
			break
		}
	}
	if s.ok() && len(seen) != 3 {
		s.fail("header has %d keys, want descr, fortran_order and shape", len(seen))
	}
	if s.ok() && strings.Trim(s.text, " \n") != "" {
		s.fail("%d bytes after the dictionary", len(s.text))
	}
	return h, s.err
}

// scanner takes a Python literal apart. After the first failure it stands
// still.
type scanner struct {
	text string // what is left
	err  error
}

func (s *scanner) ok() bool { return s.err == nil }

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = formatErrorf(format, args...)
	}
}

// accept skips spaces and takes token if it comes next.
func (s *scanner) accept(token string) bool {
	s.text = strings.TrimLeft(s.text, " ")
	rest, ok := strings.CutPrefix(s.text, token)
	if ok && s.err == nil {
		s.text = rest
		return true
	}
	return false
}

func (s *scanner) want(token string) {
	if !s.accept(token) {
		s.fail("header has %.20q where %q is expected", s.text, token)
	}
}

// str takes a string without escapes, in single or double quotes.
func (s *scanner) str() string {
	for _, quote := range []string{"'", `"`} {
		if s.accept(quote) {
			body, rest, ok := strings.Cut(s.text, quote)
			if !ok || strings.ContainsAny(body, "\\\n") || len(body) > 64 {
				s.fail("header has a string that is not ended, too long or escaped")
				return ""
			}
			s.text = rest
			return body
		}
	}
	s.fail("header has %.20q where a string is expected", s.text)
	return ""
}

// tuple takes a tuple of non-negative integers, such as () or (3,) or (3, 4).
func (s *scanner) tuple() []int {
	list := []int{}
	s.want("(")
	for s.ok() && !s.accept(")") {
		list = append(list, s.number())
		if len(list) > maxRank {
			s.fail("shape has more than %d axes", maxRank)
		}
		if s.accept(",") {
			continue
		}
		if len(list) == 1 {
			s.want(",") // (3) is a number, not a tuple
		}
		s.want(")")
		break
	}
	return list
}

func (s *scanner) number() int {
	s.text = strings.TrimLeft(s.text, " ")
	digits := len(s.text) - len(strings.TrimLeft(s.text, "0123456789"))
	n, err := strconv.Atoi(s.text[:digits])
	if err != nil {
		s.fail("header has %.20q where a dimension is expected", s.text)
	}
	s.text = s.text[digits:]
	return n
}
