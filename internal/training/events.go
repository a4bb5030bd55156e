package training

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A TensorBoard event file is a sequence of frames (TensorFlow's TFRecord):
// the length of the data as a uint64, a checksum of the length, the data, a
// checksum of the data; all little-endian. The data is a message Event
// (tensorflow/core/util/event.proto), of which these are the fields in use.
const (
	eventWallTime    = 1 // double: seconds since 1970
	eventStep        = 2 // int64
	eventFileVersion = 3 // string: of the first event only
	eventSummary     = 5 // Summary
	summaryValue     = 1 // Summary.Value, repeated
	valueTag         = 1 // string
	valueSimple      = 2 // float
)

// fileVersion is what the first event of a file says.
const fileVersion = "brain.Event:2"

const (
	frameHead  = 8 + 4
	frameFoot  = 4
	maxMessage = 1 << 20 // bytes; real ones have a few hundred
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the CRC-32C in the masked form of TFRecord, which keeps the
// checksum of data that holds checksums meaningful.
func checksum(p []byte) uint32 {
	c := crc32.Checksum(p, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// appendFrame appends message as a frame.
func appendFrame(dst, message []byte) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(message)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[at:]))
	dst = append(dst, message...)
	return binary.LittleEndian.AppendUint32(dst, checksum(message))
}

func appendWallTime(dst []byte, at time.Time) []byte {
	dst = protowire.AppendTag(dst, eventWallTime, protowire.Fixed64Type)
	return protowire.AppendFixed64(dst, math.Float64bits(float64(at.UnixNano())/1e9))
}

// versionEvent is the first event of a file.
func versionEvent(at time.Time) []byte {
	b := appendWallTime(nil, at)
	b = protowire.AppendTag(b, eventFileVersion, protowire.BytesType)
	return protowire.AppendString(b, fileVersion)
}

// scalarEvent holds the values of r, in the order of their names.
func scalarEvent(at time.Time, r Record) []byte {
	var summary []byte
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		var value []byte
		value = protowire.AppendTag(value, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, name)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(r.Values[name])))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	b := appendWallTime(nil, at)
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(r.Step))
	b = protowire.AppendTag(b, eventSummary, protowire.BytesType)
	return protowire.AppendBytes(b, summary)
}

// keepEvents copies the events up to a step, or begins a file. It stops at a
// damaged frame, as one that was cut by a kill: no reader gets beyond it.
func keepEvents(w io.Writer, r io.Reader, steps int) error {
	begun := false
	for {
		frame, err := readFrame(r)
		if errors.Is(err, errFrame) {
			break
		}
		if err != nil {
			return err
		}
		step, ok := stepOf(frame[frameHead : len(frame)-frameFoot])
		if !ok {
			break
		}
		if step <= int64(steps) {
			begun = true
			if _, err := w.Write(frame); err != nil {
				return err
			}
		}
	}
	if begun {
		return nil
	}
	_, err := w.Write(appendFrame(nil, versionEvent(time.Now())))
	return err
}

// errFrame is the end of the frames that can be read.
var errFrame = errors.New("training: no further frame")

// readFrame returns the next frame whole.
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, frameHead)
	if err := readFull(r, head); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint64(head)
	if checksum(head[:8]) != binary.LittleEndian.Uint32(head[8:]) || size > maxMessage {
		return nil, errFrame
	}
	frame := append(head, make([]byte, size+frameFoot)...)
	if err := readFull(r, frame[frameHead:]); err != nil {
		return nil, err
	}
	message, foot := frame[frameHead:frameHead+size], frame[frameHead+size:]
	if checksum(message) != binary.LittleEndian.Uint32(foot) {
		return nil, errFrame
	}
	return frame, nil
}

func readFull(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errFrame
	}
	return err
}

// stepOf returns the step of an event, 0 if it has none.
func stepOf(event []byte) (step int64, ok bool) {
	for len(event) > 0 {
		field, kind, n := protowire.ConsumeTag(event)
		if n < 0 {
			return 0, false
		}
		event = event[n:]
		if field == eventStep && kind == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(event)
			step = int64(v)
		}
		if n = protowire.ConsumeFieldValue(field, kind, event); n < 0 {
			return 0, false
		}
		event = event[n:]
	}
	return step, true
}
