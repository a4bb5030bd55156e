"""Makes the fixtures of the CelebA reader: python3 make.py (Pillow 9.4, libjpeg-turbo 2.1, NumPy).

noise.npy       uint8 [64, 64, 3]: 140x140 pixels of a linear congruential generator, which the test repeats, resized by Pillow
photo-*.jpg     made-up photographs of 178x218 with colour sampled 4:2:0, 4:2:2 and 4:4:4
photo-*.npy     uint8 [64, 64, 3]: their middle 140x140, resized, as Pillow decodes them
"""
import numpy as np
from PIL import Image


def shrink(img):
    return np.asarray(img.resize((64, 64), Image.BILINEAR))


x, noise = 1, np.zeros(140 * 140 * 3, np.uint8)
for i in range(noise.size):
    x = (1664525 * x + 1013904223) % 2**32
    noise[i] = x >> 24
np.save("noise.npy", shrink(Image.fromarray(noise.reshape(140, 140, 3))))

v, u = np.mgrid[0:218, 0:178].astype(np.float64)
face = np.exp(-((u - 89) / 40) ** 2 - ((v - 115) / 60) ** 2)
rgb = np.stack([60 + 150 * face + 30 * np.sin(u / 5), 90 + 90 * face + 25 * np.sin(v / 4), 140 - 60 * face + 40 * np.cos((u + v) / 7)], -1)
rgb[80:90, 60:80] = [250, 10, 10]
rgb[150:156, 70:110] = [10, 200, 30]
photo = Image.fromarray(np.clip(rgb + np.random.RandomState(0).normal(0, 4, rgb.shape), 0, 255).astype(np.uint8))
for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
    photo.save(f"photo-{name}.jpg", quality=80, subsampling=subsampling)
    with Image.open(f"photo-{name}.jpg") as f:
        np.save(f"photo-{name}.npy", shrink(f.crop((19, 39, 159, 179))))
