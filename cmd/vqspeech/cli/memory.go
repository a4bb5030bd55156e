package cli

import (
	"os"
	"runtime"
	"runtime/debug"

	"vqspeech/features"
	"vqspeech/model"
)

// heapRoom is what a streaming verb may hold beyond the model (bytes).
const heapRoom = 48 << 20

// boundMemory gives the verbs that stream audio a fixed heap: go-dsp's
// transforms leave about 6 MB of garbage for every second of audio, and a heap
// that may grow by a factor, Go's default, creeps up over hours of it. The
// environment's GOGC and GOMEMLIMIT win. The reference front end may have to
// hold a whole recording, so it keeps the default.
func boundMemory(m *model.Model) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" || m.Config.Features.FrontEnd != features.Stream {
		return
	}
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	debug.SetMemoryLimit(int64(s.HeapAlloc) + heapRoom)
	debug.SetGCPercent(-1)
}
