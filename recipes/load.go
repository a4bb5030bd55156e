package recipes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"vqspeech/internal/strict"
)

// maxFileBytes bounds what Load reads; recipes are a few hundred bytes. YAML
// nodes take up to 300 times the memory of their text.
const maxFileBytes = 128 << 10

// Load is one of the Parse functions for the file at path.
func Load[R any](path string, parse func(string, []byte, ...string) (R, error), overrides ...string) (R, error) {
	data, err := ReadFile(path)
	if err != nil {
		var none R
		return none, err
	}
	return parse(path, data, overrides...)
}

// ReadFile reads the recipe at path, which may be a pipe; errors begin with the path.
func ReadFile(path string) ([]byte, error) {
	data, err := strict.ReadFile(path, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, strict.Cause(err))
	}
	return data, nil
}

// Parse reads a recipe of speech over the defaults, applies the overrides
// ("section.key=value", later ones win) and validates the result; name stands for
// the file in errors.
//
// The error joins all that is wrong, one line each: "name:line: key: fault"
// for what is written wrongly, "name: key: fault" for values out of range.
func Parse(name string, data []byte, overrides ...string) (Recipe, error) {
	return parse(name, data, overrides, Default())
}

// parse decodes a recipe of any kind over the defaults in r.
func parse[R interface{ Validate() error }](name string, data []byte, overrides []string, r R) (R, error) {
	var none R
	if len(data) > maxFileBytes {
		return none, fmt.Errorf("%s: larger than %d bytes, not a recipe", name, maxFileBytes)
	}
	d := decoder{}
	d.document(name, data, &r)
	alone := r.Validate()
	for _, o := range overrides {
		d.override(o, &r)
	}
	if len(d.errs) > 0 {
		return none, errors.Join(d.errs...)
	}
	if err := r.Validate(); err != nil {
		if alone == nil { // it is the overrides that are wrong
			return none, prefixLines("--set ", err)
		}
		return none, prefixLines(name+": ", err)
	}
	return r, nil
}

// prefixLines puts what is at fault in front of every line of a joined error.
func prefixLines(prefix string, err error) error {
	var errs []error
	for line := range strings.Lines(err.Error()) {
		errs = append(errs, errors.New(prefix+strings.TrimSuffix(line, "\n")))
	}
	return errors.Join(errs...)
}

// document decodes one YAML document over r.
func (d *decoder) document(name string, data []byte, r any) {
	d.at = func(line int, key string) string {
		if key == "" {
			return fmt.Sprintf("%s:%d", name, line)
		}
		return fmt.Sprintf("%s:%d: %s", name, line, key)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err == io.EOF {
		return // empty: all defaults
	} else if err != nil {
		d.errs = append(d.errs, syntaxError(name, err))
		return
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		d.fail(second.Line, "", "a second YAML document, want one")
		return
	} else if err != io.EOF {
		d.errs = append(d.errs, syntaxError(name, err))
		return
	}
	d.value(doc.Content[0], r, "")
}

// override applies one "section.key=value"; the value is YAML.
func (d *decoder) override(o string, r any) {
	key, value, ok := strings.Cut(o, "=")
	if !ok || key == "" {
		d.errs = append(d.errs, fmt.Errorf("--set %s: want section.key=value", o))
		return
	}
	d.at = func(_ int, key string) string { return "--set " + key }
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		d.errs = append(d.errs, syntaxError("--set "+key, err))
		return
	}
	if doc.Kind == 0 {
		d.fail(0, key, "no value, want section.key=value")
		return
	}
	// The value is wrapped as the file would nest it, so that both are read
	// by the same code.
	n := doc.Content[0]
	names := strings.Split(key, ".")
	for i := len(names) - 1; i >= 0; i-- {
		n = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: names[i]}, n,
		}}
	}
	d.value(n, r, "")
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxError puts the line number of a YAML error behind the file name.
func syntaxError(name string, err error) error {
	msg := strings.Join(strings.Fields(err.Error()), " ")
	m := yamlLine.FindStringSubmatch(msg)
	if m == nil {
		return fmt.Errorf("%s: %s", name, msg)
	}
	if m[1] != "" {
		name += ":" + m[1]
	}
	return fmt.Errorf("%s: invalid YAML: %s", name, msg[len(m[0]):])
}
