package simd

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// isaLevel is an instruction set family; a higher level includes the lower.
// isaNames, of each architecture, has the names of its levels.
type isaLevel int32

const isaGeneric isaLevel = 0 // plain Go

// isaEnv is the environment variable that lowers the instruction set.
const isaEnv = "VQSPEECH_ISA"

var (
	isaCurrent  atomic.Int32 // the isaLevel in use
	isaEnvError error
)

func init() {
	isaCurrent.Store(int32(isaBest()))
	if name := os.Getenv(isaEnv); name != "" {
		if err := SetISA(name); err != nil {
			isaEnvError = fmt.Errorf("%s: %w", isaEnv, err)
		}
	}
}

// ISA names the instruction set in use: "avx512", "avx2", "neon" or "generic".
func ISA() string { return isaNames[isaCurrent.Load()] }

// EnvError tells why the value of VQSPEECH_ISA was not used; nil if it was, or
// if there is none.
func EnvError() error { return isaEnvError }

// ISAs lists the names this processor and build can use, the best first.
func ISAs() []string {
	var names []string
	for l := isaBest(); l >= isaGeneric; l-- {
		names = append(names, isaNames[l])
	}
	return names
}

// SetISA chooses the instruction set of all later calls in the process. A
// [Packed] matrix keeps the set it was packed for. SetISA fails and changes
// nothing if the name is unknown or the processor lacks the set.
func SetISA(name string) error {
	for l := isaBest(); l >= isaGeneric; l-- {
		if isaNames[l] == name {
			isaCurrent.Store(int32(l))
			return nil
		}
	}
	return fmt.Errorf("simd: instruction set %q is not available, want one of %s", name, strings.Join(ISAs(), ", "))
}
