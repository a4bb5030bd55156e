package image

// LogMass and LogUpperTail are logMass and logUpperTail.
var (
	LogMass      = logMass
	LogUpperTail = logUpperTail
)

// Output is output.
func (m *Model) Output(quantized []float32, n int) []float32 { return m.output(quantized, n) }
