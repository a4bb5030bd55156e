package torchfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// maxPickle bounds the bytes of the pickles of a file. A published speech
// checkpoint with its optimiser has about 30 kB.
const maxPickle = 1 << 20

// global is a name that a pickle refers to, "module.name".
type global string

// unpickler runs pickles, one after another, that share a limit of bytes.
// Every operation takes at least a byte and makes at most one small value, so
// the limit bounds time and memory.
type unpickler struct {
	r          *bufio.Reader
	pos        int64 // bytes read
	persistent func(id Tuple) (any, error)

	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
}

func newUnpickler(r io.Reader, persistent func(Tuple) (any, error)) *unpickler {
	return &unpickler{r: bufio.NewReader(r), persistent: persistent}
}

// load runs one pickle and returns its value.
func (u *unpickler) load() (any, error) {
	u.stack, u.marks, u.memo = nil, nil, map[uint32]any{}
	for {
		op, err := u.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' { // STOP
			return u.pop()
		}
		if err := u.run(op[0]); err != nil {
			return nil, err
		}
	}
}

// take returns the next n bytes.
func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(maxPickle-u.pos) {
		return nil, formatErrorf("pickle of more than %d bytes", maxPickle)
	}
	b := make([]byte, n)
	got, err := io.ReadFull(u.r, b)
	u.pos += int64(got)
	switch {
	case err == nil:
		return b, nil
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, formatErrorf("file ends at byte %d of the pickle", u.pos)
	}
	return nil, fmt.Errorf("torchfile: %w", err)
}

// number reads an unsigned little-endian integer of n bytes.
func (u *unpickler) number(n uint64) (uint64, error) {
	var b [8]byte
	p, err := u.take(n)
	copy(b[:], p)
	return binary.LittleEndian.Uint64(b[:]), err
}

// text reads a length of so many bytes and a string of that length.
func (u *unpickler) text(lengthBytes uint64) (string, error) {
	n, err := u.number(lengthBytes)
	if err != nil {
		return "", err
	}
	b, err := u.take(n)
	return string(b), err
}

// line reads up to a newline.
func (u *unpickler) line() (string, error) {
	var s strings.Builder
	for {
		b, err := u.take(1)
		if err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return s.String(), nil
		}
		s.WriteByte(b[0])
	}
}

// run does one operation. These are the ones that torch.save writes with any
// protocol from 2 on, for the values of this package.
func (u *unpickler) run(op byte) error {
	switch op {
	case 0x80: // PROTO
		_, err := u.take(1)
		return err
	case 0x95: // FRAME
		_, err := u.take(8)
		return err
	case '(': // MARK
		u.marks = append(u.marks, len(u.stack))
		return nil
	case '0': // POP
		_, err := u.pop()
		return err
	case 'N':
		return u.push(nil, nil)
	case 0x88:
		return u.push(true, nil)
	case 0x89:
		return u.push(false, nil)
	case '}':
		return u.push(&Dict{}, nil)
	case ']':
		return u.push(&List{}, nil)
	case ')':
		return u.push(Tuple(nil), nil)
	case 'K', 'M', 'J', 0x8a: // BININT1, BININT2, BININT, LONG1
		return u.integer(op)
	case 'G': // BINFLOAT, the only big-endian one
		b, err := u.take(8)
		if err != nil {
			return err
		}
		return u.push(math.Float64frombits(binary.BigEndian.Uint64(b)), nil)
	case 0x8c: // SHORT_BINUNICODE
		s, err := u.text(1)
		return u.push(s, err)
	case 'X': // BINUNICODE
		s, err := u.text(4)
		return u.push(s, err)
	case 't', 0x85, 0x86, 0x87: // TUPLE, TUPLE1, TUPLE2, TUPLE3
		return u.tuple(op)
	case 'a', 'e': // APPEND, APPENDS
		return u.appendItems(op == 'e')
	case 's', 'u': // SETITEM, SETITEMS
		return u.setItems(op == 'u')
	case 'q', 'r', 0x94: // BINPUT, LONG_BINPUT, MEMOIZE
		return u.put(op)
	case 'h', 'j': // BINGET, LONG_BINGET
		return u.get(op)
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		return u.global(op)
	case 'R':
		return u.reduce()
	case 'b':
		return u.build()
	case 'Q': // BINPERSID
		id, err := u.pop()
		if err != nil {
			return err
		}
		t, ok := id.(Tuple)
		if !ok {
			return formatErrorf("persistent id is a %s, want a tuple", typeName(id))
		}
		v, err := u.persistent(t)
		return u.push(v, err)
	}
	return unsupportedErrorf("pickle operation %#02x at byte %d", op, u.pos-1)
}

