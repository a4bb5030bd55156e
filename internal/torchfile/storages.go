package torchfile

import "math"

// storages are the storages of a file by key.
type storages map[string]*storage

// persistent returns the storage of a persistent id, ("storage", class, key,
// device, number of elements); old files have a sixth item, the view of a
// storage in another, which was never used by tensors.
func (s storages) persistent(id Tuple) (*storage, error) {
	if len(id) < 5 || id[0] != "storage" {
		return nil, unsupportedErrorf("persistent id of %d items, want a storage", len(id))
	}
	class, ok := id[1].(global)
	dtype, known := storageDType(class)
	key, ok2 := id[2].(string)
	n, ok3 := id[4].(int64)
	if !ok || !known || !ok2 || !ok3 {
		return nil, formatErrorf("storage by (%s, %s, %s), want class, key and number of elements", typeName(id[1]), typeName(id[2]), typeName(id[4]))
	}
	if len(id) > 5 && id[5] != nil {
		return nil, unsupportedErrorf("storage %.40q is a view of another", key)
	}
	if n < 0 || n > math.MaxInt64/dtypes[dtype].size {
		return nil, formatErrorf("storage %.40q of %d elements", key, n)
	}
	if have := s[key]; have != nil {
		if have.dtype != dtype || have.elements != n {
			return nil, formatErrorf("storage %.40q is %d of %v and %d of %v", key, have.elements, have.dtype, n, dtype)
		}
		return have, nil
	}
	s[key] = &storage{key: key, dtype: dtype, elements: n}
	return s[key], nil
}
