package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// legacyMagic begins a file of PyTorch before 1.6: a pickle of a number, of
// which the second byte, the protocol, may be another.
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

const legacyVersion = 1001

func isLegacy(start string) bool {
	return len(start) == len(legacyMagic) && start[:1] == legacyMagic[:1] && start[2:] == legacyMagic[2:]
}

// readLegacy reads the format of PyTorch before 1.6.
func readLegacy(r io.ReaderAt, size int64) (any, error) {
	const after = int64(len(legacyMagic))
	known := storages{}
	u := newUnpickler(io.NewSectionReader(r, after, size-after), func(id Tuple) (any, error) { return known.persistent(id) })
	version, err := u.load()
	if err != nil {
		return nil, err
	}
	if version != int64(legacyVersion) {
		n, _ := version.(int64)
		return nil, unsupportedErrorf("protocol version %d, want %d", n, legacyVersion)
	}
	machine, err := u.load()
	if err != nil {
		return nil, err
	}
	facts, ok := machine.(*Dict)
	if !ok {
		return nil, formatErrorf("facts of the machine are a %s, want a dict", typeName(machine))
	}
	if little, ok := facts.Get("little_endian"); ok && little != true {
		return nil, unsupportedErrorf("byte order of a big-endian machine")
	}
	object, err := u.load()
	if err != nil {
		return nil, err
	}
	keys, err := u.load()
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*List)
	if !ok {
		return nil, formatErrorf("storage keys are a %s, want a list", typeName(keys))
	}
	return object, known.place(list.Items, r, after+u.pos, size)
}

// place finds the storages, which stand one after another from pos on in the
// order of keys.
func (s storages) place(keys []any, r io.ReaderAt, pos, size int64) error {
	for _, key := range keys {
		name, _ := key.(string)
		st := s[name]
		if st == nil || st.bytes != nil {
			return formatErrorf("storage key %.40q is not one of the %d in use, or occurs twice", name, len(s))
		}
		var count [8]byte
		if err := readAt(r, count[:], pos, size); err != nil {
			return err
		}
		pos += int64(len(count))
		if n := int64(binary.LittleEndian.Uint64(count[:])); n != st.elements {
			return formatErrorf("storage %.40q has %d elements, want %d", name, n, st.elements)
		}
		begin, n := pos, st.elements*dtypes[st.dtype].size
		if n > size-begin {
			return formatErrorf("storage %.40q of %d bytes, but only %d follow", name, n, size-begin)
		}
		st.bytes = func() ([]byte, error) {
			b := make([]byte, n)
			return b, readAt(r, b, begin, size)
		}
		pos += n
	}
	for name, st := range s {
		if st.bytes == nil {
			return formatErrorf("storage %.40q is not in the file", name)
		}
	}
	return nil
}

// readAt fills p from a file of size bytes.
func readAt(r io.ReaderAt, p []byte, off, size int64) error {
	if int64(len(p)) > size-off {
		return formatErrorf("file ends at byte %d, want %d", size, off+int64(len(p)))
	}
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return formatErrorf("file ends at byte %d, want %d", off+int64(n), off+int64(len(p)))
	}
	return fmt.Errorf("torchfile: %w", err)
}
