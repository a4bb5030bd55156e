//go:build arm64 && !purego

#include "textflag.h"

// func gemmCopyNEON(dst *float32, stride, k int, src *float32, ld int)
TEXT ·gemmCopyNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD stride+8(FP), R1
	MOVD k+16(FP), R2
	MOVD src+24(FP), R3
	MOVD ld+32(FP), R4
	LSL $2, R1
	LSL $2, R4

loop:
	VLD1.P (R3)(R4), [V0.S4, V1.S4, V2.S4, V3.S4]
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], (R0)(R1)
	SUBS $1, R2
	BNE  loop
	RET

// func gemmTransposeNEON(dst *float32, stride, w, k int, src *float32, ld int)
TEXT ·gemmTransposeNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD stride+8(FP), R1
	MOVD w+16(FP), R2
	MOVD k+24(FP), R3
	MOVD src+32(FP), R4 // the vectors, of which those from w on are the last
	MOVD ld+40(FP), R8
	LSL $2, R1
	LSL $2, R8
	CMP $2, R2
	CSEL LT, ZR, R8, R9
	ADD R9, R4, R5
	CMP $3, R2
	CSEL LT, ZR, R8, R9
	ADD R9, R5, R6
	CMP $4, R2
	CSEL LT, ZR, R8, R9
	ADD R9, R6, R7

loop:
	VLD1.P 16(R4), [V0.S4]
	VLD1.P 16(R5), [V1.S4]
	VLD1.P 16(R6), [V2.S4]
	VLD1.P 16(R7), [V3.S4]
	VZIP1 V1.S4, V0.S4, V4.S4 // 00 10 01 11
	VZIP2 V1.S4, V0.S4, V5.S4 // 02 12 03 13
	VZIP1 V3.S4, V2.S4, V6.S4 // 20 30 21 31
	VZIP2 V3.S4, V2.S4, V7.S4 // 22 32 23 33
	VZIP1 V6.D2, V4.D2, V0.D2
	VZIP2 V6.D2, V4.D2, V1.D2
	VZIP1 V7.D2, V5.D2, V2.D2
	VZIP2 V7.D2, V5.D2, V3.D2
	VST1.P [V0.S4], (R0)(R1)
	VST1.P [V1.S4], (R0)(R1)
	VST1.P [V2.S4], (R0)(R1)
	VST1.P [V3.S4], (R0)(R1)
	SUBS $4, R3
	BNE  loop
	RET
