// Package fields checks the fields of configurations. What is wrong becomes one
// error a field, of one line that names the field, what it must be and what it is.
package fields

import (
	"errors"
	"fmt"
)

// Check collects what is wrong with the fields of one section of a configuration.
type Check struct {
	section string
	errs    []error
}

// Of returns a check of a section, "train" for example. Fields of "" stand at the
// top.
func Of(section string) *Check { return &Check{section: section} }

// That fails a field that is not ok.
func (c *Check) That(ok bool, field, want string, got any) {
	if ok {
		return
	}
	if c.section != "" {
		field = c.section + "." + field
	}
	c.errs = append(c.errs, fmt.Errorf("%s: must be %s (got %v)", field, want, got))
}

// Between fails a field that is below lo or above hi.
func (c *Check) Between(field string, got, lo, hi int) {
	if got < lo || got > hi {
		c.That(false, field, fmt.Sprintf("between %d and %d", lo, hi), got)
	}
}

// Within fails a field that is not a number from lo to hi.
func (c *Check) Within(field string, got, lo, hi float64) {
	if !(got >= lo && got <= hi) {
		c.That(false, field, fmt.Sprintf("between %g and %g", lo, hi), got)
	}
}

// AtLeast fails a field that is below lo.
func (c *Check) AtLeast(field string, got, lo int) {
	if got < lo {
		c.That(false, field, fmt.Sprintf("at least %d", lo), got)
	}
}

// Also adds the errors of a part that checks itself; nil is none.
func (c *Check) Also(err error) {
	if err != nil {
		c.errs = append(c.errs, err)
	}
}

// Err returns all errors so far as one, nil if there are none.
func (c *Check) Err() error { return errors.Join(c.errs...) }
