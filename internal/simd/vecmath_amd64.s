//go:build amd64 && !purego

#include "textflag.h"

// The operations and their order are those of vecmath.go and adam.go; nothing is
// fused, so the bits are the same.

// VALUE is a vector of eight times the same value.
#define VALUE(name, v) \
	DATA name<>+0(SB)/4, v; DATA name<>+4(SB)/4, v;   \
	DATA name<>+8(SB)/4, v; DATA name<>+12(SB)/4, v;  \
	DATA name<>+16(SB)/4, v; DATA name<>+20(SB)/4, v; \
	DATA name<>+24(SB)/4, v; DATA name<>+28(SB)/4, v; \
	GLOBL name<>(SB), RODATA|NOPTR, $32

VALUE(vecLog2E, $1.44269504088896341)
VALUE(vecMagic, $12582912.0)
VALUE(vecLn2Hi, $0.693359375)
VALUE(vecLn2Lo, $-2.12194440e-4)
VALUE(vecExpMax, $89.0)
VALUE(vecExpMin, $-104.0)
VALUE(vecOne, $1.0)
VALUE(vecTwo, $2.0)
VALUE(vecHalf, $0.5)
VALUE(vecBias, $127)
VALUE(vecSign, $0x80000000)
VALUE(vecExp0, $1.9875691500e-4)
VALUE(vecExp1, $1.3981999507e-3)
VALUE(vecExp2, $8.3334519073e-3)
VALUE(vecExp3, $4.1665795894e-2)
VALUE(vecExp4, $1.6666665459e-1)
VALUE(vecExp5, $5.0000001201e-1)
VALUE(vecSoftCut, $0.414213562373095049)
VALUE(vecTanhCut, $0.625)
VALUE(vecTanh0, $-5.70498872745e-3)
VALUE(vecTanh1, $2.06390887954e-2)
VALUE(vecTanh2, $-5.37397155531e-2)
VALUE(vecTanh3, $1.33314422036e-1)
VALUE(vecTanh4, $-3.33332819422e-1)
VALUE(vecSmallest, $0x00800000)
VALUE(vecDenormal, $8388608.0)
VALUE(vecLogBias, $126.0)
VALUE(vecLogBiasD, $149.0)
VALUE(vecMantissa, $0x007fffff)
VALUE(vecHalfBits, $0x3f000000)
VALUE(vecSqrtHf, $0.707106781186547524)
VALUE(vecLog0, $7.0376836292e-2)
VALUE(vecLog1, $-1.1514610310e-1)
VALUE(vecLog2, $1.1676998740e-1)
VALUE(vecLog3, $-1.2420140846e-1)
VALUE(vecLog4, $1.4249322787e-1)
VALUE(vecLog5, $-1.6668057665e-1)
VALUE(vecLog6, $2.0000714765e-1)
VALUE(vecLog7, $-2.4999993993e-1)
VALUE(vecLog8, $3.3333331174e-1)
VALUE(vecMaxFloat, $0x7f7fffff)
VALUE(vecNaN, $0x7fc00000)
VALUE(vecNegInf, $0xff800000)

// TERM is one step of a polynomial in x: q = q·x + c.
#define TERM(c, x, q) \
	VMULPS x, q, q \
	VADDPS c<>(SB), q, q

// EXP sets Y0 to e^Y0 and uses Y1 to Y3.
#define EXP \
	VMOVUPS vecExpMax<>(SB), Y1       \
	VMINPS  Y0, Y1, Y0                \
	VMOVUPS vecExpMin<>(SB), Y1       \
	VMAXPS  Y0, Y1, Y0                \
	VMULPS  vecLog2E<>(SB), Y0, Y1    \
	VADDPS  vecMagic<>(SB), Y1, Y1    \
	VSUBPS  vecMagic<>(SB), Y1, Y2    \
	VMULPS  vecLn2Hi<>(SB), Y2, Y3    \
	VSUBPS  Y3, Y0, Y0                \
	VMULPS  vecLn2Lo<>(SB), Y2, Y3    \
	VSUBPS  Y3, Y0, Y0                \
	VMULPS  vecExp0<>(SB), Y0, Y3     \
	VADDPS  vecExp1<>(SB), Y3, Y3     \
	TERM(vecExp2, Y0, Y3)             \
	TERM(vecExp3, Y0, Y3)             \
	TERM(vecExp4, Y0, Y3)             \
	TERM(vecExp5, Y0, Y3)             \
	VMULPS  Y0, Y0, Y2                \
	VMULPS  Y2, Y3, Y3                \
	VADDPS  Y0, Y3, Y3                \
	VADDPS  vecOne<>(SB), Y3, Y3      \
	VPSUBD  vecMagic<>(SB), Y1, Y1    \
	VPSRAD  $1, Y1, Y2                \
	VPSUBD  Y2, Y1, Y1                \
	VPADDD  vecBias<>(SB), Y2, Y2     \
	VPADDD  vecBias<>(SB), Y1, Y1     \
	VPSLLD  $23, Y2, Y2               \
	VPSLLD  $23, Y1, Y1               \
	VMULPS  Y2, Y3, Y3                \
	VMULPS  Y1, Y3, Y0

