package training

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The reader of the tests has its own checksum, bit by bit, and its own
// parser, so that both sides must be wrong alike to agree.

func slowChecksum(p []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range p {
		crc ^= uint32(b)
		for range 8 {
			lowest := crc & 1
			crc >>= 1
			if lowest == 1 {
				crc ^= 0x82f63b78 // Castagnoli's polynomial, reversed
			}
		}
	}
	crc = ^crc
	return ((crc >> 15) | (crc << 17)) + 0xa282ead8
}

// fields splits a message by field number; numbers come as their bits.
func fields(t *testing.T, b []byte) map[int][]any {
	t.Helper()
	m := map[int][]any{}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		b = b[n:]
		var v any
		switch key & 7 {
		case 0:
			var x uint64
			x, n = binary.Uvarint(b)
			v, b = x, b[n:]
		case 1:
			v, b = binary.LittleEndian.Uint64(b), b[8:]
		case 2:
			size, n := binary.Uvarint(b)
			v, b = b[n:n+int(size)], b[n+int(size):]
		case 5:
			v, b = binary.LittleEndian.Uint32(b), b[4:]
		default:
			t.Fatalf("wire type %d", key&7)
		}
		m[int(key>>3)] = append(m[int(key>>3)], v)
	}
	return m
}

// readEvents returns the scalars of an event file as "step tag value", and
// checks all the rest.
func readEvents(t *testing.T, path string) (scalars []string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for first := true; len(b) > 0; first = false {
		n := binary.LittleEndian.Uint64(b)
		data := b[12 : 12+n]
		if binary.LittleEndian.Uint32(b[8:]) != slowChecksum(b[:8]) || binary.LittleEndian.Uint32(b[12+n:]) != slowChecksum(data) {
			t.Fatalf("%s: wrong checksum", path)
		}
		b = b[12+n+4:]
		event := fields(t, data)
		at := time.Unix(int64(math.Float64frombits(event[1][0].(uint64))), 0)
		if since := time.Since(at); since < -time.Hour || since > time.Hour {
			t.Errorf("an event at %v", at)
		}
		if first {
			if v := event[3]; len(v) != 1 || string(v[0].([]byte)) != "brain.Event:2" {
				t.Errorf("file version %q", v)
			}
			continue
		}
		for _, v := range fields(t, event[5][0].([]byte))[1] {
			value := fields(t, v.([]byte))
			scalars = append(scalars, fmt.Sprint(event[2][0], " ", string(value[1][0].([]byte)), " ", math.Float32frombits(value[2][0].(uint32))))
		}
	}
	return scalars
}

func TestEvents(t *testing.T) {
	dir := t.TempDir()
	log, err := OpenLog(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range []map[string]any{
		{"step": 10, "loss": -1.5, "sq/temperature": 0.25},
		{"step": 300, "valid": map[string]any{"mse_db2": 31, "used_codes": 7}},
	} {
		if err := log.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(readEvents(t, dir+"/"+EventsFile), ", ")
	if want := "10 loss -1.5, 10 sq/temperature 0.25, 300 valid/mse_db2 31, 300 valid/used_codes 7"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

// The bytes are those that TensorBoard 2.21's own writer makes of the same
// events.
func TestFrame(t *testing.T) {
	loss := Record{300, map[string]float64{"valid/mse_db2": 31, "loss": -1.5}}
	for _, c := range []struct {
		name, want string
		event      []byte
	}{
		{"version", "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a", versionEvent(time.Unix(1, 0))},
		{"scalars", "31000000000000009d8383e909000000000000044010ac022a230a0b0a046c6f7373150000c0bf0a140a0d76616c6964" +
			"2f6d73655f646232150000f8411e191667", scalarEvent(time.Unix(2, 5e8), loss)},
	} {
		if got := hex.EncodeToString(appendFrame(nil, c.event)); got != c.want {
			t.Errorf("%s: frame\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

func TestDamagedEvents(t *testing.T) {
	one := appendFrame(nil, scalarEvent(time.Now(), Record{1, map[string]float64{"loss": 1}}))
	two := appendFrame(nil, scalarEvent(time.Now(), Record{2, map[string]float64{"loss": 2}}))
	damage := func(frame []byte, at int) []byte {
		frame = bytes.Clone(frame)
		frame[at] ^= 1
		return frame
	}
	huge := binary.LittleEndian.AppendUint64(nil, 1<<40)
	huge = binary.LittleEndian.AppendUint32(huge, checksum(huge))
	for name, rest := range map[string][]byte{
		"length": damage(two, 0), "message": damage(two, 20), "foot": damage(two, len(two)-1), "cut": two[:len(two)-1], "huge": huge,
		"no message": appendFrame(nil, []byte{0xff}),
	} {
		var kept bytes.Buffer
		if err := keepEvents(&kept, bytes.NewReader(append(bytes.Clone(one), rest...)), 9); err != nil || !bytes.Equal(kept.Bytes(), one) {
			t.Errorf("%s: %d bytes kept, %v, want %d", name, kept.Len(), err, len(one))
		}
	}
}

func FuzzKeepEvents(f *testing.F) {
	one := appendFrame(nil, scalarEvent(time.Now(), Record{1, map[string]float64{"loss": 1}}))
	f.Add(one, uint16(1))
	f.Add(appendFrame(one, protowire.AppendVarint(nil, 1<<40)), uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, done uint16) {
		steps := int(done)
		var kept bytes.Buffer
		if err := keepEvents(&kept, bytes.NewReader(b), steps); err != nil {
			t.Fatal(err)
		}
		if kept.Len() > len(b) && kept.Len() != len(appendFrame(nil, versionEvent(time.Now()))) {
			t.Errorf("%d bytes of %d", kept.Len(), len(b))
		}
		var again bytes.Buffer
		if err := keepEvents(&again, bytes.NewReader(kept.Bytes()), steps); err != nil || !bytes.Equal(again.Bytes(), kept.Bytes()) {
			t.Errorf("what was kept is not kept: %v", err)
		}
	})
}
