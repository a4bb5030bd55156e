"""Writes an ABX item file for a folder of isolated words named WORD_SPEAKER_INDEX.wav, such as the Free Spoken Digit Dataset.

    python3 bench/fsdd_items.py recordings/ > fsdd.item

Every recording is one item, from its beginning to its end; the word takes the place of the phone, and all have one context.
"""
import os
import sys
import wave


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("#file onset offset #phone prev-phone next-phone speaker")
    for name in sorted(os.listdir(sys.argv[1])):
        base, suffix = os.path.splitext(name)
        if suffix != ".wav":
            continue
        word, speaker, _ = base.split("_")
        with wave.open(os.path.join(sys.argv[1], name)) as f:
            print(base, 0, "%.6f" % (f.getnframes() / f.getframerate()), word, "SIL", "SIL", speaker)


if __name__ == "__main__":
    main()
