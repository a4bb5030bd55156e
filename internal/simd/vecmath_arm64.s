//go:build arm64 && !purego

#include "textflag.h"

// The operations and their order are those of vecmath.go and adam.go; nothing is
// fused, so the bits are the same.

// Go's assembler lacks these instructions on vectors of four float32. Registers
// are given by number, in Go's order: d = n op m.
#define FADD(m, n, d) WORD $(0x4e20d400 | (m)<<16 | (n)<<5 | (d))  // fadd vd.4s, vn.4s, vm.4s
#define FSUB(m, n, d) WORD $(0x4ea0d400 | (m)<<16 | (n)<<5 | (d))  // fsub vd.4s, vn.4s, vm.4s
#define FMUL(m, n, d) WORD $(0x6e20dc00 | (m)<<16 | (n)<<5 | (d))  // fmul vd.4s, vn.4s, vm.4s
#define FDIV(m, n, d) WORD $(0x6e20fc00 | (m)<<16 | (n)<<5 | (d))  // fdiv vd.4s, vn.4s, vm.4s
#define FMIN(m, n, d) WORD $(0x4ea0f400 | (m)<<16 | (n)<<5 | (d))  // fmin vd.4s, vn.4s, vm.4s
#define FMAX(m, n, d) WORD $(0x4e20f400 | (m)<<16 | (n)<<5 | (d))  // fmax vd.4s, vn.4s, vm.4s
#define FCMGT(m, n, d) WORD $(0x6ea0e400 | (m)<<16 | (n)<<5 | (d)) // fcmgt vd.4s, vn.4s, vm.4s
#define FCMGE(m, n, d) WORD $(0x6e20e400 | (m)<<16 | (n)<<5 | (d)) // fcmge vd.4s, vn.4s, vm.4s
#define FCMLT0(n, d) WORD $(0x4ea0e800 | (n)<<5 | (d))             // fcmlt vd.4s, vn.4s, #0.0
#define FCMEQ0(n, d) WORD $(0x4ea0d800 | (n)<<5 | (d))             // fcmeq vd.4s, vn.4s, #0.0
#define FSQRT(n, d) WORD $(0x6ea1f800 | (n)<<5 | (d))              // fsqrt vd.4s, vn.4s
#define SCVTF(n, d) WORD $(0x4e21d800 | (n)<<5 | (d))              // scvtf vd.4s, vn.4s
#define SSHR(s, n, d) WORD $(0x4f000400 | (64-(s))<<16 | (n)<<5 | (d)) // sshr vd.4s, vn.4s, #s

// VALUE is value i of a table of constants.
#define VALUE(name, i, v) DATA name<>+(4*i)(SB)/4, v

// What EXP needs, in V16 to V29.
VALUE(vecExpTable, 0, $89.0)               // V16, vecExpMax
VALUE(vecExpTable, 1, $-104.0)             // V17, vecExpMin
VALUE(vecExpTable, 2, $1.44269504088896341) // V18, vecLog2E
VALUE(vecExpTable, 3, $12582912.0)         // V19, vecMagic
VALUE(vecExpTable, 4, $0.693359375)        // V20, vecLn2Hi
VALUE(vecExpTable, 5, $-2.12194440e-4)     // V21, vecLn2Lo
VALUE(vecExpTable, 6, $1.9875691500e-4)    // V22 to V27, the polynomial
VALUE(vecExpTable, 7, $1.3981999507e-3)
VALUE(vecExpTable, 8, $8.3334519073e-3)
VALUE(vecExpTable, 9, $4.1665795894e-2)
VALUE(vecExpTable, 10, $1.6666665459e-1)
VALUE(vecExpTable, 11, $5.0000001201e-1)
VALUE(vecExpTable, 12, $1.0)               // V28
VALUE(vecExpTable, 13, $127)               // V29, the exponent's bias
GLOBL vecExpTable<>(SB), RODATA|NOPTR, $56

