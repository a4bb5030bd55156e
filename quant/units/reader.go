package units

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Reader reads one file. It holds one block, however long the file.
type Reader struct {
	r       io.Reader
	h       Header
	start   int64 // where the blocks begin in r, if r can seek
	buf     [maxBlock]byte
	codes   [BlockUnits]uint16
	pending []uint16 // units of the current block that were not yet read
	index   int64    // of the next block
	final   bool     // the last block has been read
	samples int64    // from the final block
	err     error    // first failure, or io.EOF
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	u := &Reader{r: r, samples: Streamed}
	if seeker, ok := r.(io.Seeker); ok {
		if pos, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			u.start = pos
		}
	}
	if err := u.readHeader(); err != nil {
		return nil, err
	}
	u.start += int64(headerSize(len(u.h.Speaker)))
	return u, nil
}

// readHeader reads and checks the header.
func (u *Reader) readHeader() error {
	b := u.buf[:fixedHeader]
	// The magic comes first, so that another kind of file is called that and
	// not a short one.
	n, err := io.ReadFull(u.r, b)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("units: %w", err)
	}
	if n == 0 {
		return formatErrorf("empty file, want a header of at least %d bytes", headerSize(0))
	}
	if !strings.HasPrefix(magic, string(b[:min(n, len(magic))])) {
		return formatErrorf("file begins with %q, want %q", b[:min(n, len(magic))], magic)
	}
	if n > offVersion && b[offVersion] > version {
		return UnsupportedError(fmt.Sprintf("version %d, want %d", b[offVersion], version))
	}
	if n > offVersion && b[offVersion] != version {
		return formatErrorf("version %d, want %d", b[offVersion], version)
	}
	if n < fixedHeader {
		return formatErrorf("file ends within the header, at byte %d", n)
	}
	total := headerSize(int(b[offSpeakerLen]))
	if err := u.fill(u.buf[fixedHeader:total], "the header"); err != nil {
		return err
	}
	b = u.buf[:total-crcSize]
	if binary.LittleEndian.Uint32(u.buf[len(b):]) != crc32.Checksum(b, castagnoli) {
		return formatErrorf("wrong checksum of the header")
	}
	u.h = Header{
		Fingerprint:  [8]byte(b[offFingerprint:]),
		SampleRate:   int(binary.LittleEndian.Uint32(b[offSampleRate:])),
		Hop:          int(binary.LittleEndian.Uint16(b[offHop:])),
		CodebookSize: int(binary.LittleEndian.Uint16(b[offCodebook:])) + 1,
		Samples:      int64(binary.LittleEndian.Uint64(b[offSamples:])),
		Speaker:      string(b[fixedHeader:]),
	}
	if err := u.h.Validate(); err != nil {
		reasons := strings.ReplaceAll(err.Error(), "\n", "; ")
		return formatErrorf("header: %s", strings.ReplaceAll(reasons, "units: ", ""))
	}
	return nil
}

// fill reads len(p) bytes; an early end is an error about what is being read.
func (u *Reader) fill(p []byte, what string) error {
	switch _, err := io.ReadFull(u.r, p); {
	case err == nil:
		return nil
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return formatErrorf("file ends within %s", what)
	default:
		return fmt.Errorf("units: %w", err)
	}
}

// Header returns the header.
func (u *Reader) Header() Header { return u.h }

// Samples returns the exact number of samples at the header's rate. It is known
// after io.EOF, and before if the header has it; until then it is Streamed.
func (u *Reader) Samples() int64 {
	if u.samples == Streamed {
		return u.h.Samples
	}
	return u.samples
}

// Read fills dst [n] with the next units and returns how many there were. At
// the end of a complete and correct file it returns 0, io.EOF; the units of a
// block are returned only after its checksum was found right.
func (u *Reader) Read(dst []uint16) (n int, err error) {
	if len(dst) == 0 {
		return 0, nil
	}
	for len(u.pending) == 0 {
		if u.err == nil {
			u.err = u.next()
		}
		if u.err != nil {
			return 0, u.err
		}
	}
	n = copy(dst, u.pending)
	u.pending = u.pending[n:]
	return n, nil
}

