//go:build !amd64 || purego

package simd

// int8Kernels has the kernel of each isaLevel of this build.
var int8Kernels = [len(isaNames)]*int8Kernel{}

func init() {
	for i := range int8Kernels {
		int8Kernels[i] = &int8Generic
	}
}

func quantiseTopHead(top *float32, x []float32) int               { return 0 }
func quantiseHead(codes []uint8, x []float32, factor float32) int { return 0 }