VALUE(vecTanhTable, 0, $-5.70498872745e-3) // V8 to V12, the polynomial
VALUE(vecTanhTable, 1, $2.06390887954e-2)
VALUE(vecTanhTable, 2, $-5.37397155531e-2)
VALUE(vecTanhTable, 3, $1.33314422036e-1)
VALUE(vecTanhTable, 4, $-3.33332819422e-1)
VALUE(vecTanhTable, 5, $0.625)             // V13, vecTanhCut
VALUE(vecTanhTable, 6, $2.0)               // V14
VALUE(vecTanhTable, 7, $0x80000000)        // V15, the sign
GLOBL vecTanhTable<>(SB), RODATA|NOPTR, $32

VALUE(vecLogTable, 0, $7.0376836292e-2)    // V8 to V16, the polynomial
VALUE(vecLogTable, 1, $-1.1514610310e-1)
VALUE(vecLogTable, 2, $1.1676998740e-1)
VALUE(vecLogTable, 3, $-1.2420140846e-1)
VALUE(vecLogTable, 4, $1.4249322787e-1)
VALUE(vecLogTable, 5, $-1.6668057665e-1)
VALUE(vecLogTable, 6, $2.0000714765e-1)
VALUE(vecLogTable, 7, $-2.4999993993e-1)
VALUE(vecLogTable, 8, $3.3333331174e-1)
VALUE(vecLogTable, 9, $0x00800000)         // V17, smallest
VALUE(vecLogTable, 10, $8388608.0)         // V18, denormal
VALUE(vecLogTable, 11, $126.0)             // V19, bias
VALUE(vecLogTable, 12, $149.0)             // V20, bias of a denormal number
VALUE(vecLogTable, 13, $0x007fffff)        // V21, mantissa
VALUE(vecLogTable, 14, $0x3f000000)        // V22, 0.5
VALUE(vecLogTable, 15, $0.707106781186547524) // V23, vecSqrtHf
VALUE(vecLogTable, 16, $1.0)               // V24
VALUE(vecLogTable, 17, $-2.12194440e-4)    // V25, vecLn2Lo
VALUE(vecLogTable, 18, $0.693359375)       // V26, vecLn2Hi
VALUE(vecLogTable, 19, $0x7f7fffff)        // V27, MaxFloat32
VALUE(vecLogTable, 20, $0x7fc00000)        // V28, NaN
VALUE(vecLogTable, 21, $0xff800000)        // V29, -Inf
GLOBL vecLogTable<>(SB), RODATA|NOPTR, $88

// LOAD4 sets four registers to four times the values at R3 and after.
#define LOAD4(a, b, c, d) \
	VLD1R.P 4(R3), [a.S4] \
	VLD1R.P 4(R3), [b.S4] \
	VLD1R.P 4(R3), [c.S4] \
	VLD1R.P 4(R3), [d.S4]

#define LOADEXP \
	MOVD $vecExpTable<>(SB), R3 \
	LOAD4(V16, V17, V18, V19)   \
	LOAD4(V20, V21, V22, V23)   \
	LOAD4(V24, V25, V26, V27)   \
	VLD1R.P 4(R3), [V28.S4]     \
	VLD1R (R3), [V29.S4]

// TERM is one step of a polynomial in x: q = q·x + c.
#define TERM(c, x, q) \
	FMUL(x, q, q) \
	FADD(c, q, q)

// EXP sets V0 to e^V0 and uses V1 to V3.
#define EXP \
	FMIN(16, 0, 0)              \
	FMAX(17, 0, 0)              \
	FMUL(18, 0, 1)              \
	FADD(19, 1, 1)              \
	FSUB(19, 1, 2)              \
	FMUL(20, 2, 3)              \
	FSUB(3, 0, 0)               \
	FMUL(21, 2, 3)              \
	FSUB(3, 0, 0)               \
	FMUL(22, 0, 3)              \
	FADD(23, 3, 3)              \
	TERM(24, 0, 3)              \
	TERM(25, 0, 3)              \
	TERM(26, 0, 3)              \
	TERM(27, 0, 3)              \
	FMUL(0, 0, 2)               \
	FMUL(2, 3, 3)               \
	FADD(0, 3, 3)               \
	FADD(28, 3, 3)              \
	VSUB V19.S4, V1.S4, V1.S4   \
	SSHR(1, 1, 2)               \
	VSUB V2.S4, V1.S4, V1.S4    \
	VADD V29.S4, V2.S4, V2.S4   \
	VADD V29.S4, V1.S4, V1.S4   \
	VSHL $23, V2.S4, V2.S4      \
	VSHL $23, V1.S4, V1.S4      \
	FMUL(2, 3, 3)               \
	FMUL(1, 3, 0)

