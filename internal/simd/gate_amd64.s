//go:build amd64 && !purego

#include "textflag.h"

// The operations and their order are those of gate.go; nothing is fused, so the
// bits are the same. DX counts bytes.

// func rowMultiplyAVX2(n int, dst, a, b *float32)
TEXT ·rowMultiplyAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), R8
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (SI)(DX*1), Y0
	VMULPS  (R8)(DX*1), Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VZEROUPPER
	RET

// func rowGateGradAVX2(n int, a, b, dz *float32)
TEXT ·rowGateGradAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	MOVQ dz+24(FP), R8
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (DI)(DX*1), Y0       // t
	VMOVUPS (SI)(DX*1), Y1       // s
	VMULPS  (R8)(DX*1), Y1, Y2   // u = g·s
	VMULPS  Y0, Y2, Y3           // u·t
	VMULPS  Y0, Y3, Y4
	VSUBPS  Y4, Y2, Y2           // u - u·t·t
	VMULPS  Y1, Y3, Y4
	VSUBPS  Y4, Y3, Y3           // u·t - u·t·s
	VMOVUPS Y2, (DI)(DX*1)
	VMOVUPS Y3, (SI)(DX*1)
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VZEROUPPER
	RET
