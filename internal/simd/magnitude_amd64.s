//go:build amd64 && !purego

#include "textflag.h"

// func foldedMagnitudesAVX2(n int, re0, re1, im0, im1 *float32)
//
// The operations of FoldedMagnitudes, none fused: the same bits.
TEXT ·foldedMagnitudesAVX2(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ re0+8(FP), DI
	MOVQ re1+16(FP), SI
	MOVQ im0+24(FP), R8
	MOVQ im1+32(FP), R9
	XORQ DX, DX
	SHLQ $2, CX

loop:
	VMOVUPS (DI)(DX*1), Y0
	VMOVUPS (SI)(DX*1), Y1
	VMOVUPS (R8)(DX*1), Y2
	VMOVUPS (R9)(DX*1), Y3
	VADDPS  Y1, Y0, Y4
	VSUBPS  Y1, Y0, Y0
	VADDPS  Y3, Y2, Y5
	VSUBPS  Y3, Y2, Y2
	VMULPS  Y4, Y4, Y4
	VMULPS  Y5, Y5, Y5
	VMULPS  Y0, Y0, Y0
	VMULPS  Y2, Y2, Y2
	VADDPS  Y5, Y4, Y4
	VADDPS  Y2, Y0, Y0
	VSQRTPS Y4, Y4
	VSQRTPS Y0, Y0
	VMOVUPS Y4, (DI)(DX*1)
	VMOVUPS Y0, (R8)(DX*1)
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VZEROUPPER
	RET
