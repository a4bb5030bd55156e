package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// archive makes a file of a pickle and storages.
func archive(t testing.TB, pickle string, entries map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, data string, method uint16) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write([]byte(data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("x/data.pkl", pickle, zip.Store)
	for name, data := range entries {
		if plain, ok := strings.CutPrefix(name, "deflate "); ok {
			add(plain, data, zip.Deflate)
		} else {
			add(name, data, zip.Store)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func num(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func tuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

// storageOf is the persistent id of storage "0" of so many float32.
func storageOf(n int64) string {
	return tuple(str("storage"), "ctorch\nFloatStorage\n", str("0"), str("cpu"), num(n)) + "Q"
}

// tensorOf is a tensor in a storage of n elements.
func tensorOf(n, offset int64, size, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(storageOf(n), num(offset), size, stride, "\x89", "}") + "R."
}

func TestDamage(t *testing.T) {
	four := map[string]string{"x/data/0": strings.Repeat("\x00", 16)}
	one := func(n int64) string { return tuple(num(n)) }
	for _, c := range []struct {
		name, pickle string
		entries      map[string]string
		want         string
	}{
		{"call", "cposix\nsystem\n" + tuple(str("true")) + "R.", nil, `wants to use "posix.system"`},
		{"call by name", str("builtins") + str("eval") + "\x93.", nil, `wants to use "builtins.eval"`},
		{"names that are no text", "NN\x93.", nil, "by None and None"},
		{"storage class that is not", "ctorch\nQInt8Storage\n.", nil, `wants to use "torch.QInt8Storage"`},
		{"storage of another module", "ctorc\nFloatStorage\n.", nil, `wants to use "torc.FloatStorage"`},
		{"instance", "cos\nx\n", nil, `wants to use "os.x"`},
		{"old instance", "(ios\nsystem\n.", nil, "operation 0x69"},
		{"new object", "ccollections\nOrderedDict\n)\x81.", nil, "operation 0x81"},
		{"extension", "\x82\x01.", nil, "operation 0x82"},
		{"list as a call", "])R.", nil, "calls a list"},
		{"arguments", "ccollections\nOrderedDict\n" + tuple("]") + "R.", nil, "call of collections.OrderedDict with 1 arguments"},
		{"counter of a list", "ccollections\nCounter\n" + tuple("]") + "R.", nil, "call of collections.Counter"},
		{"attributes", "]}b.", nil, "attributes of a list"},
		{"no value", ".", nil, "more from its stack"},
		{"under the mark", "N(.", nil, "more from its stack"},
		{"no mark", "t.", nil, "without a mark"},
		{"append to a tuple", ")Na.", nil, "appends to a tuple"},
		{"set in a list", "]NNs.", nil, "of a list"},
		{"odd items", "}(Nu.", nil, "sets 1 keys and values"},
		{"key", "}]Ns.", nil, "dictionary key of type list"},
		{"memo", "h\x05.", nil, "memo 5"},
		{"integer", "\x8a\x09123456789.", nil, "integer of 9 bytes"},
		{"no end", "N", nil, "ends at byte 1"},
		{"long text", "X\xff\xff\xff\xff.", nil, "pickle of more than 1048576"},
		{"text cut", "X\xff\xff\x00\x00a.", nil, "ends at byte"},
		{"id", "NQ.", nil, "persistent id is a None"},
		{"module id", tuple(str("module"), "N", "N", "N", "N") + "Q.", nil, "want a storage"},
		{"id of nothings", tuple(str("storage"), "N", "N", "N", "N") + "Q.", nil, "storage by (None, None, None)"},
		{"storage view", tuple(str("storage"), "ctorch\nFloatStorage\n", str("0"), str("cpu"), num(4), ")") + "Q.", four, "view of another"},
		{"negative storage", storageOf(-1) + ".", four, "of -1 elements"},
		{"huge storage", storageOf(1<<62) + ".", four, "elements"},
		{"no storage", storageOf(4) + ".", nil, `entry "x/data/0" is missing`},
		{"short storage", storageOf(5) + ".", four, "has 16 bytes, want 20"},
		{"two sizes", storageOf(4) + storageOf(3) + ".", four, "is 4 of float32 and 3 of float32"},
		{"compressed", storageOf(4) + ".", map[string]string{"deflate x/data/0": strings.Repeat("\x00", 16)}, "compressed"},
		{"two pickles", "N.", map[string]string{"y/data.pkl": "N."}, "want one data.pkl"},
		{"entry twice", "N.", map[string]string{"deflate x/data.pkl": "N."}, "occurs twice"},
		{"big-endian", "N.", map[string]string{"x/byteorder": "big"}, `byte order "big"`},
		{"large pickle", strings.Repeat("N0", maxPickle/2) + "N.", nil, "pickle of 1048578 bytes"},
		{"too long", tensorOf(4, 0, one(5), one(1)), four, "does not fit"},
		{"behind", tensorOf(4, 4, one(1), one(1)), four, "does not fit"},
		{"negative offset", tensorOf(4, -1, one(1), one(1)), four, "does not fit"},
		{"offset", tensorOf(4, 2, one(3), one(1)), four, "does not fit"},
		{"stride", tensorOf(4, 0, one(3), one(2)), four, "does not fit"},
		{"huge stride", tensorOf(4, 0, one(3), one(1<<62)), four, "does not fit"},
		{"expanded", tensorOf(4, 0, one(1<<40), one(0)), four, "does not fit"},
		{"product", tensorOf(4, 0, tuple(num(1<<32), num(1<<32)), tuple(num(0), num(0))), four, "does not fit"},
		{"negative size", tensorOf(4, 0, one(-1), one(1)), four, "size -1"},
		{"tuples of tuples", tensorOf(4, 0, "()q\x00"+strings.Repeat("h\x00\x86q\x00", 40)+"t", one(1)), four, "size tuple and stride 1 in axis 0"},
		{"negative stride", tensorOf(4, 0, one(2), one(-1)), four, "stride -1"},
		{"ranks", tensorOf(4, 0, one(1), ")"), four, "1 sizes and 0 strides"},
		{"rank", tensorOf(4, 0, tuple(strings.Repeat("K\x01", 17)), tuple(strings.Repeat("K\x01", 17))), four, "at most 16"},
		{"argument types", "ctorch._utils\n_rebuild_tensor_v2\n" + tuple("N", "N", "N", "N") + "R.", nil, "tensor of (None, None, None, None)"},
		{"few arguments", "ctorch._utils\n_rebuild_tensor_v2\n)R.", nil, "tensor of 0 arguments"},
	} {
		_, err := readBytes(archive(t, c.pickle, c.entries))
		var format FormatError
		var unsupported UnsupportedError
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") ||
			!errors.As(err, &format) && !errors.As(err, &unsupported) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// Every file that ends early is an error, at once or when its tensors are read.
func TestTruncated(t *testing.T) {
	for _, name := range files {
		b := open(t, name)
		for n := range b {
			if v, err := readBytes(b[:n]); err == nil && walk(v) == nil {
				t.Fatalf("%s: no error after %d of %d bytes", name, n, len(b))
			}
		}
	}
}

func TestChecksum(t *testing.T) {
	b := open(t, "zip.pt")
	at := bytes.Index(b, binary.LittleEndian.AppendUint32(nil, 0xc0f00000)) // -7.5, the first of base
	b = slices.Clone(b)
	b[at] ^= 1
	v, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := walk(v); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a flipped bit: %v", err)
	}
}

func TestLegacyDamage(t *testing.T) {
	b := string(open(t, "legacy.pt"))
	for _, c := range []struct{ name, old, new, want string }{
		{"version", "M\xe9\x03.", "M\xea\x03.", "protocol version 1002"},
		{"big-endian", "little_endianq\x02\x88", "little_endianq\x02\x89", "big-endian"},
		{"class", "collections\nOrderedDict", "collections\nOrderedList", `wants to use "collections.OrderedList"`},
		{"count", "\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0\xc0", "\x19\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0\xc0", "has 25 elements, want 24"},
	} {
		if !strings.Contains(b, c.old) {
			t.Fatalf("%s: nothing to change", c.name)
		}
		_, err := readBytes([]byte(strings.Replace(b, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// walk reads every tensor, each once.
func walk(v any) error {
	seen := map[any]bool{}
	var visit func(v any) error
	visit = func(v any) error {
		var items []any
		switch v := v.(type) {
		case Tuple:
			if len(v) == 0 || seen[&v[0]] {
				return nil
			}
			seen[&v[0]] = true
			items = v
		case *List:
			if seen[v] {
				return nil
			}
			seen[v] = true
			items = v.Items
		case *Dict:
			if seen[v] {
				return nil
			}
			seen[v] = true
			for _, e := range v.Entries {
				items = append(items, e.Value)
			}
		case *Tensor:
			if seen[v] || v.DType > BFloat16 {
				return nil
			}
			seen[v] = true
			x, err := v.Float32s()
			if err == nil && len(x) != v.Len() {
				err = fmt.Errorf("%d elements of %d", len(x), v.Len())
			}
			return err
		}
		for _, item := range items {
			if err := visit(item); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(v)
}

func FuzzRead(f *testing.F) {
	for _, name := range files {
		f.Add(open(f, name))
	}
	f.Add(archive(f, tensorOf(4, 1, tuple(num(2)), tuple(num(2))), map[string]string{"x/data/0": strings.Repeat("\x00", 16)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := readBytes(b); err == nil {
			_ = walk(v) // a CRC may be wrong
		}
		// Most archives are broken as such, so run what there is as a pickle too.
		if v, err := newUnpickler(bytes.NewReader(b), func(id Tuple) (any, error) {
			s, err := storages{}.persistent(id)
			if err == nil && s.elements > 1<<10 {
				err = errors.New("large")
			}
			if err == nil {
				s.bytes = func() ([]byte, error) { return make([]byte, s.elements*dtypes[s.dtype].size), nil }
			}
			return s, err
		}).load(); err == nil {
			if err := walk(v); err != nil {
				t.Fatalf("accepted, but %v", err)
			}
		}
	})
}

// No pickle makes the reader allocate much, whatever it claims.
func TestAllocationCeiling(t *testing.T) {
	const n = maxPickle - 200
	for name, pickle := range map[string]string{
		"dicts":         strings.Repeat("}", n) + ".",
		"filled dicts":  strings.Repeat("}NNs", n/4) + ".",
		"lists":         strings.Repeat("]", n) + ".",
		"tuples":        strings.Repeat(")", n) + ".",
		"nested tuples": ")" + strings.Repeat("\x85", n) + ".",
		"marks":         strings.Repeat("(", n) + ".",
		"memo":          "N" + strings.Repeat("\x94", n) + ".",
		"counters":      "}\x94ccollections\nCounter\n\x94" + strings.Repeat("h\x01h\x00\x85R", n/6) + ".",
		"tensors": tuple(storageOf(4), "K\x00", tuple("K\x04"), tuple("K\x01")) + "\x94ctorch._utils\n_rebuild_tensor_v2\n\x94" +
			strings.Repeat("h\x01h\x00R", n/5) + ".",
		"text": strings.Repeat(str(strings.Repeat("a", 1000)), n/1005) + ".",
		"line": "c" + strings.Repeat("a", n),
	} {
		b := archive(t, pickle, map[string]string{"x/data/0": strings.Repeat("\x00", 16)})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = readBytes(b) // some are broken
		runtime.ReadMemStats(&after)
		got := after.TotalAlloc - before.TotalAlloc
		if got > 256<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}