// LOGSERIES sets Y2 to ln(2^Y4 · (1 + Y2)) and uses Y3 to Y6.
#define LOGSERIES \
	VMULPS  Y2, Y2, Y5                \
	VMULPS  vecLog0<>(SB), Y2, Y3     \
	VADDPS  vecLog1<>(SB), Y3, Y3     \
	TERM(vecLog2, Y2, Y3)             \
	TERM(vecLog3, Y2, Y3)             \
	TERM(vecLog4, Y2, Y3)             \
	TERM(vecLog5, Y2, Y3)             \
	TERM(vecLog6, Y2, Y3)             \
	TERM(vecLog7, Y2, Y3)             \
	TERM(vecLog8, Y2, Y3)             \
	VMULPS  Y2, Y3, Y3                \
	VMULPS  Y5, Y3, Y3                \
	VMULPS  vecLn2Lo<>(SB), Y4, Y6    \
	VADDPS  Y6, Y3, Y3                \
	VMULPS  vecHalf<>(SB), Y5, Y5     \
	VSUBPS  Y5, Y3, Y3                \
	VADDPS  Y3, Y2, Y2                \
	VMULPS  vecLn2Hi<>(SB), Y4, Y4    \
	VADDPS  Y4, Y2, Y2               

// func vecExpAVX2(n int, dst, src *float32)
TEXT ·vecExpAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI

loop:
	VMOVUPS (SI), Y0
	EXP
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func vecExpSumAVX2(n int, sums *[4]float64, dst, src *float32, shift float32)
TEXT ·vecExpSumAVX2(SB), NOSPLIT, $0-36
	MOVQ n+0(FP), CX
	MOVQ sums+8(FP), AX
	MOVQ dst+16(FP), DI
	MOVQ src+24(FP), SI
	VBROADCASTSS shift+32(FP), Y15
	VMOVUPD (AX), Y14

loop:
	VMOVUPS (SI), Y0
	VSUBPS  Y15, Y0, Y0
	EXP
	VMOVUPS Y0, (DI)
	VCVTPS2PD X0, Y1
	VADDPD  Y1, Y14, Y14
	VEXTRACTF128 $1, Y0, X1
	VCVTPS2PD X1, Y1
	VADDPD  Y1, Y14, Y14
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VMOVUPD Y14, (AX)
	VZEROUPPER
	RET

// func vecSigmoidAVX2(n int, dst, src *float32)
TEXT ·vecSigmoidAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	VMOVUPS vecOne<>(SB), Y14
	VMOVUPS vecSign<>(SB), Y15

loop:
	VMOVUPS (SI), Y4
	VORPS   Y15, Y4, Y0
	EXP
	VADDPS  Y14, Y0, Y1
	VBLENDVPS Y4, Y0, Y14, Y2
	VDIVPS  Y1, Y2, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func vecSoftplusAVX2(n int, y, slope, x *float32)
TEXT ·vecSoftplusAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ y+8(FP), DI
	MOVQ slope+16(FP), R8
	MOVQ x+24(FP), SI
	VXORPS  Y11, Y11, Y11
	VMOVUPS vecHalf<>(SB), Y12
	VMOVUPS vecSoftCut<>(SB), Y13
	VMOVUPS vecOne<>(SB), Y14
	VMOVUPS vecSign<>(SB), Y15
	SHLQ $2, CX
	XORQ DX, DX

