package safetensors

// DType is the element type of a tensor, by its name in the format.
type DType string

// The element types that can be written, and BF16, which can be read.
const (
	F32  DType = "F32"
	F16  DType = "F16"  // IEEE 754 binary16
	BF16 DType = "BF16" // the upper half of a float32
	I32  DType = "I32"
	I64  DType = "I64"
	U8   DType = "U8"
)

// size returns the bytes of an element, 0 for a type that is not known. Types
// that no accessor reads are listed so that a file holding one can be used.
func (d DType) size() uint64 {
	switch d {
	case "BOOL", "I8", U8:
		return 1
	case "I16", "U16", F16, BF16:
		return 2
	case I32, "U32", F32:
		return 4
	case I64, "U64", "F64":
		return 8
	}
	return 0
}
