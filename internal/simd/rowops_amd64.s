//go:build amd64 && !purego

#include "textflag.h"

// The operations and their order are those of rowops.go; nothing is fused, so the
// bits are the same. Every function takes a multiple of eight values; DX counts
// bytes of float32.

// NEXT ends a loop over eight values.
#define NEXT \
	ADDQ $32, DX \
	CMPQ DX, CX  \
	JNE  loop    \
	VZEROUPPER   \
	RET

// func rowAddAVX2(n int, dst, src *float32)
TEXT ·rowAddAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (DI)(DX*1), Y0
	VADDPS  (SI)(DX*1), Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowMulAddAVX2(n int, dst, a, b *float32)
TEXT ·rowMulAddAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), R8
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (SI)(DX*1), Y0
	VMULPS  (R8)(DX*1), Y0, Y0
	VADDPS  (DI)(DX*1), Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowInterpolateAVX2(n int, dst, z, x *float32)
TEXT ·rowInterpolateAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ z+16(FP), SI
	MOVQ x+24(FP), R8
	MOVL $0x3f800000, AX
	VMOVD AX, X15
	VBROADCASTSS X15, Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (SI)(DX*1), Y0
	VSUBPS  Y0, Y15, Y1
	VMULPS  (R8)(DX*1), Y1, Y1
	VMULPS  (DI)(DX*1), Y0, Y0
	VADDPS  Y0, Y1, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowAffineAVX2(n int, dst, src *float32, a, b float32)
TEXT ·rowAffineAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	VBROADCASTSS a+24(FP), Y14
	VBROADCASTSS b+28(FP), Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMULPS  (SI)(DX*1), Y14, Y0
	VADDPS  Y15, Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowClampAVX2(n int, dst, src *float32, lo, hi float32)
TEXT ·rowClampAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	VBROADCASTSS lo+24(FP), Y14
	VBROADCASTSS hi+28(FP), Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMAXPS  (SI)(DX*1), Y14, Y0
	VMINPS  Y15, Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// The maximum of floor and NaN is NaN: the second operand of the instruction, the
// first in Go's order, is the result if one is NaN.

// func rowScaleShiftAVX2(n int, y, x, scale, shift *float32, floor float32)
TEXT ·rowScaleShiftAVX2(SB), NOSPLIT, $0-44
	MOVQ n+0(FP), CX
	MOVQ y+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ scale+24(FP), R8
	MOVQ shift+32(FP), R9
	VBROADCASTSS floor+40(FP), Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (SI)(DX*1), Y0
	VMULPS  (R8)(DX*1), Y0, Y0
	VADDPS  (R9)(DX*1), Y0, Y0
	VMAXPS  Y0, Y15, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowRectifyAVX2(n int, y, x *float32)
TEXT ·rowRectifyAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ y+8(FP), DI
	MOVQ x+16(FP), SI
	VXORPS Y15, Y15, Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMAXPS  (SI)(DX*1), Y15, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowRectifyGradAVX2(n int, dx, dy, y *float32)
TEXT ·rowRectifyGradAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ dx+8(FP), DI
	MOVQ dy+16(FP), SI
	MOVQ y+24(FP), R8
	VXORPS Y15, Y15, Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VCMPPS  $0x11, (R8)(DX*1), Y15, Y0 // 0 < y
	VANDPS  (SI)(DX*1), Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowAddWideAVX2(n int, acc *float64, x *float32)
TEXT ·rowAddWideAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ acc+8(FP), DI
	MOVQ x+16(FP), SI
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VCVTPS2PD (SI)(DX*1), Y0
	VCVTPS2PD 16(SI)(DX*1), Y1
	VADDPD  (DI)(DX*2), Y0, Y0
	VADDPD  32(DI)(DX*2), Y1, Y1
	VMOVUPD Y0, (DI)(DX*2)
	VMOVUPD Y1, 32(DI)(DX*2)
	NEXT

// func rowAddSquaresAVX2(n int, acc *float64, x *float32, mean *float64)
TEXT ·rowAddSquaresAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ acc+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ mean+24(FP), R8
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VCVTPS2PD (SI)(DX*1), Y0
	VCVTPS2PD 16(SI)(DX*1), Y1
	VSUBPD  (R8)(DX*2), Y0, Y0
	VSUBPD  32(R8)(DX*2), Y1, Y1
	VMULPD  Y0, Y0, Y0
	VMULPD  Y1, Y1, Y1
	VADDPD  (DI)(DX*2), Y0, Y0
	VADDPD  32(DI)(DX*2), Y1, Y1
	VMOVUPD Y0, (DI)(DX*2)
	VMOVUPD Y1, 32(DI)(DX*2)
	NEXT

