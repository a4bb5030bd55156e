package wav

import (
	"encoding/binary"
	"math"
)

// file builds WAV files field by field, so that a test can make any of them lie.
type file struct {
	id, form       string
	riffSize       uint32
	before, after  []byte // chunks around fmt and data
	noFmt, noData  bool
	dataFirst      bool
	fmtSize        uint32 // 0: the true size
	tag            uint16
	channels       uint16
	rate           uint32
	align, bits    uint16
	extra          []byte // after the 16 bytes of fmt
	data           []byte
	dataSize       uint32 // used where setDataSize
	setDataSize    bool
	truncateToByte int // 0: whole
}

func newFile(tag uint16, channels, bits int, data []byte) file {
	return file{
		id: "RIFF", form: "WAVE", riffSize: uint32(36 + len(data)), tag: tag, channels: uint16(channels),
		rate: 16000, align: uint16(channels * bits / 8), bits: uint16(bits), data: data,
	}
}

func chunk(id string, body []byte) []byte {
	b := append([]byte(id), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func (f file) bytes() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte(f.id), f.riffSize)
	b = append(b, f.form...)
	b = append(b, f.before...)
	body := le.AppendUint16(nil, f.tag)
	body = le.AppendUint16(body, f.channels)
	body = le.AppendUint32(body, f.rate)
	body = le.AppendUint32(body, f.rate*uint32(f.align))
	body = le.AppendUint16(body, f.align)
	body = le.AppendUint16(body, f.bits)
	body = append(body, f.extra...)
	format := chunk("fmt ", body)
	if f.fmtSize != 0 {
		le.PutUint32(format[4:], f.fmtSize)
	}
	data := chunk("data", f.data)
	if f.setDataSize {
		le.PutUint32(data[4:], f.dataSize)
		data = data[:8+len(f.data)] // a streamed chunk has no padding
	}
	if f.dataFirst {
		b = append(append(b, data...), format...)
	} else {
		if !f.noFmt {
			b = append(b, format...)
		}
		if !f.noData {
			b = append(b, data...)
		}
	}
	b = append(b, f.after...)
	if f.truncateToByte > 0 {
		b = b[:f.truncateToByte]
	}
	return b
}

// extensible turns f into a WAVE_FORMAT_EXTENSIBLE file with the same tag.
func (f file) extensible() file {
	f.extra = binary.LittleEndian.AppendUint16(nil, 22)
	f.extra = binary.LittleEndian.AppendUint16(f.extra, f.bits)
	f.extra = binary.LittleEndian.AppendUint32(f.extra, 3)
	f.extra = binary.LittleEndian.AppendUint16(f.extra, f.tag)
	f.extra = append(f.extra, guidTail[:]...)
	f.tag = tagExtensible
	return f
}

func (f file) withSize(n uint32) file {
	f.setDataSize, f.dataSize = true, n
	return f
}

func int16s(v ...int16) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	return b
}

func float32s(v ...float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func float64s(v ...float64) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}
