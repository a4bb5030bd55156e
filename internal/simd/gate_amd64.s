//go:build amd64 && !purego

#include "textflag.h"

// The operations and their order are those of gate.go; nothing is fused, so the
// bits are the same. DX counts bytes.

// CONST is one value, to be broadcast.
#define CONST(name, v) \
	DATA name<>+0(SB)/4, v; \
	GLOBL name<>(SB), RODATA|NOPTR, $4

// The constants of vecmath.go.
CONST(gateLog2E, $1.44269504088896341)
CONST(gateMagic, $12582912.0)
CONST(gateLn2Hi, $0.693359375)
CONST(gateLn2Lo, $-2.12194440e-4)
CONST(gateExpMax, $89.0)
CONST(gateExpMin, $-104.0)
CONST(gateOne, $1.0)
CONST(gateTwo, $2.0)
CONST(gateBias, $127)
CONST(gateSign, $0x80000000)
CONST(gateExp0, $1.9875691500e-4)
CONST(gateExp1, $1.3981999507e-3)
CONST(gateExp2, $8.3334519073e-3)
CONST(gateExp3, $4.1665795894e-2)
CONST(gateExp4, $1.6666665459e-1)
CONST(gateExp5, $5.0000001201e-1)
CONST(gateTanhCut, $0.625)
CONST(gateTanh0, $-5.70498872745e-3)
CONST(gateTanh1, $2.06390887954e-2)
CONST(gateTanh2, $-5.37397155531e-2)
CONST(gateTanh3, $1.33314422036e-1)
CONST(gateTanh4, $-3.33332819422e-1)

// GTERM is one step of a polynomial in x: q = q·x + c.
#define GTERM(c, x, q) \
	VMULPS x, q, q            \
	VADDPS.BCST c<>(SB), q, q

// GEXP sets x to e^x and uses t, u and v. Constants are in Z24 to Z31.
#define GEXP(x, t, u, v) \
	VMINPS x, Z31, x                  \
	VMAXPS x, Z30, x                  \
	VMULPS Z29, x, t                  \
	VADDPS Z28, t, t                  \
	VSUBPS Z28, t, u                  \
	VMULPS Z27, u, v                  \
	VSUBPS v, x, x                    \
	VMULPS Z26, u, v                  \
	VSUBPS v, x, x                    \
	VMULPS.BCST gateExp0<>(SB), x, v  \
	VADDPS.BCST gateExp1<>(SB), v, v  \
	GTERM(gateExp2, x, v)             \
	GTERM(gateExp3, x, v)             \
	GTERM(gateExp4, x, v)             \
	GTERM(gateExp5, x, v)             \
	VMULPS x, x, u                    \
	VMULPS u, v, v                    \
	VADDPS x, v, v                    \
	VADDPS Z25, v, v                  \
	VPSUBD Z28, t, t                  \
	VPSRAD $1, t, u                   \
	VPSUBD u, t, t                    \
	VPADDD Z24, u, u                  \
	VPADDD Z24, t, t                  \
	VPSLLD $23, u, u                  \
	VPSLLD $23, t, t                  \
	VMULPS u, v, v                    \
	VMULPS t, v, x

// func rowGateAVX512(n int, z, a, b *float32)
TEXT ·rowGateAVX512(SB), NOSPLIT, $0-32
	MOVQ n+0(FP), CX
	MOVQ z+8(FP), R8
	MOVQ a+16(FP), DI
	MOVQ b+24(FP), SI
	SHLQ $2, CX
	XORQ DX, DX
	VBROADCASTSS gateExpMax<>(SB), Z31
	VBROADCASTSS gateExpMin<>(SB), Z30
	VBROADCASTSS gateLog2E<>(SB), Z29
	VBROADCASTSS gateMagic<>(SB), Z28
	VBROADCASTSS gateLn2Hi<>(SB), Z27
	VBROADCASTSS gateLn2Lo<>(SB), Z26
	VBROADCASTSS gateOne<>(SB), Z25
	VPBROADCASTD gateBias<>(SB), Z24
	VPBROADCASTD gateSign<>(SB), Z23
	VBROADCASTSS gateTwo<>(SB), Z22
	VBROADCASTSS gateTanhCut<>(SB), Z21

loop:
	VMOVUPS (DI)(DX*1), Z0
	VMOVUPS (SI)(DX*1), Z8
	VPANDD  Z23, Z0, Z1           // sign
	VPANDND Z0, Z23, Z0           // |a|
	VADDPS  Z0, Z0, Z4
	VPORD   Z23, Z8, Z9           // -|b|
	GEXP(Z4, Z5, Z6, Z7)
	GEXP(Z9, Z10, Z11, Z12)
	VMULPS  Z0, Z0, Z2
	VMULPS.BCST gateTanh0<>(SB), Z2, Z3
	VADDPS.BCST gateTanh1<>(SB), Z3, Z3
	GTERM(gateTanh2, Z2, Z3)
	GTERM(gateTanh3, Z2, Z3)
	GTERM(gateTanh4, Z2, Z3)
	VMULPS  Z2, Z3, Z3
	VMULPS  Z0, Z3, Z3
	VADDPS  Z0, Z3, Z3
	VADDPS  Z25, Z4, Z4
	VDIVPS  Z4, Z22, Z4
	VSUBPS  Z4, Z25, Z4
	VCMPPS  $0x11, Z21, Z0, K1    // |a| < cut
	VMOVAPS Z3, K1, Z4
	VPORD   Z1, Z4, Z4            // tanh
	VADDPS  Z25, Z9, Z10
	VPMOVD2M Z8, K2               // b < 0
	VMOVAPS Z25, Z11
	VMOVAPS Z9, K2, Z11
	VDIVPS  Z10, Z11, Z9          // sigmoid
	VMULPS  Z9, Z4, Z13
	VMOVUPS Z4, (DI)(DX*1)
	VMOVUPS Z9, (SI)(DX*1)
	VMOVUPS Z13, (R8)(DX*1)
	ADDQ $64, DX
	CMPQ DX, CX
	JNE  loop
	VZEROUPPER
	RET

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