// push appends a value to the stack, unless there was an error.
func (u *unpickler) push(v any, err error) error {
	if err == nil {
		u.stack = append(u.stack, v)
	}
	return err
}

// floor is the height under which operations without a mark may not reach.
func (u *unpickler) floor() int {
	if len(u.marks) == 0 {
		return 0
	}
	return u.marks[len(u.marks)-1]
}

func (u *unpickler) pop() (any, error) {
	v, err := u.popN(1)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// popN takes the n values on top; what it returns is valid until the next push.
func (u *unpickler) popN(n int) ([]any, error) {
	at := len(u.stack) - n
	if at < u.floor() {
		return nil, formatErrorf("pickle takes more from its stack than there is, at byte %d", u.pos)
	}
	v := u.stack[at:]
	u.stack = u.stack[:at]
	return v, nil
}

// popMark takes the values above the last mark; what it returns is valid until
// the next push.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, formatErrorf("pickle without a mark at byte %d", u.pos)
	}
	at := u.floor()
	u.marks = u.marks[:len(u.marks)-1]
	v := u.stack[at:]
	u.stack = u.stack[:at]
	return v, nil
}

// top returns the value on top without taking it.
func (u *unpickler) top() (any, error) {
	v, err := u.pop()
	if err != nil {
		return nil, err
	}
	u.stack = u.stack[:len(u.stack)+1]
	return v, nil
}

func (u *unpickler) integer(op byte) error {
	var n uint64
	switch op {
	case 'K':
		n = 1
	case 'M':
		n = 2
	case 'J':
		n = 4
	default:
		var err error
		if n, err = u.number(1); err != nil {
			return err
		}
		if n > 8 {
			return unsupportedErrorf("integer of %d bytes", n)
		}
	}
	v, err := u.number(n)
	x := int64(v)
	if unused := 64 - 8*n; (op == 'J' || op == 0x8a) && n > 0 { // these two have a sign
		x = x << unused >> unused
	}
	return u.push(x, err)
}

func (u *unpickler) tuple(op byte) error {
	var items []any
	var err error
	if op == 't' {
		items, err = u.popMark()
	} else {
		items, err = u.popN(int(op-0x85) + 1)
	}
	return u.push(append(Tuple(nil), items...), err)
}

func (u *unpickler) appendItems(many bool) error {
	items, err := u.items(many, 1)
	if err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	list, ok := v.(*List)
	if !ok {
		return formatErrorf("pickle appends to a %s", typeName(v))
	}
	list.Items = append(list.Items, items...)
	return nil
}

func (u *unpickler) setItems(many bool) error {
	items, err := u.items(many, 2)
	if err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok || len(items)%2 != 0 {
		return formatErrorf("pickle sets %d keys and values of a %s", len(items), typeName(v))
	}
	for ; len(items) > 0; items = items[2:] {
		if err := d.set(items[0], items[1]); err != nil {
			return err
		}
	}
	return nil
}

// items returns the operands of an operation on a container below them: all
// above the mark, or n.
func (u *unpickler) items(many bool, n int) ([]any, error) {
	if many {
		return u.popMark()
	}
	return u.popN(n)
}

func (u *unpickler) put(op byte) error {
	key, err := uint64(len(u.memo)), error(nil)
	switch op {
	case 'q':
		key, err = u.number(1)
	case 'r':
		key, err = u.number(4)
	}
	if err != nil {
		return err
	}
	v, err := u.top()
	if err == nil {
		u.memo[uint32(key)] = v
	}
	return err
}

func (u *unpickler) get(op byte) error {
	n := uint64(1)
	if op == 'j' {
		n = 4
	}
	key, err := u.number(n)
	if err != nil {
		return err
	}
	v, ok := u.memo[uint32(key)]
	if !ok {
		return formatErrorf("pickle refers to memo %d, which is not set", key)
	}
	return u.push(v, nil)
}
