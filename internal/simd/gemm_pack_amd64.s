//go:build amd64 && !purego

#include "textflag.h"

// Eight lanes set, eight clear: a load from 4·(8-w) bytes on is a mask of w lanes.
DATA gemmMask<>+0(SB)/8, $-1
DATA gemmMask<>+8(SB)/8, $-1
DATA gemmMask<>+16(SB)/8, $-1
DATA gemmMask<>+24(SB)/8, $-1
DATA gemmMask<>+32(SB)/8, $0
DATA gemmMask<>+40(SB)/8, $0
DATA gemmMask<>+48(SB)/8, $0
DATA gemmMask<>+56(SB)/8, $0
GLOBL gemmMask<>(SB), RODATA|NOPTR, $64

// func gemmCopyAVX2(dst *float32, stride, w, k int, src *float32, ld int)
TEXT ·gemmCopyAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ w+16(FP), R10
	MOVQ k+24(FP), CX
	MOVQ src+32(FP), SI
	MOVQ ld+40(FP), R9
	SHLQ $2, R8
	SHLQ $2, R9
	MOVQ R10, R11
	ANDQ $7, R11              // values of the last, partial vector
	SHLQ $2, R10
	ANDQ $~31, R10            // bytes of the whole vectors
	LEAQ gemmMask<>+32(SB), AX
	LEAQ (R11*4), BX
	SUBQ BX, AX
	VMOVUPS (AX), Y15

row:
	LEAQ (SI)(R9*8), R12 // rows far apart escape the processor's own prefetch
	PREFETCHT0 (R12)
	PREFETCHT0 64(R12)
	XORQ DX, DX
	CMPQ DX, R10
	JEQ  partial

vector:
	VMOVUPS (SI)(DX*1), Y0
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	CMPQ DX, R10
	JNE  vector

partial:
	TESTQ R11, R11
	JEQ  next
	VMASKMOVPS (SI)(DX*1), Y15, Y0
	VMOVUPS Y0, (DI)(DX*1) // the rest of the vector is undefined; a masked store is slow

next:
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// The address of row x of src is that of row x-1 plus ld while x < w, else the
// same row again.
#define NEXT(x, last, this) \
	LEAQ (last)(R9*1), this \
	CMPQ R10, $x            \
	CMOVQLE last, this

// TRANSPOSE turns four values of k, from off bytes on, of the eight rows into four
// rows of dst.
#define TRANSPOSE(off) \
	VMOVUPS off(SI), X0                 \
	VMOVUPS off(R11), X1                \
	VMOVUPS off(R12), X2                \
	VMOVUPS off(R13), X3                \
	VINSERTF128 $1, off(AX), Y0, Y0     \
	VINSERTF128 $1, off(BX), Y1, Y1     \
	VINSERTF128 $1, off(DX), Y2, Y2     \
	VINSERTF128 $1, off(R15), Y3, Y3    \
	VUNPCKLPS Y1, Y0, Y4                \
	VUNPCKHPS Y1, Y0, Y5                \
	VUNPCKLPS Y3, Y2, Y6                \
	VUNPCKHPS Y3, Y2, Y7                \
	VSHUFPS $0x44, Y6, Y4, Y0           \
	VSHUFPS $0xee, Y6, Y4, Y1           \
	VSHUFPS $0x44, Y7, Y5, Y2           \
	VSHUFPS $0xee, Y7, Y5, Y3           \
	VMOVUPS Y0, (DI)                    \
	VMOVUPS Y1, (DI)(R8*1)              \
	LEAQ (DI)(R8*2), DI                 \
	VMOVUPS Y2, (DI)                    \
	VMOVUPS Y3, (DI)(R8*1)              \
	LEAQ (DI)(R8*2), DI

// func gemmTransposeAVX2(dst *float32, stride, w, k int, src *float32, ld int)
TEXT ·gemmTransposeAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ w+16(FP), R10
	MOVQ k+24(FP), CX
	MOVQ src+32(FP), SI
	MOVQ ld+40(FP), R9
	SHLQ $2, R8
	SHLQ $2, R9
	NEXT(1, SI, R11)
	NEXT(2, R11, R12)
	NEXT(3, R12, R13)
	NEXT(4, R13, AX)
	NEXT(5, AX, BX)
	NEXT(6, BX, DX)
	NEXT(7, DX, R15)

loop:
	TRANSPOSE(0)
	TRANSPOSE(16)
	ADDQ $32, SI
	ADDQ $32, R11
	ADDQ $32, R12
	ADDQ $32, R13
	ADDQ $32, AX
	ADDQ $32, BX
	ADDQ $32, DX
	ADDQ $32, R15
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET
