//go:build amd64 && !purego

#include "textflag.h"

// The operations of quantise.

DATA quantiseMask<>+0(SB)/4, $0x7fffffff
GLOBL quantiseMask<>(SB), RODATA|NOPTR, $4
DATA quantiseZero<>+0(SB)/4, $0x80808080
GLOBL quantiseZero<>(SB), RODATA|NOPTR, $4

// func quantiseTopAVX2(n int, x *float32) float32
TEXT ·quantiseTopAVX2(SB), NOSPLIT, $0-20
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), SI
	VBROADCASTSS quantiseMask<>(SB), Y15
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ $32, CX
	JLT  rest

loop:
	VANDPS (SI), Y15, Y4
	VANDPS 32(SI), Y15, Y5
	VANDPS 64(SI), Y15, Y6
	VANDPS 96(SI), Y15, Y7
	VMAXPS Y0, Y4, Y0
	VMAXPS Y1, Y5, Y1
	VMAXPS Y2, Y6, Y2
	VMAXPS Y3, Y7, Y3
	ADDQ $128, SI
	SUBQ $32, CX
	JGE  loop

rest:
	ADDQ $32, CX
	JZ   done
	VANDPS (SI), Y15, Y4
	VMAXPS Y0, Y4, Y0
	ADDQ $32, SI
	SUBQ $40, CX
	JMP  rest

done:
	VMAXPS Y1, Y0, Y0
	VMAXPS Y3, Y2, Y2
	VMAXPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS  X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VMAXPS  X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VMAXPS  X1, X0, X0
	VMOVSS  X0, ret+16(FP)
	VZEROUPPER
	RET

// func quantiseAVX2(n int, codes *uint8, x *float32, factor float32)
//
// Codes are in range, so that the packing saturates none.
TEXT ·quantiseAVX2(SB), NOSPLIT, $0-28
	MOVQ n+0(FP), CX
	MOVQ codes+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS factor+24(FP), Y15
	VPBROADCASTD quantiseZero<>(SB), Y14

loop:
	VMULPS (SI), Y15, Y0
	VCVTPS2DQ Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKSSDW X1, X0, X0
	VPACKSSWB X0, X0, X0
	VPXOR  X14, X0, X0
	VMOVQ  X0, (DI)
	ADDQ $32, SI
	ADDQ $8, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET
