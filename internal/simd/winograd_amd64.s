//go:build amd64 && !purego

#include "textflag.h"

// The operations and their order are those of winograd_rows.go; nothing is fused,
// so the bits are the same. Every function takes a multiple of eight values.

// ROWS sets BX and AX to the bytes between two rows of src (SI) and of dst (DI),
// R8 and R9 to three times, R10 and R11 to five times as many.
#define ROWS \
	MOVQ n+0(FP), CX     \
	MOVQ dst+8(FP), DI   \
	MOVQ ds+16(FP), AX   \
	MOVQ src+24(FP), SI  \
	MOVQ ss+32(FP), BX   \
	SHLQ $2, AX          \
	SHLQ $2, BX          \
	LEAQ (BX)(BX*2), R8  \
	LEAQ (AX)(AX*2), R9  \
	LEAQ (BX)(BX*4), R10 \
	LEAQ (AX)(AX*4), R11

// CONSTANT sets a register to eight times the float32 of these bits.
#define CONSTANT(bits, x, y) \
	MOVL $bits, DX \
	VMOVD DX, x    \
	VBROADCASTSS x, y

// NEXT ends a loop over eight values.
#define NEXT \
	ADDQ $32, SI \
	ADDQ $32, DI \
	SUBQ $8, CX  \
	JNE  loop    \
	VZEROUPPER   \
	RET

// func winogradInputAVX2(n int, dst *float32, ds int, src *float32, ss int)
TEXT ·winogradInputAVX2(SB), NOSPLIT, $0-40
	ROWS
	CONSTANT(0x40800000, X15, Y15)
	CONSTANT(0x40000000, X14, Y14)

loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(BX*1), Y1
	VMOVUPS (SI)(BX*2), Y2
	VMOVUPS (SI)(R8*1), Y3
	VMOVUPS (SI)(BX*4), Y4
	VMOVUPS (SI)(R10*1), Y5
	VSUBPS Y2, Y4, Y6
	VSUBPS Y1, Y3, Y7
	VMULPS Y14, Y7, Y7
	VSUBPS Y2, Y0, Y8
	VMULPS Y15, Y8, Y8
	VADDPS Y6, Y8, Y8
	VADDPS Y4, Y3, Y9
	VADDPS Y2, Y1, Y10
	VMULPS Y15, Y10, Y10
	VSUBPS Y10, Y9, Y9
	VSUBPS Y2, Y1, Y10
	VMULPS Y15, Y10, Y10
	VSUBPS Y3, Y4, Y11
	VADDPS Y11, Y10, Y10
	VADDPS Y7, Y6, Y11
	VSUBPS Y7, Y6, Y12
	VSUBPS Y3, Y5, Y13
	VADDPS Y7, Y7, Y7
	VSUBPS Y7, Y13, Y13
	VMOVUPS Y8, (DI)
	VMOVUPS Y9, (DI)(AX*1)
	VMOVUPS Y10, (DI)(AX*2)
	VMOVUPS Y11, (DI)(R9*1)
	VMOVUPS Y12, (DI)(AX*4)
	VMOVUPS Y13, (DI)(R11*1)
	NEXT

// func winogradOutputAVX2(n int, dst *float32, ds int, src *float32, ss int)
TEXT ·winogradOutputAVX2(SB), NOSPLIT, $0-40
	ROWS
	CONSTANT(0x40800000, X15, Y15)
	CONSTANT(0x41000000, X14, Y14)

loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(BX*1), Y1
	VMOVUPS (SI)(BX*2), Y2
	VMOVUPS (SI)(R8*1), Y3
	VMOVUPS (SI)(BX*4), Y4
	VMOVUPS (SI)(R10*1), Y5
	VADDPS Y2, Y1, Y6
	VSUBPS Y2, Y1, Y7
	VADDPS Y4, Y3, Y8
	VSUBPS Y4, Y3, Y9
	VADDPS Y6, Y0, Y10
	VADDPS Y8, Y10, Y10
	VADDPS Y9, Y9, Y11
	VADDPS Y11, Y7, Y11
	VMULPS Y15, Y8, Y12
	VADDPS Y12, Y6, Y12
	VMULPS Y14, Y9, Y13
	VADDPS Y13, Y7, Y13
	VADDPS Y5, Y13, Y13
	VMOVUPS Y10, (DI)
	VMOVUPS Y11, (DI)(AX*1)
	VMOVUPS Y12, (DI)(AX*2)
	VMOVUPS Y13, (DI)(R9*1)
	NEXT