// func vecExpNEON(n int, dst, src *float32)
TEXT ·vecExpNEON(SB), NOSPLIT, $0-24
	MOVD n+0(FP), R0
	MOVD dst+8(FP), R1
	MOVD src+16(FP), R2
	LOADEXP

loop:
	VLD1.P 16(R2), [V0.S4]
	EXP
	VST1.P [V0.S4], 16(R1)
	SUBS $4, R0
	BNE  loop
	RET

// func vecSigmoidNEON(n int, dst, src *float32)
TEXT ·vecSigmoidNEON(SB), NOSPLIT, $0-24
	MOVD n+0(FP), R0
	MOVD dst+8(FP), R1
	MOVD src+16(FP), R2
	LOADEXP
	VMOVI $0x80, V30.B16
	VSHL $24, V30.S4, V30.S4

loop:
	VLD1.P 16(R2), [V4.S4]
	VORR V30.B16, V4.B16, V0.B16
	EXP
	FADD(28, 0, 1)
	SSHR(31, 4, 4)                  // sign
	VBSL V28.B16, V0.B16, V4.B16
	FDIV(1, 4, 0)
	VST1.P [V0.S4], 16(R1)
	SUBS $4, R0
	BNE  loop
	RET

// func vecTanhNEON(n int, dst, src *float32)
TEXT ·vecTanhNEON(SB), NOSPLIT, $0-24
	MOVD n+0(FP), R0
	MOVD dst+8(FP), R1
	MOVD src+16(FP), R2
	LOADEXP
	MOVD $vecTanhTable<>(SB), R3
	LOAD4(V8, V9, V10, V11)
	LOAD4(V12, V13, V14, V15)

loop:
	VLD1.P 16(R2), [V4.S4]
	VAND V15.B16, V4.B16, V5.B16    // sign
	VEOR V5.B16, V4.B16, V4.B16     // a = |x|
	FMUL(4, 4, 6)                   // z
	FMUL(8, 6, 7)
	FADD(9, 7, 7)
	TERM(10, 6, 7)
	TERM(11, 6, 7)
	TERM(12, 6, 7)
	FMUL(6, 7, 7)
	FMUL(4, 7, 7)
	FADD(4, 7, 7)
	FADD(4, 4, 0)
	EXP
	FADD(28, 0, 0)
	FDIV(0, 14, 0)
	FSUB(0, 28, 0)
	FCMGT(4, 13, 1)                 // a < cut
	VBIT V1.B16, V7.B16, V0.B16
	VORR V5.B16, V0.B16, V0.B16
	VST1.P [V0.S4], 16(R1)
	SUBS $4, R0
	BNE  loop
	RET

// func vecLogNEON(n int, dst, src *float32)
TEXT ·vecLogNEON(SB), NOSPLIT, $0-24
	MOVD n+0(FP), R0
	MOVD dst+8(FP), R1
	MOVD src+16(FP), R2
	MOVD $vecLogTable<>(SB), R3
	LOAD4(V8, V9, V10, V11)
	LOAD4(V12, V13, V14, V15)
	LOAD4(V16, V17, V18, V19)
	LOAD4(V20, V21, V22, V23)
	LOAD4(V24, V25, V26, V27)
	VLD1R.P 4(R3), [V28.S4]
	VLD1R (R3), [V29.S4]