// next reads a block, or finds that there is none.
func (u *Reader) next() error {
	if u.final {
		switch _, err := io.ReadFull(u.r, u.buf[:1]); {
		case err == nil:
			return formatErrorf("bytes after the final block")
		case err == io.EOF:
			return io.EOF
		default:
			return fmt.Errorf("units: %w", err)
		}
	}
	what := fmt.Sprintf("block %d", u.index)
	if err := u.fill(u.buf[:countSize], what); err != nil {
		return err
	}
	word := binary.LittleEndian.Uint16(u.buf[:])
	count, final := int(word&^finalFlag), word&finalFlag != 0
	// Only an empty file has an empty block: one file has one form.
	if count > BlockUnits || !final && count != BlockUnits || final && count == 0 && u.index > 0 {
		return formatErrorf("%s has %d units, want %d, or 1 to %d in the final block", what, count, BlockUnits, BlockUnits)
	}
	payload := packedSize(count, u.h.unitBits())
	size := countSize + payload
	if final {
		size += samplesSize
	}
	if err := u.fill(u.buf[countSize:size+crcSize], what); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(u.buf[size:]) != blockCRC(u.index, u.buf[:size]) {
		return formatErrorf("wrong checksum of %s", what)
	}
	codes := u.codes[:count]
	if padding := unpack(codes, u.buf[countSize:countSize+payload], u.h.unitBits()); padding != 0 {
		return formatErrorf("%s has padding bits %#x, want 0", what, padding)
	}
	for i, c := range codes {
		if int(c) >= u.h.CodebookSize {
			return formatErrorf("unit %d is %d, want less than %d", u.index*BlockUnits+int64(i), c, u.h.CodebookSize)
		}
	}
	if final {
		samples := binary.LittleEndian.Uint64(u.buf[size-samplesSize:])
		if err := u.finish(u.index*BlockUnits+int64(count), samples); err != nil {
			return err
		}
	}
	u.pending = codes
	u.index++
	return nil
}

// finish takes the number of samples from the final block.
func (u *Reader) finish(units int64, samples uint64) error {
	if samples > maxSamples {
		return formatErrorf("%d samples, want at most 2^53", samples)
	}
	if u.h.Samples != Streamed && uint64(u.h.Samples) != samples {
		return formatErrorf("%d samples at the end, but %d in the header", samples, u.h.Samples)
	}
	if err := u.h.checkSamples(units, int64(samples)); err != nil {
		return FormatError(err.Error())
	}
	u.final, u.samples = true, int64(samples)
	return nil
}

// SeekUnit makes unit the next one to be read. It reads one block, wherever that
// is. The underlying reader must be an io.ReadSeeker. Seeking to the end is
// allowed, and Read then returns io.EOF; seeking beyond is an error.
func (u *Reader) SeekUnit(unit int64) error {
	seeker, ok := u.r.(io.Seeker)
	if !ok {
		return errors.New("units: input cannot seek")
	}
	if unit < 0 {
		return fmt.Errorf("units: cannot seek to unit %d", unit)
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("units: %w", err)
	}
	// The final block is 14 bytes to 8 more than a full one: dividing finds its
	// index. A multiple of BlockUnits may be the end, after a full final block.
	last := max(0, (end-u.start-countSize-samplesSize-crcSize)/u.h.blockSize())
	index := min(unit/BlockUnits, last)
	if _, err := seeker.Seek(u.start+index*u.h.blockSize(), io.SeekStart); err != nil {
		return fmt.Errorf("units: %w", err)
	}
	u.index, u.final, u.pending, u.samples = index, false, nil, Streamed
	if u.err = u.next(); u.err != nil {
		return u.err
	}
	skip := unit - index*BlockUnits
	if skip > int64(len(u.pending)) {
		n := index*BlockUnits + int64(len(u.pending))
		u.pending = nil
		u.err = fmt.Errorf("units: cannot seek to unit %d of %d", unit, n)
		return u.err
	}
	u.pending = u.pending[skip:]
	return nil
}
