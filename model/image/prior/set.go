package prior

import "fmt"

// Set is a number of grids of codes, those of a set of images.
type Set struct {
	Codes   []uint16 // [N, H, W]
	Classes []uint8  // [N], of the images; nil for a prior that is not conditioned on them
	N       int
}

// Slice returns the grids from to to-1, without copying them.
func (s Set) Slice(from, to int) Set {
	size := len(s.Codes) / max(s.N, 1)
	s.Codes, s.N = s.Codes[from*size:to*size], to-from
	if s.Classes != nil {
		s.Classes = s.Classes[from:to]
	}
	return s
}

// Check reports why cfg cannot read s: another size, a code or a class that is
// none, or classes where there must be none.
func (s Set) Check(cfg Config) error {
	if s.N < 0 || len(s.Codes) != s.N*cfg.Positions() {
		return fmt.Errorf("prior: %d codes for %d grids of %d×%d", len(s.Codes), s.N, cfg.Height, cfg.Width)
	}
	for i, c := range s.Codes {
		if int(c) >= cfg.CodebookSize {
			return fmt.Errorf("prior: grid %d has the code %d, want less than %d", i/cfg.Positions(), c, cfg.CodebookSize)
		}
	}
	return checkClasses(cfg, s.Classes, s.N)
}

func checkClasses(cfg Config, classes []uint8, n int) error {
	switch {
	case cfg.Net.Classes == 0 && classes != nil:
		return fmt.Errorf("prior: classes for a prior that is not conditioned on them")
	case cfg.Net.Classes > 0 && len(classes) != n:
		return fmt.Errorf("prior: %d classes for %d grids", len(classes), n)
	}
	for i, c := range classes {
		if int(c) >= cfg.Net.Classes {
			return fmt.Errorf("prior: grid %d has the class %d, want less than %d", i, c, cfg.Net.Classes)
		}
	}
	return nil
}