loop:
	VLD1.P 16(R2), [V0.S4]
	FCMGT(0, 17, 1)                 // x < smallest
	FMUL(18, 0, 2)
	VBIF V1.B16, V0.B16, V2.B16     // v
	VBSL V19.B16, V20.B16, V1.B16   // its bias
	VUSHR $23, V2.S4, V4.S4
	SCVTF(4, 4)
	FSUB(1, 4, 4)                   // e
	VAND V21.B16, V2.B16, V2.B16
	VORR V22.B16, V2.B16, V2.B16    // f in [½, 1)
	FCMGT(2, 23, 1)                 // f < √½
	VAND V1.B16, V2.B16, V3.B16
	FADD(3, 2, 2)
	VAND V1.B16, V24.B16, V3.B16
	FSUB(3, 4, 4)
	FSUB(24, 2, 2)                  // f
	FMUL(2, 2, 5)                   // z
	FMUL(8, 2, 3)
	FADD(9, 3, 3)
	TERM(10, 2, 3)
	TERM(11, 2, 3)
	TERM(12, 2, 3)
	TERM(13, 2, 3)
	TERM(14, 2, 3)
	TERM(15, 2, 3)
	TERM(16, 2, 3)
	FMUL(2, 3, 3)
	FMUL(5, 3, 3)
	FMUL(25, 4, 6)
	FADD(6, 3, 3)
	FMUL(22, 5, 5)
	FSUB(5, 3, 3)
	FADD(3, 2, 2)
	FMUL(26, 4, 4)
	FADD(4, 2, 2)
	FCMGE(0, 27, 1)                 // x ≤ MaxFloat32: not +Inf or NaN
	VBIF V1.B16, V0.B16, V2.B16
	FCMLT0(0, 1)
	VBIT V1.B16, V28.B16, V2.B16
	FCMEQ0(0, 1)
	VBIT V1.B16, V29.B16, V2.B16
	VST1.P [V2.S4], 16(R1)
	SUBS $4, R0
	BNE  loop
	RET

// func vecAxpyNEON(n int, alpha float32, x, y *float32)
TEXT ·vecAxpyNEON(SB), NOSPLIT, $0-32
	MOVD n+0(FP), R0
	FMOVS alpha+8(FP), F2
	MOVD x+16(FP), R1
	MOVD y+24(FP), R2
	VDUP V2.S[0], V2.S4

loop:
	VLD1.P 16(R1), [V0.S4]
	VLD1 (R2), [V1.S4]
	FMUL(2, 0, 0)
	FADD(1, 0, 0)
	VST1.P [V0.S4], 16(R2)
	SUBS $4, R0
	BNE  loop
	RET

// func vecAdamNEON(n int, p, grad, m, v *float32, k *adamFactors)
TEXT ·vecAdamNEON(SB), NOSPLIT, $0-48
	MOVD n+0(FP), R0
	MOVD p+8(FP), R1
	MOVD grad+16(FP), R2
	MOVD m+24(FP), R4
	MOVD v+32(FP), R5
	MOVD k+40(FP), R3
	LOAD4(V16, V17, V18, V19)       // clip, beta1, rest1, beta2
	VLD1R.P 4(R3), [V20.S4]         // rest2
	VLD1R.P 4(R3), [V21.S4]         // sqrtBias2
	VLD1R.P 4(R3), [V22.S4]         // eps
	VLD1R (R3), [V23.S4]            // step

loop:
	VLD1.P 16(R2), [V0.S4]
	VLD1 (R4), [V1.S4]
	VLD1 (R5), [V2.S4]
	VLD1 (R1), [V4.S4]
	FMUL(16, 0, 0)
	FMUL(17, 1, 1)
	FMUL(18, 0, 3)
	FADD(3, 1, 1)
	VST1.P [V1.S4], 16(R4)
	FMUL(19, 2, 2)
	FMUL(20, 0, 3)
	FMUL(0, 3, 3)
	FADD(3, 2, 2)
	VST1.P [V2.S4], 16(R5)
	FSQRT(2, 2)
	FDIV(21, 2, 2)
	FADD(22, 2, 2)
	FMUL(23, 1, 1)
	FDIV(2, 1, 1)
	FSUB(1, 4, 4)
	VST1.P [V4.S4], 16(R1)
	SUBS $4, R0
	BNE  loop
	RET