// func winogradGradientAVX2(n int, dst *float32, ds int, src *float32, ss int)
TEXT ·winogradGradientAVX2(SB), NOSPLIT, $0-40
	ROWS
	CONSTANT(0x40800000, X15, Y15)

loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(BX*1), Y1
	VMOVUPS (SI)(BX*2), Y2
	VMOVUPS (SI)(R8*1), Y3
	VADDPS Y2, Y0, Y6
	VADDPS Y3, Y1, Y7
	VMULPS Y15, Y2, Y8
	VADDPS Y8, Y0, Y8
	VMULPS Y15, Y3, Y9
	VADDPS Y9, Y1, Y9
	VADDPS Y9, Y9, Y9
	VADDPS Y7, Y6, Y10
	VSUBPS Y7, Y6, Y11
	VADDPS Y9, Y8, Y12
	VSUBPS Y9, Y8, Y13
	VMOVUPS Y0, (DI)
	VMOVUPS Y10, (DI)(AX*1)
	VMOVUPS Y11, (DI)(AX*2)
	VMOVUPS Y12, (DI)(R9*1)
	VMOVUPS Y13, (DI)(AX*4)
	VMOVUPS Y3, (DI)(R11*1)
	NEXT

// func winogradWeightAVX2(n int, dst *float32, ds int, src *float32, ss int)
TEXT ·winogradWeightAVX2(SB), NOSPLIT, $0-40
	ROWS
	CONSTANT(0x40800000, X15, Y15)
	CONSTANT(0x3e800000, X14, Y14)
	CONSTANT(0xbe2aaaab, X13, Y13)
	CONSTANT(0x3d2aaaab, X12, Y12)

loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(BX*1), Y1
	VMOVUPS (SI)(BX*2), Y2
	VADDPS Y2, Y0, Y6
	VMULPS Y15, Y2, Y7
	VADDPS Y7, Y0, Y7
	VADDPS Y1, Y1, Y8
	VMULPS Y14, Y0, Y3
	VADDPS Y1, Y6, Y4
	VMULPS Y13, Y4, Y4
	VSUBPS Y1, Y6, Y5
	VMULPS Y13, Y5, Y5
	VADDPS Y8, Y7, Y9
	VMULPS Y12, Y9, Y9
	VSUBPS Y8, Y7, Y10
	VMULPS Y12, Y10, Y10
	VMOVUPS Y3, (DI)
	VMOVUPS Y4, (DI)(AX*1)
	VMOVUPS Y5, (DI)(AX*2)
	VMOVUPS Y9, (DI)(R9*1)
	VMOVUPS Y10, (DI)(AX*4)
	VMOVUPS Y2, (DI)(R11*1)
	NEXT

// func winogradWeightGradientAVX2(n int, dst *float32, ds int, src *float32, ss int)
TEXT ·winogradWeightGradientAVX2(SB), NOSPLIT, $0-40
	ROWS
	CONSTANT(0x40800000, X15, Y15)
	CONSTANT(0x3e800000, X14, Y14)
	CONSTANT(0x3e2aaaab, X13, Y13)
	CONSTANT(0x3d2aaaab, X12, Y12)

loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(BX*1), Y1
	VMOVUPS (SI)(BX*2), Y2
	VMOVUPS (SI)(R8*1), Y3
	VMOVUPS (SI)(BX*4), Y4
	VMOVUPS (SI)(R10*1), Y5
	VADDPS Y2, Y1, Y6
	VMULPS Y13, Y6, Y6
	VADDPS Y4, Y3, Y7
	VMULPS Y12, Y7, Y7
	VMULPS Y14, Y0, Y8
	VSUBPS Y6, Y8, Y8
	VADDPS Y7, Y8, Y8
	VSUBPS Y1, Y2, Y9
	VMULPS Y13, Y9, Y9
	VSUBPS Y4, Y3, Y10
	VMULPS Y12, Y10, Y10
	VADDPS Y10, Y10, Y10
	VADDPS Y10, Y9, Y9
	VMULPS Y15, Y7, Y11
	VSUBPS Y6, Y11, Y11
	VADDPS Y5, Y11, Y11
	VMOVUPS Y8, (DI)
	VMOVUPS Y9, (DI)(AX*1)
	VMOVUPS Y11, (DI)(AX*2)
	NEXT