loop:
	VMOVUPS (SI)(DX*1), Y7
	VORPS   Y15, Y7, Y0
	EXP
	VADDPS  Y14, Y0, Y1
	VBLENDVPS Y7, Y0, Y14, Y2
	VDIVPS  Y1, Y2, Y2
	VMOVUPS Y2, (R8)(DX*1)
	VCMPPS  $0x11, Y13, Y0, Y1    // e < cut
	VSUBPS  Y14, Y0, Y2
	VMULPS  Y12, Y2, Y2
	VBLENDVPS Y1, Y0, Y2, Y2      // f
	VANDNPS Y14, Y1, Y4           // n
	LOGSERIES
	VCMPPS  $0x11, Y7, Y11, Y1    // 0 < x
	VANDPS  Y7, Y1, Y1
	VADDPS  Y1, Y2, Y2
	VMOVUPS Y2, (DI)(DX*1)
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VZEROUPPER
	RET

// func vecTanhAVX2(n int, dst, src *float32)
TEXT ·vecTanhAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	VMOVUPS vecOne<>(SB), Y12
	VMOVUPS vecTwo<>(SB), Y13
	VMOVUPS vecTanhCut<>(SB), Y14
	VMOVUPS vecSign<>(SB), Y15

loop:
	VMOVUPS (SI), Y4
	VANDPS  Y15, Y4, Y5           // sign
	VANDNPS Y4, Y15, Y4           // a = |x|
	VMULPS  Y4, Y4, Y6            // z
	VMULPS  vecTanh0<>(SB), Y6, Y7
	VADDPS  vecTanh1<>(SB), Y7, Y7
	TERM(vecTanh2, Y6, Y7)
	TERM(vecTanh3, Y6, Y7)
	TERM(vecTanh4, Y6, Y7)
	VMULPS  Y6, Y7, Y7
	VMULPS  Y4, Y7, Y7
	VADDPS  Y4, Y7, Y7
	VADDPS  Y4, Y4, Y0
	EXP
	VADDPS  Y12, Y0, Y0
	VDIVPS  Y0, Y13, Y0
	VSUBPS  Y0, Y12, Y0
	VCMPPS  $0x11, Y14, Y4, Y1    // a < cut
	VBLENDVPS Y1, Y7, Y0, Y0
	VORPS   Y5, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func vecLogAVX2(n int, dst, src *float32)
