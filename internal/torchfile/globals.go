package torchfile

import "strings"

const (
	orderedDict   global = "collections.OrderedDict"
	counter       global = "collections.Counter" // of a learning rate schedule: steps and how often
	rebuildTensor global = "torch._utils._rebuild_tensor_v2"
)

// global resolves a name: one of the three above, or a storage class. All
// others are refused.
func (u *unpickler) global(op byte) error {
	var module, name string
	var err error
	if op == 'c' {
		if module, err = u.line(); err == nil {
			name, err = u.line()
		}
	} else {
		var v []any
		if v, err = u.popN(2); err == nil {
			var ok [2]bool
			module, ok[0] = v[0].(string)
			name, ok[1] = v[1].(string)
			if !ok[0] || !ok[1] {
				return formatErrorf("pickle names a global by %s and %s", typeName(v[0]), typeName(v[1]))
			}
		}
	}
	if err != nil {
		return err
	}
	g := global(module + "." + name)
	if _, ok := storageDType(g); !ok && g != orderedDict && g != counter && g != rebuildTensor {
		return unsupportedErrorf("the file wants to use %.80q; only tensors and plain containers are read, and nothing is run", string(g))
	}
	return u.push(g, nil)
}

// storageDType returns the element type of a storage class.
func storageDType(g global) (DType, bool) {
	name, ok := strings.CutPrefix(string(g), "torch.")
	if !ok {
		return 0, false
	}
	name, ok = strings.CutSuffix(name, "Storage")
	if !ok {
		return 0, false
	}
	for d, t := range dtypes {
		if t.storage == name {
			return DType(d), true
		}
	}
	return 0, false
}

// reduce "calls" a global with a tuple of arguments.
func (u *unpickler) reduce() error {
	v, err := u.popN(2)
	if err != nil {
		return err
	}
	g, ok := v[0].(global)
	args, isTuple := v[1].(Tuple)
	if !ok || !isTuple {
		return formatErrorf("pickle calls a %s with a %s", typeName(v[0]), typeName(v[1]))
	}
	switch {
	case g == rebuildTensor:
		t, err := newTensor(args)
		if err != nil {
			return err
		}
		return u.push(t, nil)
	case (g == orderedDict || g == counter) && len(args) == 0:
		return u.push(&Dict{}, nil)
	case g == counter && len(args) == 1:
		// The dictionary itself: to copy it again and again would not be bounded.
		if d, ok := args[0].(*Dict); ok {
			return u.push(d, nil)
		}
	}
	return unsupportedErrorf("call of %s with %d arguments", g, len(args))
}

// build sets the attributes of an object; those of a dictionary are dropped.
func (u *unpickler) build() error {
	if _, err := u.pop(); err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	if _, ok := v.(*Dict); !ok {
		return unsupportedErrorf("attributes of a %s", typeName(v))
	}
	return nil
}
