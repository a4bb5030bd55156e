package recipes

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder copies YAML nodes into structs by their yaml tags. Against
// yaml.Decoder with KnownFields it names the key instead of the Go type, and
// reports everything that is wrong instead of the first.
type decoder struct {
	at   func(line int, key string) string // where a value stands: "file:line: key"
	errs []error
}

// maxErrors ends the list of a hopeless file.
const maxErrors = 20

func (d *decoder) fail(line int, key, format string, args ...any) {
	if len(d.errs) >= maxErrors {
		return
	}
	d.errs = append(d.errs, fmt.Errorf("%s: %s", d.at(line, printable(key)), fmt.Sprintf(format, args...)))
}

// value decodes n into the struct, slice or scalar that ptr points to.
func (d *decoder) value(n *yaml.Node, ptr any, key string) {
	d.reflect(n, reflect.ValueOf(ptr).Elem(), key)
}

func (d *decoder) reflect(n *yaml.Node, v reflect.Value, key string) {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch v.Kind() {
	case reflect.Struct:
		d.section(n, line, v, key)
	case reflect.Slice:
		d.list(n, line, v, key)
	default:
		d.scalar(n, line, v, key)
	}
}

// section decodes a mapping into the fields of a struct. A section without
// any key ("train:" and nothing below) leaves the defaults.
func (d *decoder) section(n *yaml.Node, line int, v reflect.Value, key string) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(line, key, "want a section with keys %s", strings.Join(fieldNames(v.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode || k.Kind != yaml.ScalarNode {
			d.fail(k.Line, key, "a key must be a plain word")
			continue
		}
		full := k.Value
		if key != "" {
			full = key + "." + k.Value
		}
		field, ok := fieldByTag(v, k.Value)
		switch {
		case !ok:
			d.fail(k.Line, full, "unknown key, want one of %s", strings.Join(fieldNames(v.Type()), ", "))
		case seen[k.Value]:
			d.fail(k.Line, full, "duplicate key")
		default:
			d.reflect(n.Content[i+1], field, full)
		}
		seen[k.Value] = true
	}
}

// list decodes a sequence; it replaces the default.
func (d *decoder) list(n *yaml.Node, line int, v reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		d.fail(line, key, "want a list such as [a, b] (got %s)", describe(n))
		return
	}
	if len(n.Content) == 0 {
		v.SetZero()
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.reflect(item, out.Index(i), key)
	}
	v.Set(out)
}

// scalar decodes a word or number. Text takes any scalar but null, so that a
// split called 2019 needs no quotes.
func (d *decoder) scalar(n *yaml.Node, line int, v reflect.Value, key string) {
	tag := ""
	if n.Kind == yaml.ScalarNode {
		tag = n.ShortTag()
	}
	var want string
	ok := false
	switch v.Kind() {
	case reflect.String:
		want = "a word"
		if ok = tag != "" && tag != "!!null"; ok {
			v.SetString(n.Value)
		}
	case reflect.Int, reflect.Uint64:
		want = "a whole number"
		if v.Kind() == reflect.Uint64 {
			want = "a whole number from 0"
		}
		// yaml.v3 cuts 1.5 to 1, so what is written with a point or an
		// exponent is checked here: 2e4 is a whole number, 1.5 is not.
		var f float64
		switch {
		case tag == "!!int":
			ok = n.Decode(v.Addr().Interface()) == nil
		case tag == "!!float" && n.Decode(&f) == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 && (f >= 0 || v.Kind() == reflect.Int):
			v.Set(reflect.ValueOf(f).Convert(v.Type()))
			ok = true
		}
	case reflect.Float64:
		want = "a finite number"
		ok = (tag == "!!int" || tag == "!!float") && n.Decode(v.Addr().Interface()) == nil &&
			!math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0)
	case reflect.Bool:
		want = "true or false"
		ok = tag == "!!bool" && n.Decode(v.Addr().Interface()) == nil
	default:
		want = "nothing: the type " + v.Type().String() + " cannot be set"
	}
	if !ok {
		d.fail(line, key, "want %s (got %s)", want, describe(n))
	}
}

// describe shows a node in an error, shortened to stay on one line.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	}
	if isNull(n) {
		return "no value"
	}
	if n.ShortTag() == "!!str" {
		return fmt.Sprintf("%.42q", printable(n.Value))
	}
	return printable(n.Value)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// printable shortens s and replaces what would break the line.
func printable(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return '�'
		}
		return r
	}, s)
}

func tagName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// inlined says that the keys of a struct stand among those of the one around it.
func inlined(f reflect.StructField) bool { return f.Tag.Get("yaml") == ",inline" }

func fieldByTag(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if inlined(f) {
			if field, ok := fieldByTag(v.Field(i), name); ok {
				return field, true
			}
		} else if t := tagName(f); t == name && t != "" && t != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if inlined(f) {
			names = append(names, fieldNames(f.Type)...)
		} else if name := tagName(f); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
