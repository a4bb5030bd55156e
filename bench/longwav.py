"""Writes a 16-bit WAV of the given length in seconds to a pipe, as a recorder would: sizes unknown, audio repeated from a file.

    python3 bench/longwav.py SECONDS IN.wav | vqspeech encode - -o long.vqs

IN.wav is 16-bit mono PCM with a 44-byte header (vqspeech decode writes such files).
"""
import struct
import sys

seconds, source = int(sys.argv[1]), open(sys.argv[2], "rb").read()
rate = struct.unpack("<I", source[24:28])[0]
audio = source[44:]
out = sys.stdout.buffer
out.write(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16) + b"data\xff\xff\xff\xff")
left = 2 * rate * seconds
while left > 0:
    out.write(audio[:left])
    left -= len(audio)