TEXT ·vecLogAVX2(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	VXORPS  Y11, Y11, Y11
	VMOVUPS vecOne<>(SB), Y12
	VMOVUPS vecSmallest<>(SB), Y13
	VMOVUPS vecLogBias<>(SB), Y14
	VMOVUPS vecSqrtHf<>(SB), Y15

loop:
	VMOVUPS (SI), Y0
	VCMPPS  $0x11, Y13, Y0, Y1               // x < smallest
	VMULPS  vecDenormal<>(SB), Y0, Y2
	VBLENDVPS Y1, Y2, Y0, Y2                 // v
	VBLENDVPS Y1, vecLogBiasD<>(SB), Y14, Y3
	VPSRLD  $23, Y2, Y4
	VCVTDQ2PS Y4, Y4
	VSUBPS  Y3, Y4, Y4                       // e
	VANDPS  vecMantissa<>(SB), Y2, Y2
	VORPS   vecHalfBits<>(SB), Y2, Y2        // f in [½, 1)
	VCMPPS  $0x11, Y15, Y2, Y1               // f < √½
	VANDPS  Y1, Y2, Y3
	VADDPS  Y3, Y2, Y2
	VANDPS  Y1, Y12, Y3
	VSUBPS  Y3, Y4, Y4
	VSUBPS  Y12, Y2, Y2                      // f
	LOGSERIES
	VCMPPS  $0x16, vecMaxFloat<>(SB), Y0, Y1 // not x ≤ MaxFloat32: +Inf or NaN
	VBLENDVPS Y1, Y0, Y2, Y2
	VCMPPS  $0x11, Y11, Y0, Y1               // x < 0
	VBLENDVPS Y1, vecNaN<>(SB), Y2, Y2
	VCMPPS  $0, Y11, Y0, Y1                  // x = 0
	VBLENDVPS Y1, vecNegInf<>(SB), Y2, Y2
	VMOVUPS Y2, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func vecAxpyAVX2(n int, alpha float32, x, y *float32)
TEXT ·vecAxpyAVX2(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	VBROADCASTSS alpha+8(FP), Y1
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DI

loop:
	VMULPS  (SI), Y1, Y0
	VADDPS  (DI), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func vecAdamAVX2(n int, p, grad, m, v *float32, k *adamFactors)
TEXT ·vecAdamAVX2(SB), NOSPLIT, $0-48
	MOVQ n+0(FP), CX
	MOVQ p+8(FP), DI
	MOVQ grad+16(FP), SI
	MOVQ m+24(FP), R8
	MOVQ v+32(FP), R9
	MOVQ k+40(FP), AX
	VBROADCASTSS 0(AX), Y8   // clip
	VBROADCASTSS 4(AX), Y9   // beta1
	VBROADCASTSS 8(AX), Y10  // rest1
	VBROADCASTSS 12(AX), Y11 // beta2
	VBROADCASTSS 16(AX), Y12 // rest2
	VBROADCASTSS 20(AX), Y13 // sqrtBias2
	VBROADCASTSS 24(AX), Y14 // eps
	VBROADCASTSS 28(AX), Y15 // step
	XORQ DX, DX
	SHLQ $2, CX

loop:
	VMULPS  (SI)(DX*1), Y8, Y0
	VMULPS  (R8)(DX*1), Y9, Y1
	VMULPS  Y0, Y10, Y2
	VADDPS  Y2, Y1, Y1
	VMOVUPS Y1, (R8)(DX*1)
	VMULPS  (R9)(DX*1), Y11, Y2
	VMULPS  Y0, Y12, Y3
	VMULPS  Y0, Y3, Y3
	VADDPS  Y3, Y2, Y2
	VMOVUPS Y2, (R9)(DX*1)
	VSQRTPS Y2, Y2
	VDIVPS  Y13, Y2, Y2
	VADDPS  Y14, Y2, Y2
	VMULPS  Y15, Y1, Y1
	VDIVPS  Y2, Y1, Y1
	VMOVUPS (DI)(DX*1), Y0
	VSUBPS  Y1, Y0, Y0
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	CMPQ DX, CX
	JNE  loop
	VZEROUPPER
	RET

// The same on sixteen values, with AVX-512.

#define TERMZ(c, x, q) \
	VMULPS x, q, q \
	VADDPS.BCST c<>(SB), q, q

// Of a chain of operations that wait for each other the processor sees too little
// ahead, so four vectors go through every stage together; the values left over go
// one vector at a time.

// EXPCONSTANTS sets what EXPREDUCE needs, apart from its operands.
#define EXPCONSTANTS \
	VBROADCASTSS vecExpMax<>(SB), Z30 \
	VBROADCASTSS vecExpMin<>(SB), Z31

// EXPREDUCE, EXPSERIES and EXPSCALE set a to e^a and use b, c and d.
#define EXPREDUCE(a, b, c, d) \
	VMINPS a, Z30, a                 \
	VMAXPS a, Z31, a                 \
	VMULPS.BCST vecLog2E<>(SB), a, b \
	VADDPS.BCST vecMagic<>(SB), b, b \
	VSUBPS.BCST vecMagic<>(SB), b, c \
	VMULPS.BCST vecLn2Hi<>(SB), c, d \
	VSUBPS d, a, a                   \
	VMULPS.BCST vecLn2Lo<>(SB), c, d \
	VSUBPS d, a, a

#define EXPSERIES(a, c, d) \
	VMULPS.BCST vecExp0<>(SB), a, d \
	VADDPS.BCST vecExp1<>(SB), d, d \
	TERMZ(vecExp2, a, d)            \
	TERMZ(vecExp3, a, d)            \
	TERMZ(vecExp4, a, d)            \
	TERMZ(vecExp5, a, d)            \
	VMULPS a, a, c                  \
	VMULPS c, d, d                  \
	VADDPS a, d, d                  \
	VADDPS.BCST vecOne<>(SB), d, d

#define EXPSCALE(a, b, c, d) \
	VPSUBD.BCST vecMagic<>(SB), b, b \
	VPSRAD $1, b, c                  \
	VPSUBD c, b, b                   \
	VPADDD.BCST vecBias<>(SB), c, c  \
	VPADDD.BCST vecBias<>(SB), b, b  \
	VPSLLD $23, c, c                 \
	VPSLLD $23, b, b                 \
	VMULPS c, d, d                   \
	VMULPS b, d, a

#define EXPZ \
	EXPREDUCE(Z0, Z1, Z2, Z3) \
	EXPSERIES(Z0, Z2, Z3)     \
	EXPSCALE(Z0, Z1, Z2, Z3)

// EXPZ4 is EXPZ of Z0, Z4, Z8 and Z16, with the three registers after each.
#define EXPZ4 \
	EXPREDUCE(Z0, Z1, Z2, Z3)     \
	EXPREDUCE(Z4, Z5, Z6, Z7)     \
	EXPREDUCE(Z8, Z9, Z10, Z11)   \
	EXPREDUCE(Z16, Z17, Z18, Z19) \
	EXPSERIES(Z0, Z2, Z3)         \
	EXPSERIES(Z4, Z6, Z7)         \
	EXPSERIES(Z8, Z10, Z11)       \
	EXPSERIES(Z16, Z18, Z19)      \
	EXPSCALE(Z0, Z1, Z2, Z3)      \
	EXPSCALE(Z4, Z5, Z6, Z7)      \
	EXPSCALE(Z8, Z9, Z10, Z11)    \
	EXPSCALE(Z16, Z17, Z18, Z19)

// func vecExpAVX512(n int, dst, src *float32)
TEXT ·vecExpAVX512(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	EXPCONSTANTS
	SUBQ $64, CX
	JLT  left

loop4:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z4
	VMOVUPS 128(SI), Z8
	VMOVUPS 192(SI), Z16
	EXPZ4
	VMOVUPS Z0, (DI)
	VMOVUPS Z4, 64(DI)
	VMOVUPS Z8, 128(DI)
	VMOVUPS Z16, 192(DI)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JGE  loop4

left:
	ADDQ $64, CX
	JZ   done

loop:
	VMOVUPS (SI), Z0
	EXPZ
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// ADDUP adds the sixteen values of x, in fours, to Y14 and uses Y13.
#define ADDUP(x) \
	VEXTRACTF32X4 $0, x, X13 \
	VCVTPS2PD X13, Y13       \
	VADDPD Y13, Y14, Y14     \
	VEXTRACTF32X4 $1, x, X13 \
	VCVTPS2PD X13, Y13       \
	VADDPD Y13, Y14, Y14     \
	VEXTRACTF32X4 $2, x, X13 \
	VCVTPS2PD X13, Y13       \
	VADDPD Y13, Y14, Y14     \
	VEXTRACTF32X4 $3, x, X13 \
	VCVTPS2PD X13, Y13       \
	VADDPD Y13, Y14, Y14

// func vecExpSumAVX512(n int, sums *[4]float64, dst, src *float32, shift float32)
TEXT ·vecExpSumAVX512(SB), NOSPLIT, $0-36
	MOVQ n+0(FP), CX
	MOVQ sums+8(FP), AX
	MOVQ dst+16(FP), DI
	MOVQ src+24(FP), SI
	VBROADCASTSS shift+32(FP), Z15
	VMOVUPD (AX), Y14
	EXPCONSTANTS
	SUBQ $64, CX
	JLT  left

loop4:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z4
	VMOVUPS 128(SI), Z8
	VMOVUPS 192(SI), Z16
	VSUBPS  Z15, Z0, Z0
	VSUBPS  Z15, Z4, Z4
	VSUBPS  Z15, Z8, Z8
	VSUBPS  Z15, Z16, Z16
	EXPZ4
	VMOVUPS Z0, (DI)
	VMOVUPS Z4, 64(DI)
	VMOVUPS Z8, 128(DI)
	VMOVUPS Z16, 192(DI)
	ADDUP(Z0)
	ADDUP(Z4)
	ADDUP(Z8)
	ADDUP(Z16)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $64, CX
	JGE  loop4

left:
	ADDQ $64, CX
	JZ   done

loop:
	VMOVUPS (SI), Z0
	VSUBPS  Z15, Z0, Z0
	EXPZ
	VMOVUPS Z0, (DI)
	ADDUP(Z0)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop

done:
	VMOVUPD Y14, (AX)
	VZEROUPPER
	RET

// SOFTSLOPE stores e^min(x, 0) / (1 + a) of the x at a place in the slope's and
// uses b and c; a is e^-|x|.
#define SOFTSLOPE(a, b, c, at) \
	VMOVUPS at(SI)(DX*1), c \
	VADDPS Z27, a, b        \
	VPTESTMD Z29, c, K1     \
	VBLENDMPS a, Z27, K1, c \
	VDIVPS b, c, c          \
	VMOVUPS c, at(R8)(DX*1)

// SOFTARGUMENT sets c and e to f and n of LOGSERIES.
#define SOFTARGUMENT(a, c, e) \
	VCMPPS $0x11, Z28, a, K1       \
	VSUBPS Z27, a, c               \
	VMULPS.BCST vecHalf<>(SB), c, c \
	VBLENDMPS a, c, K1, c          \
	VBLENDMPS Z26, Z27, K1, e

// SOFTSERIES and SOFTSTORE are LOGSERIES of c and e; they use a, d and f, add x
// where it is positive, and store.
#define SOFTSERIES(c, d, f) \
	VMULPS c, c, f                  \
	VMULPS.BCST vecLog0<>(SB), c, d \
	VADDPS.BCST vecLog1<>(SB), d, d \
	TERMZ(vecLog2, c, d)            \
	TERMZ(vecLog3, c, d)            \
	TERMZ(vecLog4, c, d)            \
	TERMZ(vecLog5, c, d)            \
	TERMZ(vecLog6, c, d)            \
	TERMZ(vecLog7, c, d)            \
	TERMZ(vecLog8, c, d)            \
	VMULPS c, d, d                  \
	VMULPS f, d, d

#define SOFTSTORE(a, c, d, e, f, at) \
	VMULPS.BCST vecLn2Lo<>(SB), e, a \
	VADDPS a, d, d                   \
	VMULPS.BCST vecHalf<>(SB), f, f  \
	VSUBPS f, d, d                   \
	VADDPS d, c, c                   \
	VMULPS.BCST vecLn2Hi<>(SB), e, e \
	VADDPS e, c, c                   \
	VMOVUPS at(SI)(DX*1), a          \
	VCMPPS $0x11, a, Z26, K1         \
	VADDPS a, c, K1, c               \
	VMOVUPS c, at(DI)(DX*1)

// func vecSoftplusAVX512(n int, y, slope, x *float32)
TEXT ·vecSoftplusAVX512(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ y+8(FP), DI
	MOVQ slope+16(FP), R8
	MOVQ x+24(FP), SI
	VPXORD  Z26, Z26, Z26
	VBROADCASTSS vecOne<>(SB), Z27
	VBROADCASTSS vecSoftCut<>(SB), Z28
	VBROADCASTSS vecSign<>(SB), Z29
	EXPCONSTANTS
	XORQ DX, DX
	SUBQ $64, CX
	JLT  left

loop4:
	VPORD (SI)(DX*1), Z29, Z0
	VPORD 64(SI)(DX*1), Z29, Z4
	VPORD 128(SI)(DX*1), Z29, Z8
	VPORD 192(SI)(DX*1), Z29, Z16
	EXPZ4
	SOFTSLOPE(Z0, Z1, Z2, 0)
	SOFTSLOPE(Z4, Z5, Z6, 64)
	SOFTSLOPE(Z8, Z9, Z10, 128)
	SOFTSLOPE(Z16, Z17, Z18, 192)
	SOFTARGUMENT(Z0, Z2, Z12)
	SOFTARGUMENT(Z4, Z6, Z13)
	SOFTARGUMENT(Z8, Z10, Z14)
	SOFTARGUMENT(Z16, Z18, Z15)
	SOFTSERIES(Z2, Z3, Z1)
	SOFTSERIES(Z6, Z7, Z5)
	SOFTSERIES(Z10, Z11, Z9)
	SOFTSERIES(Z18, Z19, Z17)
	SOFTSTORE(Z0, Z2, Z3, Z12, Z1, 0)
	SOFTSTORE(Z4, Z6, Z7, Z13, Z5, 64)
	SOFTSTORE(Z8, Z10, Z11, Z14, Z9, 128)
	SOFTSTORE(Z16, Z18, Z19, Z15, Z17, 192)
	ADDQ $256, DX
	SUBQ $64, CX
	JGE  loop4

left:
	ADDQ $64, CX
	JZ   done

loop:
	VPORD (SI)(DX*1), Z29, Z0
	EXPZ
	SOFTSLOPE(Z0, Z1, Z2, 0)
	SOFTARGUMENT(Z0, Z2, Z12)
	SOFTSERIES(Z2, Z3, Z1)
	SOFTSTORE(Z0, Z2, Z3, Z12, Z1, 0)
	ADDQ $64, DX
	SUBQ $16, CX
	JNZ  loop

done:
	VZEROUPPER
	RET