// func rowNormSumsAVX2(n int, sum, sumX *float64, dy, x, mean *float32)
TEXT ·rowNormSumsAVX2(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ sum+8(FP), DI
	MOVQ sumX+16(FP), SI
	MOVQ dy+24(FP), R8
	MOVQ x+32(FP), R9
	MOVQ mean+40(FP), R10
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (R9)(DX*1), Y4
	VSUBPS  (R10)(DX*1), Y4, Y4
	VEXTRACTF128 $1, Y4, X5
	VCVTPS2PD (R8)(DX*1), Y0
	VCVTPS2PD 16(R8)(DX*1), Y1
	VCVTPS2PD X4, Y2
	VCVTPS2PD X5, Y3
	VMULPD  Y0, Y2, Y2
	VMULPD  Y1, Y3, Y3
	VADDPD  (DI)(DX*2), Y0, Y0
	VADDPD  32(DI)(DX*2), Y1, Y1
	VADDPD  (SI)(DX*2), Y2, Y2
	VADDPD  32(SI)(DX*2), Y3, Y3
	VMOVUPD Y0, (DI)(DX*2)
	VMOVUPD Y1, 32(DI)(DX*2)
	VMOVUPD Y2, (SI)(DX*2)
	VMOVUPD Y3, 32(SI)(DX*2)
	NEXT

// func rowNormGradAVX2(n int, dx, dy, x, mean, a, b, d *float32)
TEXT ·rowNormGradAVX2(SB), NOSPLIT, $0-64
	MOVQ n+0(FP), CX
	MOVQ dx+8(FP), DI
	MOVQ dy+16(FP), SI
	MOVQ x+24(FP), R8
	MOVQ mean+32(FP), R9
	MOVQ a+40(FP), R10
	MOVQ b+48(FP), R11
	MOVQ d+56(FP), R12
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (SI)(DX*1), Y0
	VMULPS  (R10)(DX*1), Y0, Y0
	VMOVUPS (R8)(DX*1), Y1
	VSUBPS  (R9)(DX*1), Y1, Y1
	VMULPS  (R11)(DX*1), Y1, Y1
	VADDPS  Y1, Y0, Y0
	VADDPS  (R12)(DX*1), Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowDotAVX2(n int, s *[4]float64, x, y *float32, shift float64)
TEXT ·rowDotAVX2(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ s+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), R8
	VBROADCASTSD shift+32(FP), Y15
	VXORPD Y4, Y4, Y4
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VCVTPS2PD (SI)(DX*1), Y0
	VCVTPS2PD 16(SI)(DX*1), Y1
	VCVTPS2PD (R8)(DX*1), Y2
	VCVTPS2PD 16(R8)(DX*1), Y3
	VSUBPD  Y15, Y2, Y2
	VSUBPD  Y15, Y3, Y3
	VMULPD  Y2, Y0, Y0
	VMULPD  Y3, Y1, Y1
	VADDPD  Y0, Y4, Y4
	VADDPD  Y1, Y4, Y4
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VMOVUPD Y4, (DI)
	VZEROUPPER
	RET

// func rowDots4AVX2(n, stride int, s *[4][4]float64, x, y *float32)
TEXT ·rowDots4AVX2(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ stride+8(FP), AX
	MOVQ s+16(FP), DI
	MOVQ x+24(FP), SI
	MOVQ y+32(FP), R8
	SHLQ $2, CX
	LEAQ (R8)(AX*4), R9
	LEAQ (R9)(AX*4), R10
	LEAQ (R10)(AX*4), R11
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	XORQ DX, DX

loop:
	VCVTPS2PD (SI)(DX*1), Y0
	VCVTPS2PD 16(SI)(DX*1), Y1
	VCVTPS2PD (R8)(DX*1), Y2
	VCVTPS2PD 16(R8)(DX*1), Y3
	VMULPD Y2, Y0, Y2
	VMULPD Y3, Y1, Y3
	VADDPD Y2, Y4, Y4
	VADDPD Y3, Y4, Y4
	VCVTPS2PD (R9)(DX*1), Y2
	VCVTPS2PD 16(R9)(DX*1), Y3
	VMULPD Y2, Y0, Y2
	VMULPD Y3, Y1, Y3
	VADDPD Y2, Y5, Y5
	VADDPD Y3, Y5, Y5
	VCVTPS2PD (R10)(DX*1), Y2
	VCVTPS2PD 16(R10)(DX*1), Y3
	VMULPD Y2, Y0, Y2
	VMULPD Y3, Y1, Y3
	VADDPD Y2, Y6, Y6
	VADDPD Y3, Y6, Y6
	VCVTPS2PD (R11)(DX*1), Y2
	VCVTPS2PD 16(R11)(DX*1), Y3
	VMULPD Y2, Y0, Y2
	VMULPD Y3, Y1, Y3
	VADDPD Y2, Y7, Y7
	VADDPD Y3, Y7, Y7
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VMOVUPD Y4, (DI)
	VMOVUPD Y5, 32(DI)
	VMOVUPD Y6, 64(DI)
	VMOVUPD Y7, 96(DI)
	VZEROUPPER
	RET

// func rowSumAVX2(n int, s *[4]float64, x *float32)
TEXT ·rowSumAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ s+8(FP), DI
	MOVQ x+16(FP), SI
	VXORPD Y4, Y4, Y4
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VCVTPS2PD (SI)(DX*1), Y0
	VCVTPS2PD 16(SI)(DX*1), Y1
	VADDPD  Y0, Y4, Y4
	VADDPD  Y1, Y4, Y4
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VMOVUPD Y4, (DI)
	VZEROUPPER
	RET

// func rowPeakAVX2(n int, top *float32, x *float32)
TEXT ·rowPeakAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ top+8(FP), DI
	MOVQ x+16(FP), SI
	VBROADCASTSS (DI), Y0
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMAXPS (SI)(DX*1), Y0, Y0
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VEXTRACTF128 $1, Y0, X1
	VMAXPS  X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VMAXPS  X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VMAXPS  X1, X0, X0
	VMOVSS  X0, (DI)
	VZEROUPPER
	RET

// func rowCenterAVX2(n int, dst, x, y *float32, shift, scale float32)
TEXT ·rowCenterAVX2(SB), NOSPLIT, $0-40
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), R8
	VBROADCASTSS shift+32(FP), Y14
	VBROADCASTSS scale+36(FP), Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (R8)(DX*1), Y0
	VSUBPS  Y14, Y0, Y0
	VMULPS  (SI)(DX*1), Y0, Y0
	VMULPS  Y15, Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	NEXT

// func rowGRUGradAVX2(n int, h int, gi, gh, carry, gates, hn, prev, dy *float32)
TEXT ·rowGRUGradAVX2(SB), NOSPLIT, $0-72
	MOVQ n+0(FP), CX
	MOVQ h+8(FP), BX
	MOVQ gi+16(FP), DI
	MOVQ gh+24(FP), SI
	MOVQ carry+32(FP), R8
	MOVQ gates+40(FP), R9
	MOVQ hn+48(FP), R10
	MOVQ prev+56(FP), R11
	MOVQ dy+64(FP), R12
	MOVL $0x3f800000, AX
	VMOVD AX, X15
	VBROADCASTSS X15, Y15
	SHLQ $2, BX
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (R9), Y0              // r
	VMOVUPS (R9)(BX*1), Y1        // z
	VMOVUPS (R9)(BX*2), Y2        // n
	VMOVUPS (R12)(DX*1), Y3
	VADDPS  (R8)(DX*1), Y3, Y3    // d
	VMULPS  Y1, Y3, Y4
	VMOVUPS Y4, (R8)(DX*1)
	VSUBPS  Y1, Y15, Y4           // 1-z
	VMULPS  Y4, Y3, Y5
	VMULPS  Y2, Y2, Y6
	VSUBPS  Y6, Y15, Y6
	VMULPS  Y6, Y5, Y5            // dn
	VMOVUPS (R11)(DX*1), Y6
	VSUBPS  Y2, Y6, Y6
	VMULPS  Y6, Y3, Y6
	VMULPS  Y1, Y6, Y6
	VMULPS  Y4, Y6, Y6            // dz
	VMULPS  (R10)(DX*1), Y5, Y7
	VMULPS  Y0, Y7, Y7
	VSUBPS  Y0, Y15, Y8
	VMULPS  Y8, Y7, Y7            // dr
	VMULPS  Y0, Y5, Y8
	VMOVUPS Y7, (DI)
	VMOVUPS Y6, (DI)(BX*1)
	VMOVUPS Y5, (DI)(BX*2)
	VMOVUPS Y7, (SI)
	VMOVUPS Y6, (SI)(BX*1)
	VMOVUPS Y8, (SI)(BX*2)
	ADDQ $32, R9
	ADDQ $32, DI
	ADDQ $32, SI
	NEXT
