package units

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// damaged fails the test if the bytes are accepted, however they are read.
func damaged(t *testing.T, b []byte, what string, args ...any) {
	t.Helper()
	_, _, err := Decode(bytes.NewReader(b))
	var format FormatError
	var unsupported UnsupportedError
	if !errors.As(err, &format) && !errors.As(err, &unsupported) {
		t.Fatalf(what+": error %v, want a FormatError or an UnsupportedError", append(args, err)...)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Fatalf(what+": error of several lines: %v", append(args, err)...)
	}
}

func TestEveryBitCounts(t *testing.T) {
	for _, n := range []int{0, 5, BlockUnits, BlockUnits + 9} {
		b := encode(t, testHeader(n), testCodes(n, 512))
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				damaged(t, b, "%d units, bit %d of byte %d", n, bit, i)
				b[i] ^= 1 << bit
			}
		}
	}
}

func TestEveryCutIsFound(t *testing.T) {
	for _, n := range []int{0, 5, BlockUnits, 2*BlockUnits + 9} {
		b := encode(t, testHeader(n), testCodes(n, 512))
		for i := range b {
			damaged(t, b[:i], "%d units, cut to %d bytes of %d", n, i, len(b))
		}
		damaged(t, append(slices.Clip(b), 0), "%d units, a byte more", n)
		damaged(t, append(slices.Clip(b), b...), "%d units, the file twice", n)
	}
}

func TestBlocksCannotMove(t *testing.T) {
	h := testHeader(3 * BlockUnits)
	b := encode(t, h, testCodes(3*BlockUnits, 512))
	start, size := headerSize(len(h.Speaker)), int(h.blockSize())
	first, second := b[start:start+size], b[start+size:start+2*size]
	swapped := slices.Concat(b[:start], second, first, b[start+2*size:])
	damaged(t, swapped, "two blocks exchanged")
	damaged(t, slices.Concat(b[:start], second, b[start+2*size:]), "a block left out")
}

// What a checksum cannot find, because whoever wrote the file was wrong.
func TestReaderErrors(t *testing.T) {
	h := testHeader(10)
	good := appendHeader(nil, h)
	codes := testCodes(10, 512)
	block := func(codes []uint16, final bool, samples int64) []byte {
		return appendBlock(slices.Clip(good), h, 0, codes, final, samples)
	}
	badPadding := block(codes, true, h.Samples) // 90 bits of 96
	end := len(badPadding) - crcSize
	badPadding[end-samplesSize-1] |= 0x80
	badPadding = badPadding[:end]
	crc := blockCRC(0, badPadding[len(good):])
	badPadding = append(badPadding, byte(crc), byte(crc>>8), byte(crc>>16), byte(crc>>24))

	small := h
	small.CodebookSize = 500
	large := appendBlock(appendHeader(nil, small), small, 0, []uint16{499, 500}, true, 640)

	field := func(change func(*Header)) []byte {
		h := h
		change(&h)
		return appendHeader(nil, h)
	}
	full := testCodes(BlockUnits, 512)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "empty file, want a header of at least 33 bytes"},
		{"other file", []byte("RIFF....WAVE"), `file begins with "RIF", want "VQS"`},
		{"short magic", []byte("VQ"), "file ends within the header, at byte 2"},
		{"version 0", append([]byte("VQS\x00"), good[4:]...), "version 0, want 1"},
		{"sample rate", field(func(h *Header) { h.SampleRate = 0 }), "header: sample rate must be between 1 and 4294967295 Hz (got 0)"},
		{"hop", field(func(h *Header) { h.Hop = 0 }), "hop must be between 1 and 65535 samples (got 0)"},
		{"codebook of one", field(func(h *Header) { h.CodebookSize = 1 }), "codebook size must be between 2 and 65536 (got 1)"},
		{"samples", field(func(h *Header) { h.Samples = -2 }), "sample count must be between 0 and 2^53, or -1"},
		{"speaker", field(func(h *Header) { h.Speaker = "\x1b[2J" }), `speaker must be printable text (got "\x1b[2J")`},
		{"several", field(func(h *Header) { h.Hop, h.Speaker = 0, "\xff" }), "(got 0); speaker"},
		{"no blocks", good, "file ends within block 0"},
		{"not final", block(full, false, 0), "file ends within block 1"},
		{"short block", block(codes, false, 0), "block 0 has 10 units, want 4096"},
		{"long block", block(make([]uint16, BlockUnits+1), true, 0), "block 0 has 4097 units"},
		{"empty final block", appendBlock(block(full, false, 0), h, 1, nil, true, h.Samples), "block 1 has 0 units"},
		{"padding", badPadding, "block 0 has padding bits 0x20, want 0"},
		{"unit", large, "unit 1 is 500, want less than 500"},
		{"samples differ", block(codes, true, h.Samples+1), "3361 samples at the end, but 3360 in the header"},
		{"samples huge", block(codes, true, -1), "18446744073709551615 samples, want at most 2^53"},
		{"after the end", append(block(codes, true, h.Samples), 0), "bytes after the final block"},
	} {
		_, _, err := Decode(bytes.NewReader(c.b))
		var format FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want a FormatError with %q", c.name, err, c.want)
		}
	}
	_, _, err := Decode(strings.NewReader("VQS\x02..."))
	var unsupported UnsupportedError
	if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "version 2, want 1") {
		t.Errorf("version 2: error %v, want an UnsupportedError", err)
	}
	broken := errors.New("broken")
	if _, _, err := Decode(io.MultiReader(bytes.NewReader(good), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("reader's error became %v", err)
	}
}
