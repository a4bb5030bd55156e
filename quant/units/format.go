package units

import (
	"encoding/binary"
	"hash/crc32"
)

// The layout of version 1; FORMAT.md says what each field is.
const (
	magic   = "VQS"
	version = 1

	offVersion     = 3
	offFingerprint = 4
	offSampleRate  = 12
	offHop         = 16
	offCodebook    = 18 // size minus one
	offSamples     = 20
	offSpeakerLen  = 28
	fixedHeader    = 29 // then the speaker and a checksum

	finalFlag = 1 << 15 // in the count of a block

	countSize   = 2
	samplesSize = 8 // in the final block only
	crcSize     = 4

	maxBlock = countSize + BlockUnits*2 + samplesSize + crcSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// headerSize returns the bytes of a header with the given length of speaker.
func headerSize(speaker int) int { return fixedHeader + speaker + crcSize }

// blockSize returns the bytes of a full block that is not the last.
func (h Header) blockSize() int64 {
	return int64(countSize + packedSize(BlockUnits, h.unitBits()) + crcSize)
}

// appendHeader appends the bytes of a valid header.
func appendHeader(b []byte, h Header) []byte {
	start := len(b)
	b = append(b, magic...)
	b = append(b, version)
	b = append(b, h.Fingerprint[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.SampleRate))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Hop))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.CodebookSize-1))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Samples)) // Streamed is all ones
	b = append(b, byte(len(h.Speaker)))
	b = append(b, h.Speaker...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// appendBlock appends a block. The final one carries the number of samples.
func appendBlock(b []byte, h Header, index int64, codes []uint16, final bool, samples int64) []byte {
	start := len(b)
	count := uint16(len(codes))
	if final {
		count |= finalFlag
	}
	b = binary.LittleEndian.AppendUint16(b, count)
	b = pack(b, codes, h.unitBits())
	if final {
		b = binary.LittleEndian.AppendUint64(b, uint64(samples))
	}
	return binary.LittleEndian.AppendUint32(b, blockCRC(index, b[start:]))
}

// blockCRC returns the checksum of a block: over its index, which is not
// stored, so that blocks cannot change places, and over the bytes before it.
func blockCRC(index int64, block []byte) uint32 {
	var prefix [8]byte
	binary.LittleEndian.PutUint64(prefix[:], uint64(index))
	return crc32.Update(crc32.Checksum(prefix[:], castagnoli), castagnoli, block)
}
