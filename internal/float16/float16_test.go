package float16

import (
	"math"
	"testing"
)

// slowHalf is the definition of binary16 in float64 arithmetic.
func slowHalf(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

func TestHalfAllValues(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		want, got := slowHalf(h), Float32(h)
		if math.IsNaN(want) {
			if back := FromFloat32(got); got == got || slowHalf(back) == slowHalf(back) || back&0x8000 != h&0x8000 {
				t.Fatalf("%#04x: NaN became %v, then %#04x", h, got, back)
			}
			continue
		}
		if float64(got) != want || math.Signbit(float64(got)) != math.Signbit(want) {
			t.Fatalf("Float32(%#04x) = %v, want %v", h, got, want)
		}
		if back := FromFloat32(got); back != h {
			t.Fatalf("FromFloat32(%v) = %#04x, want %#04x", got, back, h)
		}
	}
}

// Between two neighbouring halves a float32 goes to the nearer one, and the
// middle goes to the even one.
func TestHalfRounding(t *testing.T) {
	for i := range 0x7c00 {
		h := uint16(i)
		lo, hi := slowHalf(h), slowHalf(h+1)
		if h+1 == 0x7c00 {
			hi = 65536 // what the next step would be
		}
		mid := float32((lo + hi) / 2)
		even := h + h&1
		for _, c := range []struct {
			f    float32
			want uint16
		}{
			{math.Nextafter32(mid, 0), h},
			{mid, even},
			{math.Nextafter32(mid, math.MaxFloat32), h + 1},
		} {
			if got := FromFloat32(c.f); got != c.want {
				t.Fatalf("FromFloat32(%v) = %#04x, want %#04x", c.f, got, c.want)
			}
			if got := FromFloat32(-c.f); got != c.want|0x8000 {
				t.Fatalf("FromFloat32(%v) = %#04x, want %#04x", -c.f, got, c.want|0x8000)
			}
		}
	}
	for f, want := range map[float32]uint16{
		math.MaxFloat32: 0x7c00, 1e5: 0x7c00, 65519.996: 0x7bff, 65520: 0x7c00, math.SmallestNonzeroFloat32: 0,
	} {
		if got := FromFloat32(f); got != want {
			t.Errorf("FromFloat32(%v) = %#04x, want %#04x", f, got, want)
		}
	}
}

func TestBfloat(t *testing.T) {
	for h, want := range map[uint16]float32{0: 0, 0x3f80: 1, 0xc049: -3.140625, 0x7f80: float32(math.Inf(1))} {
		if got := BFloat32(h); got != want {
			t.Errorf("BFloat32(%#04x) = %v, want %v", h, got, want)
		}
	}
}
