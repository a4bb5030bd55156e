package torchfile

import "strconv"

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list.
type List struct{ Items []any }

// Dict is a Python dictionary, of whatever kind, in the order of insertion. Its
// keys are nil, bool, int64, float64 or string. Attributes, such as the
// _metadata of a state_dict, are dropped.
type Dict struct {
	Entries []Entry
	index   map[any]int // of the keys; nil while empty
}

// Entry is a key of a Dict and its value.
type Entry struct{ Key, Value any }

// Get returns the value of a key.
func (d *Dict) Get(key any) (value any, ok bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Entries[i].Value, true
}

// set stores a value; a key that is there keeps its place.
func (d *Dict) set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return unsupportedErrorf("dictionary key of type %s", typeName(key))
	}
	if i, ok := d.index[key]; ok {
		d.Entries[i].Value = value
		return nil
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	d.index[key] = len(d.Entries)
	d.Entries = append(d.Entries, Entry{key, value})
	return nil
}

// short names a value in an error: tuples may hold each other many times over.
func short(v any) string {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return typeName(v)
}

// typeName names the Python type of a value in errors.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Tensor:
		return "tensor"
	case *storage:
		return "storage"
	case global:
		return "global " + string(v)
	}
	return "unknown"
}
